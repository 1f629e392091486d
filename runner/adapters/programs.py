"""Runs a program without a shell, within a time and a size, and ends all of it when it goes over."""

from __future__ import annotations

import contextlib
import os
import re
import selectors
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import IO

MIB = 1024 * 1024
VERSION = re.compile(r"\d+(?:\.\d+)+")
VERSION_WITHIN = 60.0  # seconds
_LINGER = 0.3  # seconds that a program's own children may keep its output open after it has ended


@dataclass(frozen=True, slots=True)
class Ran:
    """What a program said and how it ended; `cut` says in words why it was ended by us, and is empty otherwise."""

    exit_code: int
    stdout: str
    stderr: str
    cut: str = ""

    @property
    def succeeded(self) -> bool:
        """Whether it ended by itself with exit code 0."""
        return self.exit_code == 0 and not self.cut

    @property
    def words(self) -> str:
        """One line for people: why it was ended, or the last thing it said."""
        said = [line.strip() for line in (self.stderr.strip() or self.stdout.strip()).splitlines() if line.strip()]
        return self.cut or (said[-1] if said else f"it ended with code {self.exit_code} and said nothing")


def run_program(
    argv: Sequence[str],
    *,
    environ: Mapping[str, str],
    time_limit: float,
    cwd: Path | None = None,
    message: bytes = b"",
    most_bytes: int = 256 * MIB,
    undecodable: str = "replace",
    pass_on: Collection[int] = (),
) -> Ran:
    """Run `argv` with `message` on its standard input; after `time_limit` seconds or `most_bytes` of output it and its children are killed.

    `undecodable` says what becomes of bytes that are not UTF-8, in the words of Python's codecs; `pass_on` are file descriptors that it gets from us.
    Raises OSError when the program cannot be started.
    """
    with tempfile.TemporaryFile() as stdin:
        stdin.write(message)
        stdin.seek(0)
        process = subprocess.Popen(
            argv,
            cwd=cwd,
            env=dict(environ),
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            pass_fds=tuple(pass_on),
        )
    reading = _Reading(process, deadline=time.monotonic() + time_limit, most_bytes=most_bytes)
    try:
        cut = reading.run()
        if cut:
            _kill_all(process)
        exit_code = process.wait()
    except BaseException:
        _kill_all(process)
        process.wait()
        raise
    finally:
        reading.close()
    told = {
        "": "",
        "time": f"it did not end within {time_limit:g} s",
        "size": f"it wrote more than {most_bytes} bytes",
    }[cut]
    return Ran(exit_code, reading.text(process.stdout, undecodable), reading.text(process.stderr, undecodable), told)


def own_programs_last(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment with our own folder of programs last on PATH, for an Ansible that was installed together with Wellkept."""
    path = [environ.get("PATH", os.defpath), str(Path(sys.executable).parent)]
    return {**environ, "PATH": os.pathsep.join(path)}


class _Reading:
    """Reads both outputs of a process until they close, or until time or size is used up."""

    def __init__(self, process: subprocess.Popen[bytes], *, deadline: float, most_bytes: int) -> None:
        self.process = process
        self.deadline = deadline
        self.left = most_bytes
        self.selector = selectors.DefaultSelector()
        self.parts: dict[IO[bytes] | None, list[bytes]] = {process.stdout: [], process.stderr: []}
        for stream, parts in self.parts.items():
            if stream is not None:
                self.selector.register(stream, selectors.EVENT_READ, parts)

    def run(self) -> str:
        """Read to the end; gives `time` or `size` when that came first."""
        while self.selector.get_map() and self.left >= 0:
            remaining = self.deadline - time.monotonic()
            if remaining <= 0:
                return "time"
            ready = self.selector.select(min(remaining, _LINGER))
            if not ready and self.process.poll() is not None:
                break
            for key, _ in ready:
                self._read(key)
        return "size" if self.left < 0 else self._wait()

    def _wait(self) -> str:
        try:
            self.process.wait(max(0.0, self.deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            return "time"
        return ""

    def _read(self, key: selectors.SelectorKey) -> None:
        piece = os.read(key.fd, 65536)
        if not piece:
            self.selector.unregister(key.fileobj)
            return
        self.left -= len(piece)
        key.data.append(piece)

    def text(self, stream: IO[bytes] | None, undecodable: str) -> str:
        return b"".join(self.parts[stream]).decode("utf-8", errors=undecodable)

    def close(self) -> None:
        self.selector.close()
        for stream in self.parts:
            if stream is not None:
                stream.close()


def _kill_all(process: subprocess.Popen[bytes]) -> None:
    """Kill the process and everything in its session's group; it leads one of its own."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


def ansible_version(*, project: Path, folder: str | None, environ: Mapping[str, str]) -> str:
    """The version of the user's ansible-playbook, asked once for as long as the program stays the same; empty when it tells none."""
    own = own_programs_last(environ)
    path = own.get("PATH", "")
    found = shutil.which("ansible-playbook", path=f"{project / folder}{os.pathsep}{path}" if folder else path)
    try:
        return program_version(found, environ=own) if found else ""
    except LookupError:
        return ""


def program_version(program: str, *, environ: Mapping[str, str]) -> str:
    """The version that a program tells with --version, asked once for as long as it stays the same; raises LookupError while it tells none."""
    return _told_version(program, Path(program).stat().st_mtime_ns, tuple(sorted(environ.items())))


@lru_cache(maxsize=16)
def _told_version(program: str, _changed: int, environ: tuple[tuple[str, str], ...]) -> str:
    """As above; only an answer is remembered, for a machine may just be too busy to give one."""
    try:
        ran = run_program([program, "--version"], environ=dict(environ), time_limit=VERSION_WITHIN)
    except OSError as error:
        raise LookupError(str(error)) from error
    told = VERSION.search(ran.stdout) if ran.succeeded else None
    if told is None:
        raise LookupError(ran.words)
    return told[0]
