"""Our end of a run's leash: starts it, feeds it, hears it; and does its work when it is gone or silent (the second line)."""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from runner.adapters.ansible import processes
from runner.adapters.ansible.containers import remove_container
from runner.adapters.ansible.processes import Found, Process, Swept
from runner.adapters.processes import make_private

LEASH = Path(processes.__file__).with_name("leash.py")
SILENT = 8.0  # seconds without a beat after which the leash counts as dead; it beats every second
START_ALLOWANCE = 15.0  # seconds of life that starting a piece stands for
OWNER_FILE = ".wellkept"  # in the control path: whose masters these are
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@dataclass(slots=True)
class Heard:
    """What the leash told about the piece that is going on."""

    started: int | None = None
    exited: bool = False
    exit_code: int | None = None
    swept: Swept | None = None
    why: str = ""
    lost: str = ""
    problem: str = ""


@dataclass(slots=True)
class Marks:
    """What tells the processes of one leash from all others: the markers of its pieces, its control path, pids and sessions seen, and names of containers."""

    control_path: Path
    markers: set[bytes] = field(default_factory=set)
    sessions: set[int] = field(default_factory=set)
    containers: set[str] = field(default_factory=set)


class LeashLine:
    """The line to one leash; not more than one piece is going on below it at a time."""

    def __init__(self, *, control_path: Path, monotonic: Callable[[], float]) -> None:
        """Start the leash."""
        self.heard = Heard()
        self._control_path, self._monotonic = control_path, monotonic
        self._marks = Marks(control_path)
        self._writing, self._hearing = threading.Lock(), threading.RLock()
        self._private: Path | None = None
        self._container: list[str] = []
        self._partial = b""
        self._gone: bool | None = None
        own(control_path)
        self._process = start_leash(control_path)
        self._last_heard = monotonic()
        self.feed(START_ALLOWANCE)

    @property
    def is_over(self) -> bool:
        """Whether the leash has ended, or was ended."""
        return self._gone is not None

    @property
    def is_busy(self) -> bool:
        """Whether a piece is going on."""
        return self.heard.started is not None and self.heard.swept is None and not self.is_over

    @property
    def pid(self) -> int:
        """The leash's process id."""
        return self._process.pid

    def feed(self, seconds: float) -> None:
        """Tell the leash that its owner is alive for that many more seconds."""
        self._tell(f"alive {seconds:g} {processes.boottime():.3f}")

    def run(self, order: Mapping[str, object], *, marker: str, private: Path, container: Sequence[str] = ()) -> None:
        """Have an executor started; what is heard from now on is about it. `container` is how its container is removed, if it has one."""
        self.heard = Heard()
        self._private = private
        self._container = list(container)
        self._marks.markers.add(f"WELLKEPT_PIECE={marker}".encode())
        self.feed(START_ALLOWANCE)
        self._marks.containers.update(container[-1:])
        self._tell("run " + json.dumps({**order, "container": list(container)}))

    def end(self) -> None:
        """Have the piece ended: TERM, then KILL."""
        self._tell("end")

    def _tell(self, line: str) -> None:
        with self._writing, contextlib.suppress(OSError, ValueError):  # a leash that is gone is noticed by listening
            assert self._process.stdin is not None  # noqa: S101
            os.write(self._process.stdin.fileno(), line.encode() + b"\n")

    def listen(self, wait: float) -> None:
        """Hear what the leash says, waiting up to `wait` seconds for it to say something; do its work when it is dead."""
        with self._hearing:
            if self.is_over:
                return
            assert self._process.stdout is not None  # noqa: S101
            if select.select([self._process.stdout], [], [], max(0.0, wait))[0]:
                self._last_heard = self._monotonic()
                self._hear(os.read(self._process.stdout.fileno(), 65536))
            elif self._monotonic() - self._last_heard > SILENT:
                self._second_line("the leash was silent")

    def _hear(self, said: bytes) -> None:
        if not said:
            self._second_line("the leash was killed")
            return
        *lines, self._partial = (self._partial + said).split(b"\n")
        for line in lines:
            self._understand(json.loads(line))

    def _understand(self, message: dict[str, object]) -> None:
        word = message.pop("say")
        if word == "started":
            self.heard.started = int(str(message["pid"]))
        elif word == "exited":
            code = message.get("rc")
            self.heard.exited, self.heard.exit_code = True, code if isinstance(code, int) else None
            self.heard.problem = str(message.get("problem", ""))
        elif word == "swept":
            self.heard.why = str(message.pop("why"))
            self.heard.swept = Swept(**{key: pairs(value) for key, value in message.items()})  # type: ignore[arg-type]
        elif word == "gone":
            self._close(left=bool(message["left"] or message["working"]), why=str(message["why"]))

    def _close(self, *, left: bool, why: str) -> None:
        self._process.wait()
        self._gone = not left
        if self.heard.swept is None:
            self.heard.lost = why

    def _second_line(self, why: str) -> None:
        """The leash is dead: what hung on it is ours now, by kernel and by duty."""
        self._process.kill()
        self._process.wait()
        swept = sweep_for(self._marks, executor=self.heard.started)
        if self.heard.swept is None:
            swept.left.extend(remove_container(self._container, between=lambda: None))
        if self._private:
            shutil.rmtree(self._private, ignore_errors=True)
        self._gone = not swept.left and not swept.working
        if self.heard.swept is None:
            self.heard.lost, self.heard.swept = why, swept

    def quit(self, *, wait: float = 20.0) -> bool:
        """Close ssh masters and the leash; True when nothing is left of it."""
        if not self.is_over:
            close_masters(self._control_path)
            self._tell("quit")
        until = self._monotonic() + wait
        while not self.is_over and self._monotonic() < until:
            self.listen(0.5)
        if not self.is_over:
            with self._hearing:
                self._second_line("the leash did not quit")
        disown(self._control_path)
        for stream in (self._process.stdin, self._process.stdout):
            if stream:
                with contextlib.suppress(OSError):
                    stream.close()
        return bool(self._gone)


def pairs(value: object) -> object:
    """Processes as (pid, title), as JSON gives them back."""
    return [(int(pid), str(title)) for pid, title in value] if isinstance(value, list) else value


def start_leash(control_path: Path) -> subprocess.Popen[bytes]:
    """A new leash in a session of its own; we adopt what it may lose."""
    processes.become_subreaper()
    us = processes.read_process(os.getpid())
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", str(LEASH), str(control_path), str(os.getpid()), us.start if us else ""],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        bufsize=0,
        start_new_session=True,
    )
    assert process.stdin is not None  # noqa: S101
    os.set_blocking(process.stdin.fileno(), False)  # a stopped leash must not stop its feeder
    return process


def own(control_path: Path) -> None:
    """Make the run's control path ours alone, and leave word whose it is."""
    make_private(control_path)
    control_path.chmod(0o700)
    us = processes.read_process(os.getpid())
    (control_path / OWNER_FILE).write_text(f"{os.getpid()} {us.start if us else ''} {BOOT_ID.read_text().strip()}\n")


def disown(control_path: Path) -> None:
    """Remove what we made in a control path, and the folder itself when it is empty then; masters that ended with their container left dead sockets."""
    with contextlib.suppress(OSError):
        for socket in [path for path in control_path.iterdir() if path.is_socket()]:
            socket.unlink(missing_ok=True)
        (control_path / OWNER_FILE).unlink(missing_ok=True)
        control_path.rmdir()


def close_masters(control_path: Path) -> None:
    """Ask every ssh master of a control path to leave, ten at a time; what does not is ended by the leash."""
    try:
        sockets = [path for path in control_path.iterdir() if path.is_socket()]
    except OSError:
        return
    for start in range(0, len(sockets), 10):
        asked = [ask_to_exit(socket) for socket in sockets[start : start + 10]]
        for process in filter(None, asked):
            try:
                process.wait(timeout=3)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def ask_to_exit(socket: Path) -> subprocess.Popen[bytes] | None:
    """`ssh -O exit` for one master; None where there is no ssh."""
    argv = ["ssh", "-F", "/dev/null", "-O", "exit", "-o", f"ControlPath={str(socket).replace('%', '%%')}", "master"]
    try:
        return subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    except OSError:
        return None


def environ_of(pid: int) -> list[bytes]:
    """A process's environment as it was started with; empty where it cannot be read."""
    try:
        return Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return []


def belongs(process: Process, marks: Marks) -> bool:
    """Whether a process is marked as one of a dead leash's, watches over a container of it, or is an ssh master of its run."""
    if not marks.markers.isdisjoint(environ_of(process.pid)):
        return True
    words = processes.title(process.pid) if marks.containers else ""
    return any(name in words for name in marks.containers) or processes.is_master(process.pid, str(marks.control_path))


def sweep_for(marks: Marks, *, executor: int | None) -> Swept:
    """End what a dead leash left below us, and nothing else: other leashes and other children of ours are left alone."""
    us = os.getpid()
    if executor is not None:
        marks.sessions.add(executor)

    def look(known: set[tuple[int, str]]) -> Found:
        table = processes.read_processes()
        ours = processes.below(table, {us})
        seeds = {pid: each for pid, each in ours.items() if (pid, each.start) in known or belongs(each, marks)}
        found = {**seeds, **{pid: each for pid, each in processes.below(table, seeds).items() if pid in ours}}
        marks.sessions.update(process.session for process in found.values())
        return processes.sort_out(found, table, known)

    return processes.sweep(look, between=lambda: bury(marks.sessions))


def bury(sessions: Iterable[int]) -> None:
    """Take the exit status of dead orphans of these sessions; never that of another child, which somebody here may be waiting for."""
    us, known = os.getpid(), set(sessions)
    for process in processes.read_processes().values():
        if process.parent == us and process.is_dead and process.session in known:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(process.pid, os.WNOHANG)
