"""The pauses in force: those that people ordered, and the file that pauses everything without the database."""

from __future__ import annotations

import stat
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from runner.domain.execution.guards import Pause
from runner.operations.site import Site
from runner.store.execution import pauses

FILE_NAME = "PAUSE"  # in the state folder; its first line is the reason
NO_REASON = "no reason stands in it"
LONGEST_REASON = 300  # characters


@dataclass(frozen=True, slots=True)
class PauseFile:
    """The file that pauses everything for as long as it is there; `since` is when it was last written."""

    path: str
    reason: str
    since: datetime

    @property
    def words(self) -> str:
        """What is there, and the way out."""
        return f"the file {self.path} is there ({self.reason}); remove it to go on"


def pauses_at(at: datetime, *, site: Site) -> list[Pause]:
    """The pauses in force at that instant, the file first: it is there until a person removes it."""
    ordered = site.store.read(lambda c: pauses.active(c, at))
    file = pause_file(site.state_dir)
    return [Pause(FILE_NAME, file.words, "", file.since), *ordered] if file else ordered


def pause_file(state_dir: Path) -> PauseFile | None:
    """The file PAUSE, whatever it holds: that it is there is the order. Raises OSError when nobody can tell whether it is there."""
    path = state_dir / FILE_NAME
    try:
        seen = path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return PauseFile(str(path), first_line(path, seen.st_mode), datetime.fromtimestamp(seen.st_mtime, UTC))


def first_line(path: Path, mode: int) -> str:
    """The reason that somebody wrote down; a file that cannot be read pauses all the same."""
    if not stat.S_ISREG(mode):  # a pipe would keep us waiting for ever
        return NO_REASON
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            return file.readline(LONGEST_REASON).strip() or NO_REASON
    except OSError:
        return NO_REASON
