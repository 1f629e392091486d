from __future__ import annotations

import dataclasses
import sqlite3
from pathlib import Path

import pytest

from runner.cli.funnel import run
from runner.operations.record.show_record import EntryShown
from runner.store.execution import pieces, runs
from tests.cli import rows
from tests.cli.conftest import Repository


@pytest.fixture
def recorded(wellkept: Repository) -> Repository:
    rows.a_live_run(wellkept.store)
    wellkept("runs", "cancel", "1")
    wellkept("tickets", "open", "The fan is loud")
    return wellkept


def test_an_empty_record_says_so(wellkept: Repository) -> None:
    answered = wellkept("record", "show")

    assert answered.code == 0
    assert "Nothing has been recorded in this stream yet." in answered.out


def test_the_latest_entries_are_shown_in_their_order(recorded: Repository) -> None:
    shown = recorded("record", "show").out

    assert shown.index("run.stop_requested") < shown.index("ticket.opened")
    assert "ticket.opened" in recorded("record", "show", "--limit", "1").out
    assert "run.stop_requested" not in recorded("record", "show", "--limit", "1").out


def test_a_run_names_its_own_stream(recorded: Repository) -> None:
    entries = recorded("record", "show", "--stream", "run:1", "--format", "json").json()["entries"]

    assert set(entries[0]) == {field.name for field in dataclasses.fields(EntryShown)}
    assert entries[0]["action"] == "run.claimed"


def test_a_piece_without_entries_is_not_a_stream(recorded: Repository) -> None:
    piece = recorded.store.read(lambda c: pieces.of_run(c, runs.find(c, "1").id))[0]

    assert recorded("record", "show", "--stream", f"piece:{piece.id}").code == 2


def test_a_stream_that_there_is_not_is_an_error_in_words(recorded: Repository) -> None:
    answered = recorded("record", "show", "--stream", "everything")

    assert answered.code == 2
    assert "run:12" in answered.err


def test_a_checkpoint_signs_once(recorded: Repository) -> None:
    first = recorded("record", "checkpoint")
    second = recorded("record", "checkpoint")

    assert "installation: signed up to entry 2" in first.out
    assert "Everything is signed already." in second.out


def test_a_whole_record_is_verified_with_0(recorded: Repository) -> None:
    recorded("record", "checkpoint")

    answered = recorded("record", "verify")

    assert answered.code == 0
    assert "Every entry is as it was written." in answered.out
    assert "Signed up to entry 2 of 2" in answered.out


def test_a_changed_entry_is_found_and_named(recorded: Repository) -> None:
    recorded("record", "checkpoint")
    with sqlite3.connect(recorded.root / "var/wellkept.db") as database:
        database.execute("UPDATE log_entries SET body = replace(body, 'loud', 'fine') WHERE stream = 'installation'")

    answered = recorded("record", "verify")

    assert answered.code == 1
    assert "bad entry: installation entry 2" in answered.out
    assert "THE RECORD IS NOT WHOLE" in answered.out


def test_json_says_whether_the_record_is_whole(recorded: Repository) -> None:
    document = recorded("record", "verify", "--format", "json").json()

    assert document["whole"] is True
    assert document["report"]["entries"] == 3


def test_an_exported_copy_is_verified_without_any_repository(
    recorded: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded("record", "checkpoint")
    copy = tmp_path / "copy"

    exported = recorded("record", "export", str(copy))
    monkeypatch.chdir(tmp_path)

    assert exported.code == 0
    assert "3 entries" in exported.out
    assert run(["record", "verify", str(copy)]) == 0


def test_an_export_never_writes_into_a_folder_that_holds_something(recorded: Repository, tmp_path: Path) -> None:
    (tmp_path / "copy").mkdir()
    (tmp_path / "copy" / "mine").touch()

    assert recorded("record", "export", str(tmp_path / "copy")).code == 2


def test_only_signatures_of_trusted_keys_count(recorded: Repository, tmp_path: Path) -> None:
    recorded("record", "checkpoint")
    ours = recorded.root / "var/signing.key.pub"
    stranger = tmp_path / "stranger.pub"
    stranger.write_text("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGqkqEXAMPLEqkqEXAMPLEqkqEXAMPLEqkqEXAMPLEqk\n")

    assert recorded("record", "verify", "--key", str(ours)).code == 0
    assert recorded("record", "verify", "--key", str(stranger)).code == 1
