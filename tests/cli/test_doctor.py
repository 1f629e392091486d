from __future__ import annotations

import os
import pwd
import shutil
from pathlib import Path

import pytest

from tests.cli import rows
from tests.cli.conftest import Repository


def examined(wellkept: Repository, *arguments: str) -> dict[str, dict[str, str]]:
    found = wellkept("doctor", *arguments, "--format", "json").json()["examined"]
    return {each["what"]: each for each in found}


def test_a_healthy_repository_has_nothing_in_the_way(wellkept: Repository) -> None:
    answered = wellkept("doctor")

    assert answered.code == 0
    assert "PROBLEM" not in answered.out
    assert "ansible-core" in answered.out
    assert "inventory production 3 hosts" in answered.out
    assert "Nothing is in the way." in answered.out
    assert "Start it: wellkept serve" in answered.out


def test_a_living_daemon_is_no_warning(wellkept: Repository) -> None:
    rows.a_daemon(wellkept.store)

    assert examined(wellkept)["daemon"]["standing"] == "ok"


def test_each_problem_has_its_way_out_and_the_rest_is_looked_at_all_the_same(bare: Repository) -> None:
    bare.write("hosts.ini", "[web\n")
    bare.write("schedules/patch.yml", "schedule: [\n")

    found = examined(bare)
    answered = bare("doctor")

    assert found["files"]["standing"] == "problem"
    assert "wellkept validate" in found["files"]["way_out"]
    assert found["inventory production"]["standing"] == "problem"
    assert found["database"]["standing"] == "problem"
    assert "wellkept db upgrade" in found["database"]["found"] + found["state folder"]["way_out"]
    assert found["Python"]["standing"] == "ok"
    assert answered.code == 1


def test_what_lies_in_the_home_of_another_than_the_schedulers_user_is_named(
    wellkept: Repository, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in (".ansible/roles/web/tasks/main.yml", ".ssh/config"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).touch()
    me = pwd.getpwuid(os.geteuid())
    at_tmp = pwd.struct_passwd([*me[:5], str(tmp_path), me[6]])
    scheduler = pwd.struct_passwd(["scheduler", *me[1:]])
    known = [at_tmp, me, me, at_tmp, me, scheduler]  # the home, who we are, who owns the state folder; twice

    monkeypatch.setattr(pwd, "getpwuid", lambda _uid: known.pop(0))
    ours, anothers = (examined(wellkept)["home folder"] for _ in range(2))

    assert (ours["standing"], ours["found"]) == ("ok", f"used in that of {me.pw_name}: ~/.ansible/roles, ~/.ssh/config")
    assert anothers["standing"] == "warning"
    assert "belongs to scheduler: ~/.ansible/roles, ~/.ssh/config" in anothers["found"]
    assert "sudo -u scheduler wellkept doctor" in anothers["way_out"]


def test_programs_that_are_missing_are_named(
    wellkept: Repository, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    found = examined(wellkept)

    assert found["ssh"]["standing"] == "problem"
    assert "openssh-client" in found["ssh"]["way_out"]
    assert found["git"]["standing"] == "warning"


def test_a_state_folder_that_is_open_to_others_is_a_warning(wellkept: Repository) -> None:
    (wellkept.root / "var").chmod(0o755)

    found = examined(wellkept)

    assert found["state folder"]["standing"] == "warning"
    assert "chmod 700" in found["state folder"]["way_out"]


def test_a_signing_key_that_others_may_read_is_a_problem(wellkept: Repository) -> None:
    wellkept("record", "checkpoint")
    wellkept("tickets", "open", "x")
    wellkept("record", "checkpoint")
    (wellkept.root / "var/signing.key").chmod(0o644)

    assert examined(wellkept)["signing key"]["standing"] == "problem"


def test_the_users_own_ansible_cfg_is_named_with_what_is_added(wellkept: Repository) -> None:
    wellkept.write("ansible.cfg", "[ssh_connection]\nssh_args = -o ControlPersist=30m\n")

    answered = wellkept("doctor")

    assert str(wellkept.root / "ansible.cfg") in answered.out
    assert "ControlPersist=30m" in answered.out


def test_one_host_is_reached_as_a_run_would_reach_it(wellkept: Repository) -> None:
    answered = wellkept("doctor", "web1")

    assert answered.code == 0
    assert "its connection is local" in answered.out
    assert "login" in answered.out
    assert "kernel" in answered.out


def test_a_host_that_cannot_be_reached_is_a_problem_in_words(wellkept: Repository) -> None:
    wellkept.write("hosts.ini", "[web]\nweb1 ansible_host=127.0.0.1 ansible_port=1 ansible_user=nobody\n")

    answered = wellkept("doctor", "web1")

    assert answered.code == 1
    assert "nobody@127.0.0.1 port 1 by" in answered.out
    assert "PROBLEM  login" in answered.out


def test_a_host_that_no_inventory_has_is_an_error_in_words(wellkept: Repository) -> None:
    answered = wellkept("doctor", "web9")

    assert answered.code == 2
    assert "web9" in answered.err


def test_a_unit_for_the_service_is_printed_and_nothing_else(wellkept: Repository) -> None:
    answered = wellkept("doctor", "--systemd")

    assert answered.code == 0
    assert answered.out.startswith("# Written by `wellkept doctor --systemd`")
    assert f"-C {wellkept.root} serve\n" in answered.out
    assert "WatchdogSec=" in answered.out


SECRETS = """
secrets:
  vault: {default: {file: vault}}
  become: {web: {env: WEB_BECOME}}
  login: {all: {file: login}}
"""


@pytest.fixture
def with_secrets(wellkept: Repository, monkeypatch: pytest.MonkeyPatch) -> Repository:
    """Three secrets that can be found."""
    wellkept.write("wellkept.yml", (wellkept.root / "wellkept.yml").read_text() + SECRETS)
    for name in ("vault", "login"):
        wellkept.write(name, "hunter2")
        (wellkept.root / name).chmod(0o600)
    monkeypatch.setenv("WEB_BECOME", "hunter2")
    return wellkept


def test_each_secret_that_can_be_found_is_well_and_stays_unsaid(with_secrets: Repository) -> None:
    answered = with_secrets("doctor")

    assert {"secret vault.default", "secret become.web", "secret login.all"} <= {
        line[9:29].strip() for line in answered.out.splitlines()
    }
    assert "hunter2" not in answered.out + answered.err
    assert answered.code == 0


def test_a_secret_that_this_user_cannot_find_is_a_problem_with_the_way_out(
    with_secrets: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("WEB_BECOME")

    found = examined(with_secrets)["secret become.web"]

    assert found["standing"] == "problem"
    assert "not found by this user" in found["found"]
    assert "secrets.become.web: the environment variable WEB_BECOME is not set" in found["found"]


def test_a_secret_in_a_file_that_everybody_may_read_is_a_warning(with_secrets: Repository) -> None:
    (with_secrets.root / "login").chmod(0o644)

    found = examined(with_secrets)["secret login.all"]

    assert (found["standing"], found["found"]) == ("warning", "found, but everybody may read login")
    assert "chmod 600" in found["way_out"]


@pytest.mark.parametrize(("version", "needed"), [("2.18.6", True), ("2.19.0", False)])
def test_an_ansible_that_logs_in_by_sshpass_needs_it(
    with_secrets: Repository, tmp_path: Path, version: str, needed: bool
) -> None:
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "ansible-playbook").write_text(f"#!/bin/sh\necho 'ansible-playbook [core {version}]'\n")
    (programs / "ansible-playbook").chmod(0o755)
    settings = (with_secrets.root / "wellkept.yml").read_text()
    with_secrets.write("wellkept.yml", f"{settings}ansible: {{bin: {programs}}}\n")

    found = examined(with_secrets)

    assert ("sshpass" in found) == (needed and shutil.which("sshpass") is None)


def test_an_ansible_that_is_told_to_log_in_by_sshpass_needs_it(
    with_secrets: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANSIBLE_SSH_PASSWORD_MECHANISM", "sshpass")

    found = examined(with_secrets)

    assert ("sshpass" in found) == (shutil.which("sshpass") is None)
