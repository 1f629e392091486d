from __future__ import annotations

import json
import re
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from runner.domain.record.record import INSTALLATION, piece_stream, run_stream
from runner.errors import NotFound, Unknown, UsageError
from runner.operations.record.export_record import export_record
from runner.operations.record.record_files import README_TEXT
from runner.operations.record.verify_record import verify_record
from runner.operations.record.write_checkpoint import write_checkpoint
from runner.store.execution import pieces
from runner.store.record import log
from tests.operations.recording import Recorder, a_recorder, signature_is_valid


@pytest.fixture
def recorder(tmp_path: Path) -> Recorder:
    recorder = a_recorder(tmp_path)
    recorder.log(INSTALLATION, {"action": "begun"})
    return recorder


def lines_of(folder: Path, name: str) -> list[dict]:
    return [json.loads(line) for line in (folder / "entries" / name).read_bytes().splitlines()]


def test_everything_is_copied(recorder: Recorder, tmp_path: Path) -> None:
    for _ in range(2):
        recorder.a_whole_run()
        write_checkpoint(recorder.store, recorder.signer, clock=recorder.clock)
    recorder.log("tool:other", {"action": "of no run"})

    done = export_record(recorder.store, tmp_path / "copy")

    names = sorted(path.relative_to(done.folder).as_posix() for path in done.folder.rglob("*") if path.is_file())
    assert names == [
        "README.txt",
        "SHA256SUMS",
        "allowed_signers",
        *(f"checkpoints/00000{n}.json{ending}" for n in (1, 2) for ending in ("", ".sig")),
        *(f"entries/{name}.jsonl" for name in ("installation", "other", "run-000001", "run-000002")),
        "manifest.json",
    ]
    assert (done.streams, done.checkpoints) == (8, 2)
    assert done.entries == sum(
        len(lines_of(done.folder, name))
        for name in ("installation.jsonl", "other.jsonl", "run-000001.jsonl", "run-000002.jsonl")
    )


def test_a_copy_holds_the_very_entries_of_the_record(recorder: Recorder, tmp_path: Path) -> None:
    run = recorder.a_whole_run()

    done = export_record(recorder.store, tmp_path / "copy")

    kept = recorder.store.read(lambda c: [entry.line() for entry in log.entries(c, run_stream(run))])
    assert (done.folder / "entries/run-000001.jsonl").read_bytes().splitlines()[: len(kept)] == kept


def test_the_same_record_is_copied_into_the_same_bytes(recorder: Recorder, tmp_path: Path) -> None:
    recorder.a_whole_run()
    write_checkpoint(recorder.store, recorder.signer, clock=recorder.clock)

    for name in ("first", "second"):
        export_record(recorder.store, tmp_path / name)

    assert (tmp_path / "first/SHA256SUMS").read_bytes() == (tmp_path / "second/SHA256SUMS").read_bytes()


def test_one_run_is_copied_with_what_closes_and_signs_it_only(recorder: Recorder, tmp_path: Path) -> None:
    recorder.a_whole_run()
    write_checkpoint(recorder.store, recorder.signer, clock=recorder.clock)
    run = recorder.a_whole_run()
    recorder.log(INSTALLATION, {"action": "something later"})
    write_checkpoint(recorder.store, recorder.signer, clock=recorder.clock)
    recorder.a_whole_run()

    done = export_record(recorder.store, tmp_path / "copy", run="2")

    ours = {piece_stream(piece.id) for piece in recorder.store.read(lambda c: pieces.of_run(c, run))}
    assert {line["stream"] for line in lines_of(done.folder, "run-000002.jsonl")} == {run_stream(run), *ours}
    installation = lines_of(done.folder, "installation.jsonl")
    assert [line["seq"] for line in installation] == [3, 4]
    assert installation[0]["body"]["stream"] == run_stream(run)
    report = verify_record(done.folder, verify_signature=signature_is_valid)
    assert report.faults == ()
    assert report.signed_until == 4


def test_a_span_of_time_is_copied_with_the_runs_that_were_going_then(recorder: Recorder, tmp_path: Path) -> None:
    begun = recorder.now
    recorder.a_whole_run()
    going = recorder.a_live_run()
    recorder.a_whole_run()
    from_, to = recorder.now - timedelta(seconds=1), recorder.now + timedelta(seconds=1)
    recorder.now += timedelta(hours=1)
    recorder.end_run(going)
    recorder.a_whole_run()
    write_checkpoint(recorder.store, recorder.signer, clock=recorder.clock)

    done = export_record(recorder.store, tmp_path / "copy", from_=from_, to=to)

    assert sorted(path.name for path in (done.folder / "entries").iterdir()) == [
        "installation.jsonl",
        "run-000002.jsonl",
        "run-000003.jsonl",
    ]
    report = verify_record(done.folder, verify_signature=signature_is_valid)
    assert report.faults == ()
    assert report.signed_until == report.last == 5
    manifest = json.loads((done.folder / "manifest.json").read_text())
    assert manifest["partial"]
    assert manifest["scope"]["from"] > begun.isoformat()


def test_a_time_in_which_nothing_happened_gives_an_empty_copy(recorder: Recorder, tmp_path: Path) -> None:
    recorder.a_whole_run()
    later = recorder.now + timedelta(days=1)

    done = export_record(recorder.store, tmp_path / "copy", from_=later, to=later + timedelta(days=1))

    assert (done.entries, done.streams) == (0, 0)
    assert verify_record(done.folder, verify_signature=signature_is_valid).is_whole


def test_a_folder_that_holds_something_is_refused(recorder: Recorder, tmp_path: Path) -> None:
    (tmp_path / "copy").mkdir()
    (tmp_path / "copy/mine.txt").write_text("mine")

    with pytest.raises(UsageError, match="not empty"):
        export_record(recorder.store, tmp_path / "copy")

    assert [path.name for path in (tmp_path / "copy").iterdir()] == ["mine.txt"]


def test_a_folder_that_cannot_be_made_is_told(recorder: Recorder, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(Unknown, match="name another folder"):
        export_record(recorder.store, tmp_path / "file/copy")


def test_an_unknown_run_is_not_found(recorder: Recorder, tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        export_record(recorder.store, tmp_path / "copy", run="77")


def test_a_copy_can_be_checked_with_stock_tools_as_its_readme_says(recorder: Recorder, tmp_path: Path) -> None:
    recorder.log(INSTALLATION, {"file": "caf\udce9", "ü": 1.5})
    recorder.a_whole_run()
    write_checkpoint(recorder.store, recorder.signer, clock=recorder.clock)
    folder = export_record(recorder.store, tmp_path / "copy").folder

    sums = subprocess.run(["sha256sum", "-c", "--quiet", "SHA256SUMS"], cwd=folder, check=False)
    verify = [
        *["ssh-keygen", "-Y", "verify", "-f", "allowed_signers", "-I", "wellkept", "-n", "wellkept-record"],
        "-s",
        "checkpoints/000001.json.sig",
    ]
    with (folder / "checkpoints/000001.json").open("rb") as message:
        signature = subprocess.run(verify, cwd=folder, stdin=message, capture_output=True, check=False)
    program = re.search(r"     import hashlib.*?given\)\n", README_TEXT, re.DOTALL)
    assert program
    script = "\n".join(line[5:] for line in program[0].splitlines())
    hashes = subprocess.run(
        [sys.executable, "-c", script, "entries/installation.jsonl"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )

    assert sums.returncode == 0
    assert signature.returncode == 0, signature.stderr
    assert hashes.stdout.split() == [word for n in (1, 2, 3) for word in ("installation", str(n), "True")]
