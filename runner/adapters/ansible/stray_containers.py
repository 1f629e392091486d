"""Containers of pieces that nobody owns any more, found by the notes that were left of them before they were started (the third line)."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from runner.adapters.ansible.containers import remove_container
from runner.adapters.processes import make_private
from runner.ports import Stray

NOTES = "containers"  # below the state folder


@dataclass(frozen=True, slots=True)
class Note:
    """Whose container it is, and how it is removed."""

    path: Path
    piece: str
    fence: int
    argv: tuple[str, ...]


def note_container(home: Path, *, piece: str, fence: int, argv: Sequence[str]) -> None:
    """Leave word of a container that is about to be started."""
    make_private(home / NOTES)
    path = note_of(home, piece=piece, fence=fence)
    half = path.with_suffix(".half")
    half.write_text(json.dumps({"piece": piece, "fence": fence, "argv": list(argv)}), encoding="utf-8")
    half.replace(path)


def note_of(home: Path, *, piece: str, fence: int) -> Path:
    """Where that word lies."""
    return home / NOTES / f"{piece}-{fence}.json"


def end_stray_containers(live: Callable[[], Collection[tuple[str, int]]], *, home: Path) -> Iterator[Stray]:
    """Remove the containers of all pieces that are not live; gives those that could not be removed."""
    notes = list(read_notes(home))
    owned = live() if notes else ()  # asked after the look, never before
    for note in notes:
        if (note.piece, note.fence) not in owned:
            left = remove_container(note.argv, between=lambda: None)
            yield from (Stray(pid, title, note.piece) for pid, title in left)
            if not left:
                note.path.unlink(missing_ok=True)


def read_notes(home: Path) -> Iterator[Note]:
    """The notes that lie there."""
    for path in sorted((home / NOTES).glob("*.json")):
        told = json.loads(path.read_text(encoding="utf-8"))
        yield Note(path, told["piece"], told["fence"], tuple(told["argv"]))
