from __future__ import annotations

import random
import shutil
from pathlib import Path

import pytest
from sqlalchemy import delete, update

from runner.domain.record.record import INSTALLATION, Link, chained, key_id, piece_stream, run_stream
from runner.domain.record.record_faults import FaultKind
from runner.errors import UsageError
from runner.operations.record import record_files as files
from runner.operations.record.export_record import export_record
from runner.operations.record.verify_record import RecordReport, verify_record
from runner.operations.record.write_checkpoint import write_checkpoint
from runner.store.execution import pieces
from runner.store.record import log
from runner.store.schema import checkpoints, log_entries
from runner.store.schema import pieces as piece_rows
from tests.operations.recording import Recorder, a_recorder, a_signer, signature_is_valid


@pytest.fixture
def recorder(tmp_path: Path) -> Recorder:
    """Two runs that have ended, one that is going, all signed, and something after the last signature."""
    recorder = a_recorder(tmp_path)
    recorder.log(INSTALLATION, {"action": "begun"})
    recorder.a_whole_run()
    recorder.a_whole_run()
    recorder.a_live_piece(recorder.a_live_run())
    write_checkpoint(recorder.store, recorder.signer, clock=recorder.clock)
    recorder.log(INSTALLATION, {"action": "went on"})
    return recorder


@pytest.fixture
def copy(recorder: Recorder, tmp_path: Path) -> Path:
    return export_record(recorder.store, tmp_path / "copy").folder


def check(source: Recorder | Path) -> RecordReport:
    return verify_record(source if isinstance(source, Path) else source.store, verify_signature=signature_is_valid)


def first_fault(source: Recorder | Path) -> tuple[str, int, FaultKind]:
    fault = check(source).faults[0]
    return fault.stream, fault.seq, fault.kind


def an_ended_piece(recorder: Recorder) -> str:
    return next(iter(sorted(recorder.store.read(pieces.closing_hashes))))


def change(recorder: Recorder, stream: str, seq: int, **values: object) -> None:
    where = (log_entries.c.stream == stream, log_entries.c.seq == seq)
    recorder.store.write(lambda c: c.execute(update(log_entries).where(*where).values(**values)))


def drop(recorder: Recorder, stream: str, seq: int) -> None:
    where = (log_entries.c.stream == stream, log_entries.c.seq >= seq)
    recorder.store.write(lambda c: c.execute(delete(log_entries).where(*where)))


def test_a_whole_record_is_whole_in_the_database_and_in_a_copy(recorder: Recorder, copy: Path) -> None:
    in_database, in_copy = check(recorder), check(copy)

    assert in_database == in_copy
    assert in_database.is_whole
    assert (in_database.streams, in_database.checkpoints) == (9, 3)
    assert (in_database.signed_until, in_database.last) == (3, 4)
    assert in_database.keys == (key_id(recorder.signer.public_key()),)


def test_an_empty_record_is_whole(tmp_path: Path) -> None:
    empty = a_recorder(tmp_path)

    assert check(empty).is_whole
    assert check(export_record(empty.store, tmp_path / "copy").folder).is_whole


def test_the_first_bad_entry_is_named(recorder: Recorder) -> None:
    stream = piece_stream(an_ended_piece(recorder))
    change(recorder, stream, 2, body='{"action":"event","text":"nothing happened"}')

    assert first_fault(recorder) == (stream, 2, FaultKind.BAD_ENTRY)


def test_a_blank_in_a_kept_body_is_a_bad_entry(recorder: Recorder) -> None:
    change(recorder, INSTALLATION, 1, body='{"action": "begun"}')

    assert first_fault(recorder) == (INSTALLATION, 1, FaultKind.BAD_ENTRY)


def test_a_missing_entry_is_a_gap(recorder: Recorder) -> None:
    where = (log_entries.c.stream == INSTALLATION, log_entries.c.seq == 2)
    recorder.store.write(lambda c: c.execute(delete(log_entries).where(*where)))

    assert first_fault(recorder) == (INSTALLATION, 3, FaultKind.GAP)


def test_a_piece_that_lost_its_end_is_truncated(recorder: Recorder) -> None:
    stream = piece_stream(an_ended_piece(recorder))
    drop(recorder, stream, 3)

    assert first_fault(recorder) == (stream, 2, FaultKind.TRUNCATED)


def test_a_run_that_was_wiped_altogether_is_truncated(recorder: Recorder) -> None:
    run = recorder.store.read(lambda c: pieces.get(c, an_ended_piece(recorder))).run_id
    drop(recorder, run_stream(run), 1)

    assert (run_stream(run), FaultKind.TRUNCATED) in {(fault.stream, fault.kind) for fault in check(recorder).faults}


def test_a_signed_end_that_was_cut_off_is_truncated(recorder: Recorder) -> None:
    drop(recorder, INSTALLATION, 3)

    assert (INSTALLATION, FaultKind.TRUNCATED) in {(fault.stream, fault.kind) for fault in check(recorder).faults}


def test_a_history_that_was_rewritten_and_rehashed_is_a_fork(recorder: Recorder) -> None:
    kept = recorder.store.read(lambda c: list(log.entries(c, INSTALLATION)))
    forged = chained(
        Link(), INSTALLATION, [{"action": "another beginning"}, *(entry.content for entry in kept[1:])], at=kept[0].at
    )
    for entry in forged:
        change(recorder, INSTALLATION, entry.seq, hash=entry.hash, prev=entry.prev, body=entry.body, at=entry.at)

    assert first_fault(recorder) == (INSTALLATION, 3, FaultKind.FORK)


def test_a_piece_whose_row_names_another_hash_is_a_fork(recorder: Recorder) -> None:
    piece = an_ended_piece(recorder)
    recorder.store.write(
        lambda c: c.execute(update(piece_rows).where(piece_rows.c.id == piece).values(closing_hash="f" * 64))
    )

    assert first_fault(recorder) == (piece_stream(piece), 3, FaultKind.FORK)


def test_an_ended_piece_that_its_run_does_not_close_is_named(recorder: Recorder) -> None:
    run = recorder.a_live_run()
    piece, fence = recorder.a_live_piece(run)
    recorder.store.write(lambda c: pieces.lose(c, piece, fence=fence, results={}, at=recorder.now))

    assert first_fault(recorder) == (piece_stream(piece), 0, FaultKind.MISSING_CLOSING)


@pytest.mark.parametrize("column", ["signature", "message", "hash", "seq", "count", "public_key", "key_id", "at"])
def test_a_checkpoint_that_was_tampered_with_is_named(recorder: Recorder, column: str) -> None:
    other = {"seq": 2, "count": 9, "at": recorder.now.replace(year=2020), "hash": "f" * 64}.get(column, "nonsense")
    tamper = update(checkpoints).where(checkpoints.c.stream == INSTALLATION).values(**{column: other})
    recorder.store.write(lambda c: c.execute(tamper))

    assert FaultKind.BAD_CHECKPOINT in {fault.kind for fault in check(recorder).faults}


def test_a_checkpoint_of_another_installation_proves_nothing(recorder: Recorder, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = a_recorder(tmp_path / "other")
    other.signer = recorder.signer
    other.log(INSTALLATION, {"action": "begun"})
    (foreign,) = write_checkpoint(other.store, other.signer, clock=other.clock)
    values = {
        "message": foreign.message,
        "signature": foreign.signature,
        "seq": 1,
        "hash": foreign.hash,
        "count": 1,
        "at": foreign.at,
    }
    recorder.store.write(
        lambda c: c.execute(update(checkpoints).where(checkpoints.c.stream == INSTALLATION).values(**values))
    )

    (fault,) = check(recorder).faults

    assert "belongs to installation" in fault.text


def test_a_record_that_was_signed_anew_with_another_key_is_told_when_the_right_key_is_known(
    recorder: Recorder, tmp_path: Path
) -> None:
    ours = recorder.signer.public_key()
    recorder.store.write(lambda c: c.execute(delete(checkpoints)))
    (tmp_path / "forger").mkdir()
    write_checkpoint(recorder.store, a_signer(tmp_path / "forger"), clock=recorder.clock)
    forged = export_record(recorder.store, tmp_path / "forged").folder

    trusting = verify_record(forged, verify_signature=signature_is_valid)
    knowing = verify_record(forged, verify_signature=signature_is_valid, trusted_keys=[ours])

    assert trusting.is_whole
    assert {fault.kind for fault in knowing.faults} == {FaultKind.BAD_CHECKPOINT}


def test_a_folder_without_a_copy_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="holds no exported record"):
        check(tmp_path)


@pytest.mark.parametrize(
    "name",
    [
        "SHA256SUMS",
        "README.txt",
        "allowed_signers",
        "entries/installation.jsonl",
        "checkpoints/000001.json",
        "checkpoints/000001.json.sig",
    ],
)
def test_a_copy_that_lost_a_file_is_not_whole(copy: Path, name: str) -> None:
    (copy / name).unlink()

    assert not check(copy).is_whole


def test_a_copy_with_a_file_too_many_is_not_whole(copy: Path) -> None:
    (copy / "entries/zzz.jsonl").write_bytes((copy / "entries/run-000001.jsonl").read_bytes())

    assert not check(copy).is_whole


def test_any_single_changed_byte_of_a_copy_is_found(copy: Path, tmp_path: Path) -> None:
    dice = random.Random(4711)
    names = sorted(path.relative_to(copy) for path in copy.rglob("*") if path.is_file())
    unnoticed = []

    for name in names * 6:
        original = (copy / name).read_bytes()
        place = dice.randrange(len(original))
        byte = dice.choice([other for other in range(256) if other != original[place]])
        (copy / name).write_bytes(original[:place] + bytes([byte]) + original[place + 1 :])
        if check(copy).is_whole:
            unnoticed.append((name, place, byte))
        (copy / name).write_bytes(original)

    assert unnoticed == []
    assert check(copy).is_whole


def test_a_changed_byte_is_found_also_when_the_sums_were_made_to_fit(copy: Path) -> None:
    dice = random.Random(815)
    names = [path.relative_to(copy) for path in sorted(copy.rglob("*")) if path.is_file()]
    proved = [name for name in names if name.name not in {files.SUMS, files.README} and name.suffix != ".sig"]
    unnoticed = []

    for name in proved * 4:
        original = (copy / name).read_bytes()
        place = dice.randrange(len(original))
        byte = dice.choice([other for other in range(256) if other != original[place]])
        (copy / name).write_bytes(original[:place] + bytes([byte]) + original[place + 1 :])
        (copy / files.SUMS).write_text(files.sums_text(copy))
        if check(copy).is_whole:
            unnoticed.append((str(name), place, original[max(0, place - 20) : place + 20], byte))
        (copy / name).write_bytes(original)

    assert unnoticed == []


def test_a_copy_can_be_checked_where_there_is_no_database(recorder: Recorder, copy: Path, tmp_path: Path) -> None:
    recorder.store.close()
    shutil.rmtree(tmp_path / "var")

    assert check(copy).is_whole
