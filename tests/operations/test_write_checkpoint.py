from __future__ import annotations

from pathlib import Path

import pytest

from runner.domain.record.record import INSTALLATION, key_id, piece_stream, read_checkpoint, run_stream
from runner.operations.record.write_checkpoint import write_checkpoint
from runner.store.record import checkpoints, log
from tests.operations.recording import Recorder, a_recorder, a_signer, signature_is_valid


@pytest.fixture
def recorder(tmp_path: Path) -> Recorder:
    return a_recorder(tmp_path)


def write(recorder: Recorder) -> list[str]:
    return [each.stream for each in write_checkpoint(recorder.store, recorder.signer, clock=recorder.clock)]


def test_an_empty_record_is_not_signed(recorder: Recorder) -> None:
    assert write(recorder) == []


def test_a_checkpoint_says_where_the_record_stands_and_is_signed(recorder: Recorder) -> None:
    recorder.a_whole_run()

    (kept,) = write_checkpoint(recorder.store, recorder.signer, clock=recorder.clock)

    head = recorder.store.read(lambda c: log.head(c, INSTALLATION))
    assert (kept.stream, kept.seq, kept.hash, kept.count) == (INSTALLATION, head.seq, head.hash, 1)
    assert kept.key_id == key_id(recorder.signer.public_key())
    assert signature_is_valid(kept.message.encode(), kept.signature, kept.public_key)
    said, installation = read_checkpoint(kept.message.encode(), signature=kept.signature, public_key=kept.public_key)
    assert (said, installation) == (kept, recorder.store.installation.id)
    assert recorder.store.read(lambda c: list(checkpoints.every(c))) == [kept]


def test_what_did_not_grow_is_not_signed_again(recorder: Recorder) -> None:
    recorder.a_whole_run()

    first, second = write(recorder), write(recorder)
    recorder.a_whole_run()
    third = write(recorder)

    assert (first, second, third) == ([INSTALLATION], [], [INSTALLATION])


def test_what_is_still_going_is_signed_too(recorder: Recorder) -> None:
    recorder.log(INSTALLATION, {"action": "begun"})
    run = recorder.a_live_run()
    piece, _ = recorder.a_live_piece(run)

    assert write(recorder) == [INSTALLATION, run_stream(run), piece_stream(piece)]


def test_a_new_key_signs_the_record_again(recorder: Recorder, tmp_path: Path) -> None:
    recorder.a_whole_run()
    write(recorder)
    (tmp_path / "second").mkdir()

    recorder.signer = a_signer(tmp_path / "second")

    assert write(recorder) == [INSTALLATION]
    assert len(recorder.store.read(lambda c: list(checkpoints.every(c)))) == 2
