"""Faults that hosts can be given: each does to a caller what its name says, and heals."""

import errno
import os
import socket
import subprocess

import pytest

from tests.lab import LabError

pytestmark = pytest.mark.lab

PING = "    - ansible.builtin.ping:\n"
INSTALL = "    - ansible.builtin.apt: {upgrade: dist, lock_timeout: 1}\n"


def ssh(lab, host, *command):
    return subprocess.run(lab.ssh(host, *command), check=False, capture_output=True, text=True, timeout=30)


@pytest.fixture
def healed(lab):
    """The lab, healed afterwards."""
    yield lab
    lab.heal()


def test_ssh_reaches_every_host_with_its_key_checked(lab):
    names = [ssh(lab, host, "hostname").stdout.strip() for host in lab.hosts]

    assert names == list(lab.hosts)


def test_a_hung_host_is_unreachable_and_comes_back(healed, play):
    healed.break_host("web-01", "hang")

    hung = play(healed.inventory, PING, limit="web-01", seconds=2)
    healed.break_host("web-01", "resume")
    resumed = play(healed.inventory, PING, limit="web-01")

    assert hung.ended == {"web-01": "unreachable"}
    assert resumed.ended == {"web-01": "ok"}


def test_a_host_that_hangs_freezes_connections_that_are_open_already(healed):
    with subprocess.Popen(
        [*healed.ssh("web-01"), "echo before; read line; echo $line"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as session:
        assert session.stdout.readline() == b"before\n"
        healed.break_host("web-01", "hang")
        session.stdin.write(b"after\n")
        session.stdin.flush()
        os.set_blocking(session.stdout.fileno(), False)
        with pytest.raises(subprocess.TimeoutExpired):
            session.wait(1)
        heard_while_hung = session.stdout.read()
        os.set_blocking(session.stdout.fileno(), True)

        healed.break_host("web-01", "resume")

        assert heard_while_hung is None
        assert session.stdout.readline() == b"after\n"


def test_a_crashed_host_boots_again_with_a_new_boot_id(healed):
    before = ssh(healed, "web-02", "cat /proc/sys/kernel/random/boot_id").stdout

    healed.break_host("web-02", "crash")
    refused = ssh(healed, "web-02", "true")
    healed.wait_up("web-02")

    assert "Connection refused" in refused.stderr
    assert ssh(healed, "web-02", "cat /proc/sys/kernel/random/boot_id").stdout not in ("", before)


def test_a_refusing_host_refuses_until_healed_and_nobody_else_can_take_its_port(healed):
    healed.break_host("web-01", "refuse")

    refused = ssh(healed, "web-01", "true")
    with socket.socket() as thief, pytest.raises(OSError, match="in use") as taken:
        thief.bind(("127.0.0.1", healed.port("web-01")))
    healed.heal("web-01")

    assert "Connection refused" in refused.stderr
    assert taken.value.errno == errno.EADDRINUSE
    assert ssh(healed, "web-01", "true").returncode == 0


def test_a_host_with_another_key_is_not_trusted(healed):
    healed.break_host("db-01", "new-host-key")
    healed.wait_up("db-01")

    distrusted = ssh(healed, "db-01", "true")
    healed.heal("db-01")

    assert "Host key verification failed" in distrusted.stderr
    assert ssh(healed, "db-01", "true").returncode == 0


def test_a_held_package_lock_keeps_ansible_out(healed, play):
    healed.reset("db-01")
    healed.run("db-01", ["apt-get", "update"])
    healed.break_host("db-01", "hold-lock")

    locked = play(healed.inventory, INSTALL, limit="db-01")

    assert locked.ended == {"db-01": "failed"}
    assert "lock" in locked.output
    healed.heal("db-01")
    assert healed.run("db-01", ["apt-get", "-y", "dist-upgrade"]).returncode == 0


def test_a_broken_repository_fails_the_update_of_the_index(healed):
    healed.break_host("web-01", "break-repository")

    broken = healed.run("web-01", ["apt-get", "update"])
    healed.heal("web-01")

    assert broken.returncode == 100
    assert "Failed to fetch file:/srv/repo/gone" in broken.stderr
    assert healed.run("web-01", ["apt-get", "update"]).returncode == 0


def test_a_host_that_lets_nobody_in_refuses_the_right_key_until_healed(healed):
    healed.break_host("web-01", "refuse-login")

    refused = ssh(healed, "web-01", "true")
    healed.heal("web-01")

    assert "Permission denied (publickey)" in refused.stderr
    assert ssh(healed, "web-01", "true").returncode == 0


def test_a_host_that_stays_down_boots_again_only_when_healed(healed):
    healed.break_host("web-02", "stay-down")

    healed.run("web-02", ["shutdown", "-r", "now"])
    wait_until_down(healed, "web-02")
    with pytest.raises(LabError, match="did not come up"):
        healed.wait_up("web-02", seconds=2)
    healed.heal("web-02")

    assert ssh(healed, "web-02", "true").returncode == 0


def wait_until_down(lab, host):
    while ssh(lab, host, "true").returncode == 0:
        pass


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ("silence-repository", "Could not connect to 127.0.0.1:9"),
        ("misspell-source", "Type 'dob' is not known"),
        ("unsign-repository", "is not signed"),
        ("stranger-signs", "is not signed"),
        ("expire-signature", "is not signed"),
        ("break-dns", "Temporary failure resolving 'mirror.example.invalid'"),
    ],
)
def test_a_source_of_packages_with_a_fault_is_told_by_apt_and_heals(healed, fault, says):
    healed.break_host("web-01", fault)

    broken = healed.run("web-01", ["apt-get", "update", "--error-on=any"])
    healed.heal("web-01")

    assert broken.returncode == 100
    assert says in broken.stderr
    assert healed.run("web-01", ["apt-get", "update", "--error-on=any"]).returncode == 0


def test_a_broken_service_does_not_start_until_healed(healed):
    healed.break_host("web-01", "break-service")

    broken = healed.run("web-01", ["service", "labsvc", "restart"])
    healed.heal("web-01")

    assert (broken.returncode, "cannot bind" in broken.stderr) == (1, True)
    assert healed.run("web-01", ["service", "labsvc", "restart"]).returncode == 0


def test_only_a_small_disk_can_be_filled(lab):
    with pytest.raises(LabError, match="--small web-01=40"):
        lab.break_host("web-01", "fill-disk")


def test_an_unknown_fault_or_host_is_refused_with_the_known_ones(lab):
    with pytest.raises(LabError, match="no fault 'fire'; there are hang, "):
        lab.break_host("web-01", "fire")
    with pytest.raises(LabError, match="no host 'web-09'; the lab has web-01, "):
        lab.break_host("web-09", "hang")
