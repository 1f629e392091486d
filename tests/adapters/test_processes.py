"""Who we are, who acts, and whether an owner of work is gone."""

from __future__ import annotations

import os
import pwd
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from runner.adapters import processes
from runner.adapters.processes import (
    LONGEST_FOLDER,
    control_folder,
    is_gone,
    login_actor,
    private_folder,
    start_time,
    this_process,
)
from runner.domain.who import SYSTEM, Actor
from runner.errors import UsageError


def test_this_process_is_not_gone() -> None:
    assert not is_gone(this_process())


def test_another_process_with_our_pid_was_somebody_else() -> None:
    assert is_gone(replace(this_process(), started="1"))


def test_whatever_ran_before_the_machine_was_started_again_is_gone() -> None:
    assert is_gone(replace(this_process(), boot_id="another boot"))


def test_what_runs_in_another_container_cannot_be_known_to_be_gone() -> None:
    assert not is_gone(replace(this_process(), pid_namespace="pid:[1]", started="1"))


def test_a_process_that_ended_is_gone_even_while_nobody_has_asked_how() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    owner = replace(this_process(), pid=child.pid, started=start_time(child.pid) or "")
    alive = not is_gone(owner)

    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # it is a zombie now
    gone_as_zombie = is_gone(owner)
    child.communicate()

    assert alive
    assert gone_as_zombie
    assert is_gone(owner)


@pytest.fixture
def no_login(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "logged_in_as", lambda: "")


@pytest.mark.usefixtures("no_login")
def test_the_actor_is_the_user_and_not_what_the_environment_says() -> None:
    assert login_actor({"LOGNAME": "mallory", "USER": "mallory"}).name == pwd.getpwuid(os.getuid()).pw_name


@pytest.mark.usefixtures("no_login")
def test_under_sudo_the_actor_is_who_called_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)

    assert login_actor({"SUDO_USER": "ana"}) == Actor("ana")


@pytest.mark.usefixtures("no_login")
def test_somebody_who_is_not_root_cannot_claim_to_have_used_sudo(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)

    assert login_actor({"SUDO_USER": "ana"}).name != "ana"


@pytest.mark.usefixtures("no_login")
def test_a_user_without_a_name_is_told_by_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 54321)
    monkeypatch.setattr(os, "getuid", lambda: 54321)

    assert login_actor({}).name == "54321"


def test_people_and_the_system_are_told_apart() -> None:
    assert (str(Actor("ana")), Actor("ana").kind) == ("ana", "person")
    assert SYSTEM.kind == "system"


def test_a_run_always_has_the_same_short_folder_for_its_sockets(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 90)
    run = "0199aaaa-bbbb-7ccc-8ddd-eeeeffff0000"

    near, far = control_folder(Path("/var/lib/w"), run), control_folder(deep, run)

    assert near == Path("/var/lib/w/cp/eeeeffff0000")
    assert far == control_folder(deep, run)
    assert len(os.fsencode(far)) <= LONGEST_FOLDER
    assert far.parent.stat().st_mode & 0o777 == 0o700
    far.parent.rmdir()


def test_a_folder_that_others_may_open_is_refused(tmp_path: Path) -> None:
    (tmp_path / "open").mkdir(mode=0o755)

    with pytest.raises(UsageError, match="open to others"):
        private_folder(tmp_path / "open")


def test_a_link_in_its_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir(mode=0o700)
    (tmp_path / "link").symlink_to(tmp_path / "real")

    with pytest.raises(UsageError):
        private_folder(tmp_path / "link")


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Path]]:
    """Two short places of our own instead of those that everybody shares."""
    with tempfile.TemporaryDirectory(prefix="wk-", dir="/tmp") as folder:
        found = [Path(folder, "a"), Path(folder, "b")]
        for place in found:
            place.mkdir()
        monkeypatch.setattr(processes, "SHORT_PLACES", tuple(map(str, found)))
        yield found


RUN = "0199aaaa-bbbb-7ccc-8ddd-eeeeffff0000"


def test_where_the_temporary_folder_is_deep_as_well_the_sockets_have_a_short_place(
    tmp_path: Path, places: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / ("t" * 90)))

    found = control_folder(tmp_path / ("d" * 90), RUN)

    assert found.is_relative_to(places[0])
    assert len(os.fsencode(found)) <= LONGEST_FOLDER
    assert found.parent.stat().st_mode & 0o777 == 0o700


def test_a_place_that_somebody_took_first_is_passed_over(tmp_path: Path, places: list[Path]) -> None:
    deep = tmp_path / ("d" * 90)
    taken = control_folder(deep, RUN).parent
    taken.chmod(0o755)

    found = control_folder(deep, RUN)

    assert found.is_relative_to(places[1])


def test_where_no_short_place_is_ours_it_is_told_before_anything_is_touched(tmp_path: Path, places: list[Path]) -> None:
    deep = tmp_path / ("d" * 90)
    for _ in places:
        control_folder(deep, RUN).parent.chmod(0o755)

    with pytest.raises(UsageError, match="state_dir"):
        control_folder(deep, RUN)
