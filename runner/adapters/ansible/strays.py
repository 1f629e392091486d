"""Processes of pieces that nobody owns any more, found by their marks from any process of ours (the third line)."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Collection, Mapping
from pathlib import Path

from runner.adapters.ansible import leash as below_us
from runner.adapters.ansible.feeder import BOOT_ID, LEASH, OWNER_FILE, bury, environ_of
from runner.adapters.ansible.leash import Found, Process
from runner.ports import Strays

MARKER = b"WELLKEPT_PIECE="
PRIVATE = b"WELLKEPT_PRIVATE="
TITLE_OF_MASTER = "ssh: "


def end_strays(live: Collection[tuple[str, int]]) -> Strays:
    """End every process on this machine whose piece and fence are not live, forsaken leashes and ssh masters; then remove their private folders."""
    owned, private, sessions = frozenset(live), set[Path](), set[int]()

    def look(known: set[tuple[int, str]]) -> Found:
        table = {pid: each for pid, each in below_us.read_processes().items() if is_here(pid)}
        spared = ancestors(table, os.getpid())
        seeds = {
            pid: each
            for pid, each in table.items()
            if pid not in spared and ((pid, each.start) in known or is_stray(each, table, owned))
        }
        found = {
            pid: each for pid, each in {**seeds, **below_us.below(table, seeds)}.items() if not is_owned(pid, owned)
        }
        private.update(private_folders(found))
        sessions.update(process.session for process in found.values())
        return below_us.sort_out(found, table, known)

    swept = below_us.sweep(look, between=lambda: bury(sessions))
    if not swept.left and not swept.working:
        for folder in private:
            shutil.rmtree(folder, ignore_errors=True)
    return Strays(ended=swept.ended, left=(*swept.left, *swept.working))


def is_here(pid: int) -> bool:
    """Whether a process is in our own pid namespace: what runs in a container or on a test host is somebody else's, even with our mark."""
    try:
        return os.readlink(f"/proc/{pid}/ns/pid") == os.readlink("/proc/self/ns/pid")  # noqa: PTH115
    except OSError:
        return False


def ancestors(table: Mapping[int, Process], pid: int) -> set[int]:
    """A process and everything above it: Wellkept itself may have been started by a playbook."""
    found: set[int] = set()
    while pid in table and pid not in found:
        found.add(pid)
        pid = table[pid].parent
    return found


def is_stray(process: Process, table: Mapping[int, Process], live: frozenset[tuple[str, int]]) -> bool:
    """Whether nobody owns this process: a piece that is not live, a leash without its feeder, or a master without the run's owner."""
    if process.is_dead:
        return False
    piece = piece_of(process.pid)
    if piece is not None:
        return piece not in live
    return is_forsaken_leash(process.pid, table) or is_forsaken_master(process.pid, table)


def is_owned(pid: int, live: frozenset[tuple[str, int]]) -> bool:
    """Whether a process belongs to a live piece."""
    return piece_of(pid) in live


def piece_of(pid: int) -> tuple[str, int] | None:
    """The piece and fence that a process is marked with; None without a mark, and for a leash, which serves many pieces."""
    value = next((word.removeprefix(MARKER) for word in environ_of(pid) if word.startswith(MARKER)), b"")
    piece, _, fence = value.decode("utf-8", "replace").rpartition(":")
    return (piece, int(fence)) if piece and fence.isdigit() else None


def private_folders(found: Mapping[int, Process]) -> set[Path]:
    """The folders with secrets that these processes name."""
    words = (word for pid in found for word in environ_of(pid) if word.startswith(PRIVATE))
    return {Path(os.fsdecode(word.removeprefix(PRIVATE))) for word in words}


def is_forsaken_leash(pid: int, table: Mapping[int, Process]) -> bool:
    """Whether this is a leash whose feeder is gone; one that runs leaves by itself, but one that was stopped cannot."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    if len(words) < 7 or not words[3].endswith(os.fsencode(Path(*LEASH.parts[-2:]))):  # noqa: PLR2004  python -I -S leash.py PATH PID START
        return False
    return not is_alive(words[5].decode(), words[6].decode(), table)


def is_forsaken_master(pid: int, table: Mapping[int, Process]) -> bool:
    """Whether this is an ssh master of a run whose feeder is gone, as the word in its control path says."""
    words = below_us.title(pid)
    if not (words.startswith(TITLE_OF_MASTER) and words.endswith(" [mux]")):
        return False
    word = Path(words.removeprefix(TITLE_OF_MASTER).removesuffix(" [mux]")).parent / OWNER_FILE
    with contextlib.suppress(OSError, ValueError):
        feeder, start, boot = word.read_text(encoding="utf-8").split()
        return boot != BOOT_ID.read_text(encoding="utf-8").strip() or not is_alive(feeder, start, table)
    return False


def is_alive(pid: str, start: str, table: Mapping[int, Process]) -> bool:
    """Whether that very process still lives."""
    process = table.get(int(pid)) if pid.isdigit() else None
    return process is not None and process.start == start and not process.is_dead
