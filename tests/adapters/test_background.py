"""A process that outlives the command that started it, and the versions that are recorded."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from runner.adapters.background import python_path, start_detached
from runner.adapters.versions import installed, versions


def ended(pid: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def test_it_runs_in_a_session_of_its_own_and_its_words_are_kept_from_others(tmp_path: Path) -> None:
    log = tmp_path / "runs" / "1" / "executor.log"

    pid = start_detached(["--version"], log=log)
    session = os.getsid(pid)

    assert session == pid
    assert ended(pid) == 0
    assert log.read_text().startswith("wellkept ")
    assert log.stat().st_mode & 0o777 == 0o600
    assert log.parent.stat().st_mode & 0o777 == 0o700


def test_a_later_one_adds_to_the_same_words(tmp_path: Path) -> None:
    log = tmp_path / "executor.log"

    for _ in range(2):
        ended(start_detached(["--version"], log=log))

    assert len(log.read_text().splitlines()) == 2


def test_the_package_is_found_from_a_checkout_too(monkeypatch: pytest.MonkeyPatch) -> None:
    own = str(Path(__file__).parents[2])
    monkeypatch.delenv("PYTHONPATH", raising=False)
    bare = python_path()
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")

    assert bare == own
    assert python_path() == f"{own}:/elsewhere"


def test_the_versions_of_everything_that_bears_on_a_run_are_known() -> None:
    found = versions()

    assert set(found) == {"wellkept", "python", "ansible_core", "ansible_runner", "tzdata"}
    assert all(found.values())


def test_a_distribution_that_is_not_there_has_no_version() -> None:
    assert installed("no-such-distribution-anywhere") == ""
