"""Processes of this machine as the tests of whole runs see them: what belongs to a maintenance repository, and what is left of it."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

from runner.adapters.processes import control_folder

PRIVATE = b"WELLKEPT_PRIVATE="


def until(true: Callable[[], object], *, seconds: float = 60, what: str = "") -> None:
    """Wait until something is true; fails when it has not become so in time."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {what or true}"
        time.sleep(0.1)


def is_alive(pid: int) -> bool:
    """Whether a process lives, and is no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def of_repository(root: Path) -> dict[int, str]:
    """Processes of a maintenance repository: those that name its folder or its ssh sockets, and those that carry the mark of one of its pieces."""
    found = {}
    names = (os.fsencode(root), os.fsencode(control_folder(root / "var", "run").parent))
    for pid in (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()):
        words = read(pid, "cmdline").replace(b"\0", b" ")
        if pid != os.getpid() and is_alive(pid) and (any(name in words for name in names) or is_marked(pid, root)):
            found[pid] = words.decode(errors="replace").strip()
    return found


def of_pieces(root: Path) -> dict[int, str]:
    """Only the processes that carry the mark of a piece of this repository."""
    return {pid: words for pid, words in of_repository(root).items() if is_marked(pid, root)}


def is_marked(pid: int, root: Path) -> bool:
    """Whether a process carries the mark of a piece of this repository."""
    return any(
        word.startswith(PRIVATE + os.fsencode(root)) for word in read(pid, "environ").split(b"\0") if PRIVATE in word
    )


def read(pid: int, name: str) -> bytes:
    """A file of /proc/PID; nothing when the process is gone or hidden."""
    try:
        return Path(f"/proc/{pid}/{name}").read_bytes()
    except OSError:
        return b""


def end_all(root: Path) -> None:
    """End whatever is left of a maintenance repository, so that a test that failed leaves nothing behind."""
    for pid in of_repository(root):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
