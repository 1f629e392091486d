"""The same hosts for a plain user, and plain SSH servers where nothing better can be had."""

import os
import signal
import subprocess

import pytest

from tests.lab import Lab, LabError, Mode, Wishes
from tests.lab_hosts.conftest import processes_of

pytestmark = pytest.mark.lab

UPGRADE_AND_REBOOT = """    - ansible.builtin.apt: {upgrade: dist, update_cache: true}
    - ansible.builtin.reboot: {search_paths: [/usr/local/sbin], reboot_timeout: 60}
"""


def test_a_plain_user_has_hosts_that_are_patched_rebooted_and_run_full(plain_user, play):
    folder = plain_user.home / "lab"
    wishes = ["--hosts", "web-01,db-01", "--with", "db-01=labbig", "--small", "db-01=12"]

    up = plain_user.lab("up", str(folder), *wishes)
    assert up.returncode == 0, up.stderr
    lab = Lab.open(folder)
    remains = processes_of(lab)
    before = plain_user.lab("run", str(folder), "web-01", "--", "cat", "/proc/sys/kernel/random/boot_id").stdout
    played = play(folder / "inventory.yml", UPGRADE_AND_REBOOT)
    after = plain_user.lab("run", str(folder), "web-01", "--", "cat", "/proc/sys/kernel/random/boot_id").stdout
    version = plain_user.lab("run", str(folder), "web-01", "--", "cat", "/opt/labapp/VERSION").stdout
    down = plain_user.lab("down", str(folder))

    assert lab.mode is Mode.USER
    assert played.ended == {"web-01": "changed", "db-01": "failed"}, played.output
    assert "No space left on device" in played.output
    assert version == "1.1\n"
    assert before != after != ""
    assert down.returncode == 0
    assert remains.left() == []
    assert not folder.exists()


def test_nothing_of_a_plain_users_lab_is_left_after_its_supervisor_is_killed(plain_user, play):
    folder = plain_user.home / "lab"
    plain_user.lab("up", str(folder), "-n", "1")
    lab = Lab.open(folder)
    play(
        folder / "inventory.yml", "    - ansible.builtin.ping:\n"
    )  # leaves ssh connections that have their own sessions
    remains = processes_of(lab)

    os.kill(lab.status()["supervisor"], signal.SIGKILL)

    assert remains.left() == []


def test_plain_hosts_answer_ansible_and_say_what_they_cannot_do(tmp_path, play):
    with Lab.up(tmp_path / "lab", Wishes(names=("web-01", "db-01"), plain=True)) as lab:
        remains = processes_of(lab)
        played = play(lab.inventory, "    - ansible.builtin.ping:\n    - ansible.builtin.apt: {upgrade: dist}\n")
        lab.break_host("db-01", "refuse")
        refused = subprocess.run(lab.ssh("db-01", "true"), check=False, capture_output=True, text=True)
        lab.heal()
        healed = subprocess.run(lab.ssh("db-01", "pwd"), check=False, capture_output=True, text=True)
        with pytest.raises(LabError, match="root of its own"):
            lab.break_host("web-01", "hold-lock")

    assert lab.mode is Mode.PLAIN
    assert "without packages of their own, patches or reboots" in lab.notice
    assert "ok: [web-01]" in played.output
    assert "ok: [db-01]" in played.output
    assert played.ended == {"web-01": "failed", "db-01": "failed"}
    assert "Connection refused" in refused.stderr
    assert healed.stdout == f"{lab.folder}/hosts/db-01/home\n"
    assert remains.left() == []
