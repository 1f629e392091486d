from __future__ import annotations

import sqlite3
import stat
from pathlib import Path

import pytest

from runner.errors import UsageError
from runner.store.backup import back_up
from runner.store.database import is_current
from runner.store.record import log
from tests.cli import rows
from tests.cli.conftest import Repository


def test_upgrade_creates_a_database_that_is_not_there(bare: Repository) -> None:
    answered = bare("db", "upgrade")

    assert answered.code == 0
    assert "was created" in answered.out
    assert is_current(bare.url)


def test_upgrade_says_when_there_is_nothing_to_do(wellkept: Repository) -> None:
    answered = wellkept("db", "upgrade")

    assert answered.code == 0
    assert "nothing was changed" in answered.out


def test_a_command_before_that_says_the_way_out(bare: Repository) -> None:
    answered = bare("runs", "list")

    assert answered.code == 4
    assert "wellkept db upgrade" in answered.err


def test_a_backup_is_a_whole_private_copy_and_recorded(wellkept: Repository, tmp_path: Path) -> None:
    rows.a_settled_run(wellkept.store)
    target = tmp_path / "copy.db"

    answered = wellkept("db", "backup", str(target))

    assert answered.code == 0
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    with sqlite3.connect(target) as copy:
        assert copy.execute("SELECT count(*) FROM host_outcomes").fetchone() == (3,)
    entry = wellkept.store.read(lambda c: list(log.entries(c, "installation")))[-1].content
    assert entry["action"] == "database.backed_up"
    assert str(entry["sha256"]) in answered.out
    assert list(tmp_path.glob(".copy.db*")) == []


def test_a_backup_overwrites_nothing(wellkept: Repository, tmp_path: Path) -> None:
    target = tmp_path / "copy.db"
    target.write_text("mine")

    answered = wellkept("db", "backup", str(target))

    assert answered.code == 2
    assert target.read_text() == "mine"


def test_a_backup_into_a_folder_that_is_not_there_is_said(wellkept: Repository, tmp_path: Path) -> None:
    answered = wellkept("db", "backup", str(tmp_path / "nowhere" / "copy.db"))

    assert answered.code == 4
    assert "could not be made" in answered.err


def test_postgresql_is_told_its_own_tool_without_the_password() -> None:
    with pytest.raises(UsageError, match="pg_dump") as told:
        back_up("postgresql://ana:secret@db.example.com/wellkept", Path("x.dump"))

    assert "postgresql://ana@db.example.com/wellkept" in str(told.value)
    assert "secret" not in str(told.value)
