"""Keeps everything that is started below it killable: `python -I -S leash.py CONTROL_PATH FEEDER_PID FEEDER_START`.

Standard library only, one thread, Linux only, all code loaded at the start (so that an upgrade of the package cannot break a run that is going on).
It is a child sub-reaper, hence everything below it stays below it, whatever calls setsid() or loses its parent.

    stdin   alive SECONDS SENT   the feeder lives; everything ends when nothing newer comes within SECONDS of SENT (CLOCK_BOOTTIME: it counts suspended time)
            run JSON             start one executor: {"argv": [...], "env": {...}, "log": path, "private": folder to remove afterwards,
                                 "container": the command that removes its container, if it has one}
            end                  end the piece that is going on, but not the ssh masters
            quit                 end everything and leave; end of file means the same
    stdout  JSON lines: ready, started, exited, swept, beat (once a second), gone

The exit status is 0 when nothing is left below it; what was left to go on (see processes.py) is named in the `swept` message.
"""

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
from types import FrameType
from typing import NamedTuple

if __name__ == "__main__":  # `-I` leaves the folder of our package out of the path
    sys.path.insert(0, os.path.abspath(os.path.join(os.path.dirname(__file__), *[os.pardir] * 3)))  # noqa: PTH100, PTH118, PTH120

from runner.adapters.ansible.containers import remove_container
from runner.adapters.ansible.processes import (
    Found,
    Swept,
    become_subreaper,
    below,
    boottime,
    is_master,
    read_processes,
    sort_out,
    sweep,
)

BEAT = 1.0
SILENCE = 15.0  # seconds until the first sign of life is due
PR_SET_PDEATHSIG = 1


class Piece(NamedTuple):
    """The executor that is going on, and the folder and the container that must not outlive it."""

    executor: subprocess.Popen[bytes]
    private: str
    container: list[str]


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
        private, container = str(order["private"]), order.get("container") or []
        assert isinstance(container, list)  # noqa: S101
        try:
            self._piece = Piece(launch(order), private, container)
        except OSError as error:
            self._say("exited", rc=127, problem=str(error))
            self._tell_swept("not started", private, [])
            return
        self._say("started", pid=self._piece.executor.pid)

    def _settle_piece(self) -> None:
        if self._piece and self._piece.executor.returncode is not None:
            piece, self._piece = self._piece, None
            self._say("exited", rc=piece.executor.returncode)
            self._tell_swept("piece over", piece.private, piece.container)

    def _end_piece(self, piece: Piece) -> None:
        swept = self._sweep(keep_masters=True)
        if piece.executor.returncode is None:  # not even KILL ended it
            self._say("swept", why="end", **swept._asdict())

    def _tell_swept(self, why: str, private: str, container: list[str]) -> None:
        swept = self._sweep(keep_masters=True)
        swept.left.extend(remove_container(container, between=self._beat))
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
            self._tell_swept(self._why, self._piece.private, self._piece.container)
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
