"""However a lab ends, nothing of it is left: no process, no file."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.lab import Lab, LabError, Wishes
from tests.lab.__main__ import main
from tests.lab.start import start
from tests.lab_hosts.conftest import CHECKOUT, Remains, processes_of

pytestmark = pytest.mark.lab

ONE_HOST = Wishes(names=("web-01",))


def wait_until_gone(folder):
    deadline = time.monotonic() + 20
    while folder.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    return not folder.exists()


def test_nothing_is_left_after_down(tmp_path):
    lab = Lab.up(tmp_path / "lab", ONE_HOST)
    session = subprocess.Popen(lab.ssh("web-01", "sleep 300"), stderr=subprocess.DEVNULL)
    remains = processes_of(lab)

    lab.down()

    assert remains.left() == []
    assert not (tmp_path / "lab").exists()
    assert str(tmp_path) not in Path("/proc/mounts").read_text()
    assert session.wait(10) == 255


@pytest.mark.parametrize("victim", ["supervisor", "guard"])
def test_nothing_is_left_after_one_of_its_own_processes_is_killed(tmp_path, victim):
    lab = Lab.up(tmp_path / "lab", ONE_HOST)
    remains = processes_of(lab)

    os.kill(lab.status()[victim], signal.SIGKILL)

    assert remains.left() == []
    assert wait_until_gone(tmp_path / "lab")


def test_no_process_is_left_after_both_are_killed_and_the_folder_can_be_used_again(tmp_path):
    lab = Lab.up(tmp_path / "lab", ONE_HOST)
    remains = processes_of(lab)
    both = [lab.status()["supervisor"], lab.status()["guard"]]

    for pid in both:
        os.kill(pid, signal.SIGKILL)

    assert remains.left() == []
    with Lab.up(tmp_path / "lab", ONE_HOST) as again:
        assert again.run("web-01", ["hostname"]).stdout == "web-01\n"
    assert not (tmp_path / "lab").exists()


def test_nothing_is_left_after_its_owner_is_killed(tmp_path):
    program = (
        "import pathlib, sys, time; from tests.lab import Lab, Wishes\n"
        "lab = Lab.up(pathlib.Path(sys.argv[1]), Wishes(names=('web-01',)))\n"
        "print(lab.status()['guard'], flush=True); time.sleep(300)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path / "lab")], stdout=subprocess.PIPE, cwd=CHECKOUT
    ) as owner:
        remains = Remains.of(int(owner.stdout.readline()))

        owner.kill()

    assert remains.left() == []
    assert wait_until_gone(tmp_path / "lab")


def test_a_lab_started_from_a_shell_outlives_the_command_and_is_told_down(tmp_path, capsys):
    folder = str(tmp_path / "lab")
    command = [sys.executable, "-m", "tests.lab", "up", folder, "-n", "1"]
    subprocess.run(command, check=True, cwd=CHECKOUT, stdout=subprocess.DEVNULL)

    ran = main(["run", folder, "web-01", "--", "hostname"])
    again = main(["up", folder])
    ended = main(["down", folder])

    told = capsys.readouterr()
    assert (ran, again, ended) == (0, 1, 0)
    assert told.out.startswith("web-01\n")
    assert "this lab is up already; end it with: python -m tests.lab down" in told.err
    assert not (tmp_path / "lab").exists()


def test_a_shell_can_name_the_owner(tmp_path):
    with subprocess.Popen(["sleep", "300"]) as owner:
        command = [sys.executable, "-m", "tests.lab", "up", str(tmp_path / "lab"), "-n", "1", "--owner", str(owner.pid)]
        subprocess.run(command, check=True, cwd=CHECKOUT, stdout=subprocess.DEVNULL)
        remains = processes_of(Lab.open(tmp_path / "lab"))

        owner.kill()

    assert remains.left() == []


def test_a_lab_keeps_out_of_a_folder_with_other_files(tmp_path):
    (tmp_path / "thesis.txt").write_text("the only copy")

    with pytest.raises(LabError, match="is not empty and holds no lab"):
        Lab.up(tmp_path, ONE_HOST)

    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize(
    ("wishes", "owner", "words"),
    [
        (ONE_HOST, 2**22, "no such process"),
        (Wishes(names=("web-01",), extras={"web-01": ["nginx"]}), None, "no package to choose 'nginx'"),
        (Wishes(names=("web-01",), offer="2.0"), None, "no version '2.0'"),
    ],
)
def test_a_lab_that_cannot_start_leaves_nothing(tmp_path, wishes, owner, words):
    with pytest.raises(LabError, match=words):
        Lab.up(tmp_path / "lab", wishes, owner=owner)

    assert not (tmp_path / "lab").exists()


def test_a_port_that_is_taken_is_named(tmp_path):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        port = other.getsockname()[1]

        with pytest.raises(LabError, match=f"port {port}: Address already in use; give another --port"):
            Lab.up(tmp_path / "lab", Wishes(names=("web-01",), first_port=port))

    assert not (tmp_path / "lab").exists()


def test_a_host_that_cannot_boot_is_given_up_with_its_last_words(tmp_path):
    with Lab.up(tmp_path / "lab", ONE_HOST) as lab:
        (lab.folder / "hosts/web-01/root/proc").rmdir()

        lab.break_host("web-01", "crash")

        with pytest.raises(LabError, match=r"web-01 was given up: mount: .*/root/proc: mount point does not exist"):
            lab.wait_up("web-01")


def test_a_lab_is_told_down_while_it_is_still_coming_up(tmp_path):
    plan = start(tmp_path / "lab", ONE_HOST, owner=os.getpid())

    Lab(tmp_path / "lab", plan).down()

    assert not (tmp_path / "lab").exists()
