"""Keeps everything that is started below it killable: `python -I -S leash.py CONTROL_PATH FEEDER_PID FEEDER_START`.

Stand-alone on purpose: standard library only, one file, one thread, Linux only, all code loaded at the start (so that an upgrade of the package
cannot break a run that is going on). It is a child sub-reaper, hence everything below it stays below it, whatever calls setsid() or loses its parent.

    stdin   alive SECONDS SENT   the feeder lives; everything ends when nothing newer comes within SECONDS of SENT (CLOCK_BOOTTIME: it counts suspended time)
            run JSON             start one executor: {"argv": [...], "env": {...}, "log": path, "private": folder to remove afterwards}
            end                  end the piece that is going on, but not the ssh masters
            quit                 end everything and leave; end of file means the same
    stdout  JSON lines: ready, started, exited, swept, beat (once a second), gone

The exit status is 0 when nothing is left below it. Two things are never ended: a package manager at work (it would leave half-installed packages)
together with what it runs and what reads its output; and a daemon that the playbook started on purpose. Both are named in the `swept` message.
"""
# ruff: noqa: PTH115, PTH123, PTH208  (pathlib is not loaded: this process has to be small and quick)

from __future__ import annotations

import ctypes
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from types import FrameType
from typing import NamedTuple

GRACE = 3.0  # seconds from TERM to KILL
PATIENCE = 7.0  # seconds after which a sweep gives up on what cannot be ended
BEAT = 1.0
SILENCE = 15.0  # seconds until the first sign of life is due
PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
PACKAGE_MANAGERS = frozenset(
    ("apt", "apt-get", "aptitude", "dpkg", "unattended-upgr", "dnf", "dnf5", "yum", "rpm", "zypper", "pacman", "apk")
)
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
        while above and above.pid not in working and "ansible-playbook" not in title(above.pid):
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
    hard = late or (bool(found.working) and "ansible-playbook" in title(process.pid))
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


class Piece(NamedTuple):
    """The executor that is going on, and the folder that must not outlive it."""

    executor: subprocess.Popen[bytes]
    private: str


class Leash:
    """Watches its feeder and everything below itself."""

    def __init__(self, *, control_path: str) -> None:
        """Keep ssh masters below `control_path` from piece to piece."""
        self._control_path = control_path
        self._until = boottime() + SILENCE
        self._piece: Piece | None = None
        self._heard = b""
        self._outbox = bytearray()
        self._next_beat = 0.0
        self._why = ""

    def watch(self) -> int:
        """Serve until the feeder quits, falls silent or is gone; 0 when nothing is left below."""
        woken = wake_on_signals()
        os.set_blocking(1, False)  # a feeder that does not read must not stop us
        self._say("ready", pid=os.getpid())
        while not self._why:
            self._wait(woken)
            self._reap()
            self._settle_piece()
            if boottime() > self._until:
                self._why = self._why or "silence"
        return self._leave()

    def _wait(self, woken: int) -> None:
        self._beat()
        pause = min(BEAT, max(0.01, self._until - boottime()))
        readable, _, _ = select.select([0, woken], [1] if self._outbox else [], [], pause)
        if woken in readable and {signal.SIGTERM, signal.SIGINT} & set(os.read(woken, 4096)):
            self._why = "signal"
        if 0 in readable:
            self._listen(os.read(0, 65536))
        self._flush()

    def _listen(self, heard: bytes) -> None:
        if not heard:
            self._why = "end of file"
        *lines, self._heard = (self._heard + heard).split(b"\n")
        for line in lines:
            word, _, rest = line.decode().partition(" ")
            if word == "alive":
                seconds, sent = rest.split()
                self._until = float(sent) + float(seconds)
            elif word == "run":
                self._start(json.loads(rest))
            elif word == "end" and self._piece:
                self._end_piece(self._piece)
            elif word == "quit":
                self._why = "quit"

    def _start(self, order: dict[str, object]) -> None:
        private = str(order["private"])
        try:
            self._piece = Piece(launch(order), private)
        except OSError as error:
            self._say("exited", rc=127, problem=str(error))
            self._tell_swept("not started", private)
            return
        self._say("started", pid=self._piece.executor.pid)

    def _settle_piece(self) -> None:
        if self._piece and self._piece.executor.returncode is not None:
            piece, self._piece = self._piece, None
            self._say("exited", rc=piece.executor.returncode)
            self._tell_swept("piece over", piece.private)

    def _end_piece(self, piece: Piece) -> None:
        swept = self._sweep(keep_masters=True)
        if piece.executor.returncode is None:  # not even KILL ended it
            self._say("swept", why="end", **swept._asdict())

    def _tell_swept(self, why: str, private: str) -> None:
        swept = self._sweep(keep_masters=True)
        shutil.rmtree(private, ignore_errors=True)
        self._say("swept", why=why, **swept._asdict())

    def _look(self, known: set[tuple[int, str]], *, keep_masters: bool) -> Found:
        table = read_processes()
        found = below(table, {os.getpid()})
        if keep_masters:
            found = {pid: process for pid, process in found.items() if not is_master(pid, self._control_path)}
        return sort_out(found, table, known)

    def _sweep(self, *, keep_masters: bool) -> Swept:
        swept = sweep(lambda known: self._look(known, keep_masters=keep_masters), between=self._between)
        self._reap()
        return swept

    def _between(self) -> None:
        self._reap()
        self._beat()

    def _leave(self) -> int:
        if self._piece:
            self._sweep(keep_masters=bool(self._control_path))  # masters last: their sessions are over then
            self._reap()
            self._say("exited", rc=self._piece.executor.returncode)
            self._tell_swept(self._why, self._piece.private)
        swept = self._sweep(keep_masters=False)
        self._say("gone", why=self._why, left=swept.left, working=swept.working)
        select.select([], [1], [], 0.5)
        self._flush()
        return 3 if swept.left or swept.working else 0

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if not pid:
                return
            if self._piece and pid == self._piece.executor.pid:
                self._piece.executor.returncode = os.waitstatus_to_exitcode(status)

    def _beat(self) -> None:
        now = time.monotonic()
        if now >= self._next_beat:
            self._next_beat = now + BEAT
            if not self._outbox:  # beats that nobody reads are not kept
                self._say("beat")

    def _say(self, word: str, **more: object) -> None:
        self._outbox += json.dumps({"say": word, **more}).encode() + b"\n"
        self._flush()

    def _flush(self) -> None:
        try:
            while self._outbox:
                del self._outbox[: os.write(1, self._outbox)]
        except BlockingIOError:
            return
        except OSError:
            self._outbox.clear()  # the feeder is gone; there is still work to do


def wake_on_signals() -> int:
    """Have signals wake a `select`; the descriptor to read them from."""

    def note(_number: int, _frame: FrameType | None) -> None:
        """The number arrives through the wake-up descriptor."""

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD):
        signal.signal(number, note)
    for number in (signal.SIGHUP, signal.SIGPIPE):
        signal.signal(number, signal.SIG_IGN)
    readable, writable = os.pipe()
    os.set_blocking(readable, False)
    os.set_blocking(writable, False)
    signal.set_wakeup_fd(writable, warn_on_full_buffer=False)
    return readable


def launch(order: dict[str, object]) -> subprocess.Popen[bytes]:
    """Start an executor in a session of its own that dies with us."""
    leash, libc = os.getpid(), ctypes.CDLL(None, use_errno=True)

    def die_with_leash() -> None:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)  # tied to this thread, and there is no other
        if os.getppid() != leash:
            os._exit(127)

    argv, env, log = order["argv"], order["env"], order["log"]
    assert isinstance(argv, list)  # noqa: S101
    assert isinstance(env, dict)  # noqa: S101
    descriptor = os.open(str(log), os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        return subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=descriptor,
            stderr=descriptor,
            env={**os.environ, **env},
            start_new_session=True,
            preexec_fn=die_with_leash,  # noqa: PLW1509  one thread only
        )
    finally:
        os.close(descriptor)


def main() -> int:
    """Watch until the end."""
    become_subreaper()
    return Leash(control_path=sys.argv[1]).watch()


if __name__ == "__main__":
    sys.exit(main())
