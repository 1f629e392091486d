"""Processes of pieces that nobody owns any more, found by their marks from any process of ours (the third line)."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from runner.adapters.ansible import processes
from runner.adapters.ansible.feeder import BOOT_ID, LEASH, OWNER_FILE, bury, environ_of
from runner.adapters.ansible.processes import Found, Process
from runner.adapters.ansible.spool import SPOOL
from runner.ports import Stray, Strays

MARKER = b"WELLKEPT_PIECE="
PRIVATE = b"WELLKEPT_PRIVATE="
TITLE_OF_MASTER, END_OF_MASTER = "ssh: ", " [mux]"


def end_strays(live: Callable[[], Collection[tuple[str, int]]], *, home: Path | None = None) -> Strays:
    """End every process on this machine whose piece and fence are not live, forsaken leashes and ssh masters; then remove their private folders.

    With `home`, only pieces whose folder lies below it: another installation on this machine has live pieces that we know nothing of.
    """
    origins, private, sessions = Origins({}), dict[Path, str | None](), set[int]()

    def look(known: set[tuple[int, str]]) -> Found:
        table = processes.read_processes()
        census = Census(frozenset(live()), home)  # asked after the look, never before
        spared = ancestors(table, os.getpid())
        seeds = {
            pid: each
            for pid, each in table.items()
            if pid not in spared and ((pid, each.start) in known or census.is_stray(each, table))
        }
        family = {**seeds, **processes.below(table, seeds)}
        found = {pid: each for pid, each in family.items() if is_here(pid) and not census.is_owned(pid)}
        origins.note(found)
        private.update({folder: origins.of(pid).piece for pid in seeds if (folder := private_folder(pid))})
        sessions.update(process.session for process in found.values())
        return processes.sort_out(found, table, known)

    swept = processes.sweep(look, between=lambda: bury(sessions))
    left = tuple(Stray(pid, title, *origins.of(pid)) for pid, title in (*swept.left, *swept.working))
    remove_private(private, left)
    return Strays(ended=swept.ended, left=left)


def remove_private(folders: Mapping[Path, str | None], left: Collection[Stray]) -> None:
    """Remove the private folders of pieces of which nothing is left."""
    stuck = {stray.piece for stray in left}
    for folder, piece in folders.items():
        if piece not in stuck and None not in stuck:  # one whose piece is not known may need any of them
            shutil.rmtree(folder, ignore_errors=True)


class Origin(NamedTuple):
    """Whose a process is: a piece's, or a run's that is known by its control path; neither when that cannot be told."""

    piece: str | None = None
    control_path: Path | None = None


@dataclass(slots=True)
class Origins:
    """Whose each process is. What was seen once is remembered: a process outlives the parent that told it, and may hide its own environment."""

    known: dict[tuple[int, str], Origin]

    def note(self, family: Mapping[int, Process]) -> None:
        """Remember whose the processes of a family are: the nearest piece's that they or those above them name, else the run's."""
        for process in family.values():
            above = upwards(process, family)
            told = [self.known.get((each.pid, each.start)) or origin_of(each.pid) for each in above]
            named = sorted(filter(None, told), key=lambda origin: origin.piece is None)
            if named:
                self.known[process.pid, process.start] = named[0]

    def of(self, pid: int) -> Origin:
        """Whose a process is that was noted; the last one, when a pid was given again."""
        return next((origin for (each, _), origin in reversed(self.known.items()) if each == pid), Origin())


def upwards(process: Process, family: Mapping[int, Process]) -> Iterator[Process]:
    """A process and those above it in its family, the nearest first."""
    seen: set[int] = set()
    above: Process | None = process
    while above is not None and above.pid not in seen:
        seen.add(above.pid)
        yield above
        above = family.get(above.parent)


def origin_of(pid: int) -> Origin | None:
    """Whose a process says that it is."""
    piece = piece_of(pid)
    if piece is not None:
        return Origin(piece=piece[0])
    leash, master = leash_words(pid), socket_folder(pid)
    folder = Path(os.fsdecode(leash[4])) if leash else master
    return Origin(control_path=folder) if folder else None


@dataclass(frozen=True, slots=True)
class Census:
    """Who is owned, and whom we may ask."""

    live: frozenset[tuple[str, int]]
    home: Path | None

    def is_owned(self, pid: int) -> bool:
        """Whether a process belongs to a live piece."""
        return piece_of(pid) in self.live

    def is_stray(self, process: Process, table: Mapping[int, Process]) -> bool:
        """Whether nobody owns this process: a piece that is not live, a leash without its feeder, or a master without the run's owner."""
        if process.is_dead or not is_ours(process.pid):
            return False
        piece = piece_of(process.pid)
        if piece is not None:
            return piece not in self.live and self._is_at_home(process.pid)
        return is_forsaken_leash(process.pid, table) or is_forsaken_master(process.pid, table)

    def _is_at_home(self, pid: int) -> bool:
        folder = private_folder(pid)
        return self.home is None or (folder is not None and folder.is_relative_to(self.home))


def is_ours(pid: int) -> bool:
    """Whether a process is our own user's and in our own pid namespace: marks of others are no reason to end or remove anything."""
    try:
        return Path(f"/proc/{pid}").stat().st_uid == os.geteuid() and is_here(pid)
    except OSError:
        return False


def is_here(pid: int) -> bool:
    """Whether a process is in our own pid namespace: what runs in a container or on a test host is somebody else's, even with our mark."""
    try:
        return Path(f"/proc/{pid}/ns/pid").readlink() == Path("/proc/self/ns/pid").readlink()
    except OSError:
        return Path(f"/proc/{pid}").exists()  # not ours to look into, such as what sudo started


def ancestors(table: Mapping[int, Process], pid: int) -> set[int]:
    """A process and everything above it: Wellkept itself may have been started by a playbook."""
    found: set[int] = set()
    while pid in table and pid not in found:
        found.add(pid)
        pid = table[pid].parent
    return found


def piece_of(pid: int) -> tuple[str, int] | None:
    """The piece and fence that a process is marked with; None without a mark, and for a leash, which serves many pieces."""
    value = next((word.removeprefix(MARKER) for word in environ_of(pid) if word.startswith(MARKER)), b"")
    piece, _, fence = value.decode("utf-8", "replace").rpartition(":")
    return (piece, int(fence)) if piece and fence.isdigit() else None


def private_folder(pid: int) -> Path | None:
    """The folder with secrets that a process of a piece names, if it really is one."""
    words = (word.removeprefix(PRIVATE) for word in environ_of(pid) if word.startswith(PRIVATE))
    folder = next((Path(os.fsdecode(word)) for word in words), None)
    return folder if folder and folder.name == "private" and (folder.parent / SPOOL).is_file() else None


def leash_words(pid: int) -> list[bytes]:
    """The command line of a leash (python -I -S leash.py CONTROL_PATH PID START); empty when this is none."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return []
    is_leash = len(words) >= 7 and words[3].endswith(os.fsencode(Path(*LEASH.parts[-2:])))  # noqa: PLR2004
    return words if is_leash else []


def is_forsaken_leash(pid: int, table: Mapping[int, Process]) -> bool:
    """Whether this is a leash whose feeder is gone; one that runs leaves by itself, but one that was stopped cannot."""
    words = leash_words(pid)
    return bool(words) and not is_alive(words[5].decode(), words[6].decode(), table)


def socket_folder(pid: int) -> Path | None:
    """The control path of an ssh master; None when this is none."""
    words = processes.title(pid)
    if not (words.startswith(TITLE_OF_MASTER) and words.endswith(END_OF_MASTER)):
        return None
    return Path(words.removeprefix(TITLE_OF_MASTER).removesuffix(END_OF_MASTER)).parent


def is_forsaken_master(pid: int, table: Mapping[int, Process]) -> bool:
    """Whether this is an ssh master of a run whose feeder is gone, as the word in its control path says."""
    folder = socket_folder(pid)
    if folder is None:
        return False
    with contextlib.suppress(OSError, ValueError):
        feeder, start, boot = (folder / OWNER_FILE).read_text(encoding="utf-8").split()
        return boot != BOOT_ID.read_text(encoding="utf-8").strip() or not is_alive(feeder, start, table)
    return False


def is_alive(pid: str, start: str, table: Mapping[int, Process]) -> bool:
    """Whether that very process still lives."""
    process = table.get(int(pid)) if pid.isdigit() else None
    return process is not None and process.start == start and not process.is_dead
