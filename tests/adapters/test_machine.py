from __future__ import annotations

import os
from pathlib import Path

import pytest

from runner.adapters.machine import Machine
from runner.adapters.processes import control_folder
from runner.domain.execution.look import read_look
from runner.domain.execution.own_ansible import AnsibleSettings
from runner.errors import Unknown, WellkeptError


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path, environ={"PATH": os.environ["PATH"], "HOME": str(tmp_path)})


def test_a_program_is_found_with_its_version(machine: Machine) -> None:
    found = machine.program("git")

    assert found is not None
    assert found.path.endswith("/git")
    assert found.version.count(".") >= 1


def test_ssh_tells_its_version_in_its_own_way(machine: Machine) -> None:
    found = machine.program("ssh")

    assert found is not None
    assert found.version


def test_a_program_in_the_users_own_folder_comes_first(machine: Machine, tmp_path: Path) -> None:
    own = tmp_path / "bin" / "git"
    own.parent.mkdir()
    own.write_text("#!/bin/sh\necho git version 99.1.2\n")
    own.chmod(0o755)

    found = machine.program("git", folder="bin")

    assert found is not None
    assert (found.path, found.version) == (str(own), "99.1.2")


def test_a_program_that_is_not_there_is_none(machine: Machine) -> None:
    assert machine.program("no-such-program") is None


def test_an_ansible_that_was_installed_with_us_is_found_without_a_path(tmp_path: Path) -> None:
    bare = Machine(tmp_path, environ={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)})

    assert bare.program("ansible-playbook") is not None


def test_a_folder_tells_its_rights_and_space(machine: Machine, tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    closed = machine.folder(tmp_path)
    tmp_path.chmod(0o750)
    opened = machine.folder(tmp_path)

    assert closed is not None
    assert opened is not None
    assert closed.ours
    assert not closed.open_to_others
    assert opened.open_to_others
    assert closed.free_bytes > 0
    assert machine.folder(tmp_path / "nowhere") is None


def test_the_path_of_sockets_always_fits_however_long_the_state_folder_is(machine: Machine, tmp_path: Path) -> None:
    long = tmp_path / ("x" * 200)

    left = [machine.control_path_left(folder) for folder in (tmp_path, long)]

    control_folder(long, "0" * 36).parent.rmdir()  # it lies below /tmp, where paths are short
    assert min(left) >= 0


def test_the_users_configuration_is_the_one_that_ansible_would_find(machine: Machine, tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    nothing = machine.ansible_configuration(AnsibleSettings())
    (tmp_path / "ansible.cfg").touch()
    (tmp_path / "other.cfg").touch()

    assert nothing in {None, Path("/etc/ansible/ansible.cfg")}
    assert machine.ansible_configuration(AnsibleSettings()) == tmp_path / "ansible.cfg"
    assert machine.ansible_configuration(AnsibleSettings(config="other.cfg")) == tmp_path / "other.cfg"


def test_this_machine_can_be_looked_at(machine: Machine) -> None:
    how, why = machine.way("here", {"ansible_connection": "local"})
    look = read_look(machine.look("here", {"ansible_connection": "local"}))

    assert (how, why) == ("on this very machine", "its connection is local")
    assert look.kernel == os.uname().release


def test_a_host_that_is_not_reached_over_ssh_is_said(machine: Machine) -> None:
    with pytest.raises(Unknown, match="winrm"):
        machine.way("windows", {"ansible_connection": "winrm"})


def test_a_host_that_does_not_answer_is_said(machine: Machine) -> None:
    with pytest.raises(WellkeptError):
        machine.look("away", {"ansible_host": "127.0.0.1", "ansible_port": 1})
