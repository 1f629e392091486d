"""The process table, and how to end a family of processes without ending what must go on; standard library only.

The leash, the feeder behind it and the search for strays all end processes in this one way: TERM, then KILL, each to exactly the process that was seen.
Two things are never ended: a package manager at work (it would leave half-installed packages) together with what it runs and what reads its output; and a
daemon that a playbook started on purpose.
"""
# ruff: noqa: PTH115, PTH123, PTH208  (pathlib is not loaded: the leash has to be small and quick)

from __future__ import annotations

import ctypes
import os
import signal
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

GRACE = 3.0  # seconds from TERM to KILL
PATIENCE = 7.0  # seconds after which a sweep gives up on what cannot be ended
PR_SET_CHILD_SUBREAPER = 36
PACKAGE_MANAGERS = frozenset(
    ("apt", "apt-get", "aptitude", "dpkg", "unattended-upgr", "dnf", "dnf5", "yum", "rpm", "zypper", "pacman", "apk")
)
PLAYS = (
    "ansible-playbook",
    "-m ansible playbook",
    "runner.adapters.ansible.executor",
)  # in the titles of whoever runs a playbook
SSH_CLIENTS = frozenset(("ssh", "sshpass", "scp", "sftp"))


class Process(NamedTuple):
    """One line of the process table; pid and start together never come twice while a machine is up."""

    pid: int
    parent: int
    session: int
    start: str
    state: str
    name: str

    @property
    def is_dead(self) -> bool:
        """Whether only its exit status is left."""
        return self.state in "ZX"


class Swept(NamedTuple):
    """What a sweep did: processes ended, those that could not be, package managers left to finish, daemons left alone; (pid, title) each."""

    ended: int
    left: list[tuple[int, str]]
    working: list[tuple[int, str]]
    spared: list[tuple[int, str]]


class Found(NamedTuple):
    """What a look at the process table found: what is to be ended, and what is not."""

    targets: dict[int, Process]
    working: dict[int, Process]
    spared: dict[int, Process]


def boottime() -> float:
    """Seconds since the machine came up, suspended time included."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def become_subreaper() -> None:
    """Adopt whatever below this process loses its parent."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def read_process(pid: int) -> Process | None:
    """The process table's line of `pid`; None when there is none."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            head, _, tail = file.read().rpartition(")")
    except OSError:
        return None
    fields = tail.split()
    return Process(pid, int(fields[1]), int(fields[3]), fields[19], fields[0], head.partition("(")[2])


def read_processes() -> dict[int, Process]:
    """The process table, by pid."""
    numbers = (int(name) for name in os.listdir("/proc") if name.isdigit())
    return {process.pid: process for process in map(read_process, numbers) if process}


def below(table: Mapping[int, Process], roots: Mapping[int, object] | set[int]) -> dict[int, Process]:
    """Every descendant of the roots, without the roots themselves."""
    children: dict[int, list[Process]] = {}
    for process in table.values():
        children.setdefault(process.parent, []).append(process)
    found: dict[int, Process] = {}
    todo = list(roots)
    while todo:
        for child in children.get(todo.pop(), ()):
            if child.pid not in found and child.pid not in roots:
                found[child.pid] = child
                todo.append(child.pid)
    return found


def title(pid: int) -> str:
    """The command line as it is now, words separated by spaces; empty for a zombie."""
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return file.read(4096).replace(b"\0", b" ").decode("utf-8", "replace").strip()
    except OSError:
        return ""


def named(processes: Mapping[int, Process]) -> list[tuple[int, str]]:
    """Processes as (pid, title), for people; never more of a command line than 120 characters."""
    return [(pid, (title(pid) or process.name)[:120]) for pid, process in sorted(processes.items())]


def is_master(pid: int, control_path: str) -> bool:
    """Whether this is an OpenSSH connection master of that control path; its title is `ssh: SOCKET [mux]`, its environment is lost to the title."""
    words = title(pid)
    return bool(control_path) and words.startswith(f"ssh: {control_path}/") and words.endswith("[mux]")


def plays(pid: int) -> bool:
    """Whether a process is Ansible itself or one of its workers, and not what a task started."""
    words = title(pid)
    return any(part in words for part in PLAYS)


def is_detached(process: Process, table: Mapping[int, Process]) -> bool:
    """Whether a process without a parent of its own is a daemon: no session above it, no pipe or terminal, and neither Ansible's nor ssh's.

    A command whose Ansible module was killed still has the module's pipes, and so is told apart.
    """
    if process.session in table and process.session != process.pid:
        return False
    if process.name in SSH_CLIENTS or "ansible" in title(process.pid).lower():
        return False
    return not any(is_connected(process.pid, number) for number in (0, 1, 2))


def is_connected(pid: int, number: int) -> bool:
    """Whether a file descriptor leads to somebody else: a pipe, a socket or a terminal."""
    try:
        where = os.readlink(f"/proc/{pid}/fd/{number}")
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return where.startswith(("pipe:", "socket:", "/dev/pts/", "/dev/tty"))


def at_work(found: Mapping[int, Process], table: Mapping[int, Process]) -> dict[int, Process]:
    """Package managers among `found`, what they run, and what reads their output (up to Ansible's own processes)."""
    managers = {
        pid: process for pid, process in found.items() if process.name in PACKAGE_MANAGERS and not process.is_dead
    }
    working = {**managers, **below(table, managers)} if managers else {}
    for manager in managers.values():
        above = found.get(manager.parent)
        while above and above.pid not in working and not plays(above.pid):
            working[above.pid] = above
            above = found.get(above.parent)
    return working


def sort_out(found: Mapping[int, Process], table: Mapping[int, Process], known: set[tuple[int, str]]) -> Found:
    """Part what is to be ended from package managers at work and from daemons; what was `known` as a target stays one."""
    working = at_work(found, table)
    orphans = [
        process
        for process in found.values()
        if process.parent not in found and (process.pid, process.start) not in known
    ]
    daemons = {process.pid: process for process in orphans if not process.is_dead and is_detached(process, table)}
    spared = (
        {**daemons, **{pid: process for pid, process in below(table, daemons).items() if pid in found}}
        if daemons
        else {}
    )
    targets = {
        pid: each for pid, each in found.items() if not each.is_dead and pid not in working and pid not in spared
    }
    return Found(targets, working, {pid: each for pid, each in spared.items() if pid not in working})


def send(process: Process, number: signal.Signals) -> bool:
    """Signal exactly this process, never one that got its pid later; False when that was not allowed or it is gone."""
    try:
        descriptor = os.pidfd_open(process.pid)
    except OSError:
        return False
    try:
        now = read_process(process.pid)
        if now is None or now.start != process.start:
            return False
        signal.pidfd_send_signal(descriptor, number)
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return True


def signal_for(process: Process, found: Found, *, late: bool) -> signal.Signals:
    """TERM, or KILL after the grace; KILL at once for Ansible's own processes above a package manager, for on TERM they would end it themselves."""
    hard = late or (bool(found.working) and plays(process.pid))
    return signal.SIGKILL if hard else signal.SIGTERM


def sweep(look: Callable[[set[tuple[int, str]]], Found], *, between: Callable[[], None]) -> Swept:
    """TERM each target once, KILL it after a grace, until two looks in a row find none; `between` is called between looks."""
    began, known, ended, calm = time.monotonic(), set[tuple[int, str]](), set[tuple[int, str]](), 0
    while True:
        between()
        found = look(known)
        calm = 0 if found.targets else calm + 1
        passed = time.monotonic() - began
        if calm == 2 or passed > PATIENCE:  # noqa: PLR2004
            return Swept(len(ended), named(found.targets), named(found.working), named(found.spared))
        for process in found.targets.values():
            if passed > GRACE or (process.pid, process.start) not in known:
                known.add((process.pid, process.start))
                if send(process, signal_for(process, found, late=passed > GRACE)):
                    ended.add((process.pid, process.start))
        time.sleep(0.02)
