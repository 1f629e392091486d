"""What the tests of the lab share: the lab itself, Ansible, a plain user, and a look for what is left over."""

import ctypes
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.lab import Lab
from tests.lab.fixtures import fresh_lab, lab
from tests.lab.processes import descendants

__all__ = ["fresh_lab", "lab"]

CHECKOUT = Path(__file__).resolve().parents[2]
SYSTEM_PYTHON = "/usr/bin/python3"  # a plain user may not be able to read the Python that runs the tests
PR_SET_CHILD_SUBREAPER, PR_GET_CHILD_SUBREAPER = 36, 37
RECAP = re.compile(r"^(\S+)\s+: ok=(\d+)\s+changed=(\d+)\s+unreachable=(\d+)\s+failed=(\d+)", re.MULTILINE)


@pytest.fixture(autouse=True)
def orphans_are_not_ours() -> Iterator[None]:
    """Other tests make this process a sub-reaper; then a host's last zombies would wait for us to bury them, and the host with them."""
    libc, was = ctypes.CDLL(None), ctypes.c_int()
    libc.prctl(PR_GET_CHILD_SUBREAPER, ctypes.byref(was), 0, 0, 0)
    libc.prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)
    yield
    libc.prctl(PR_SET_CHILD_SUBREAPER, was.value, 0, 0, 0)


@dataclass(frozen=True)
class Played:
    """How a play ended for each host: changed, failed, unreachable or ok."""

    ended: dict[str, str]
    output: str


@pytest.fixture(scope="session")
def play(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Played]]:
    """Run a play of `tasks` (YAML text) on hosts of a lab with the real ansible-playbook."""
    place = tmp_path_factory.mktemp("ansible")
    sockets = tempfile.mkdtemp(prefix="lab-", dir="/tmp")  # the path of an ssh control socket must be short

    def run(inventory: Path, tasks: str, *, limit: str = "all", seconds: int = 10) -> Played:
        playbook = place / "play.yml"
        playbook.write_text(f"- hosts: all\n  gather_facts: false\n  tasks:\n{tasks}")
        command = [
            str(Path(sys.executable).with_name("ansible-playbook")),
            "-i",
            str(inventory),
            "--limit",
            limit,
            str(playbook),
        ]
        environment = {
            **os.environ,
            "ANSIBLE_HOME": str(place),
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_PIPELINING": "1",
            "ANSIBLE_SSH_CONTROL_PATH_DIR": sockets,
            "ANSIBLE_TIMEOUT": str(seconds),
        }
        answer = subprocess.run(command, check=False, capture_output=True, text=True, env=environment, timeout=120)
        return Played(ended=dict(_ends(answer.stdout)), output=answer.stdout + answer.stderr)

    yield run
    shutil.rmtree(sockets)


def _ends(output: str) -> Iterator[tuple[str, str]]:
    for host, _, *counts in RECAP.findall(output):
        changed, unreachable, failed = map(int, counts)
        yield host, "unreachable" if unreachable else "failed" if failed else "changed" if changed else "ok"


@dataclass(frozen=True)
class PlainUser:
    """Somebody who is not root, with a home and a copy of the lab's program of their own."""

    home: Path
    prefix: tuple[str, ...]
    program: Path

    def lab(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the lab's program as this user."""
        command = [*self.prefix, SYSTEM_PYTHON, "-m", "tests.lab", *arguments]
        environment = {**os.environ, "HOME": str(self.home), "PYTHONDONTWRITEBYTECODE": "1"}
        return subprocess.run(
            command, check=False, capture_output=True, text=True, cwd=self.program, env=environment, timeout=60
        )


@pytest.fixture
def plain_user() -> Iterator[PlainUser]:
    """A plain user: whoever runs the tests, or for root a user who exists only below this fixture's commands."""
    place = Path(tempfile.mkdtemp(prefix="lab-user-", dir="/tmp"))
    place.chmod(0o755)
    shutil.copytree(CHECKOUT / "tests/lab", place / "program/tests/lab", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(CHECKOUT / "tests/__init__.py", place / "program/tests")
    (place / "home").mkdir()
    prefix = _become_a_plain_user(place) if os.geteuid() == 0 else ()
    yield PlainUser(home=place / "home", prefix=prefix, program=place / "program")
    shutil.rmtree(place)


def _become_a_plain_user(place: Path) -> tuple[str, ...]:
    """Commands in front of another that give it a user id, and a view of /etc/passwd in which that user exists."""
    number = 64321
    passwd = place / "passwd"
    passwd.write_text(f"{Path('/etc/passwd').read_text()}lab-user:x:{number}:{number}::{place}/home:/bin/sh\n")
    passwd.chmod(0o644)
    os.chown(place / "home", number, number)
    subprocess.run(["chmod", "-R", "a+rX", str(place / "program")], check=True)
    script = 'mount --bind "$0" /etc/passwd && exec "$@"'
    become = ["setpriv", f"--reuid={number}", f"--regid={number}", "--clear-groups"]
    return ("unshare", "--mount", "sh", "-c", script, str(passwd), *become)


@dataclass(frozen=True)
class Remains:
    """Every process that a lab had at one moment, told apart from later ones with the same number."""

    processes: frozenset[tuple[int, str]]

    @classmethod
    def of(cls, guard: int) -> "Remains":
        """The processes of the lab below `guard`."""
        return cls(frozenset((pid, began) for pid in (guard, *descendants(guard)) if (began := _began(pid))))

    def left(self) -> list[int]:
        """Those that still live; waits a while for the last ones to go."""
        deadline = time.monotonic() + 20
        while left := [pid for pid, began in self.processes if _began(pid) == began]:
            if time.monotonic() > deadline:
                break
            time.sleep(0.05)
        return left


def _began(pid: int) -> str:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] == "Z" else fields[19]


def processes_of(lab: Lab) -> Remains:
    """Every process of a lab that is up."""
    guard = lab.status()["guard"]
    assert isinstance(guard, int)
    return Remains.of(guard)
