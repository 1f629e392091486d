"""The definitions in force: read again when a file changed; a broken edit keeps the last good ones and says so loudly."""

from __future__ import annotations

import logging
import threading
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from runner.config import read
from runner.domain.settings import Definitions
from runner.errors import FilesInvalid
from runner.ports import DateSources

log = logging.getLogger(__name__)
FOLDERS = ("schedules", "reports", "playbooks")


class InForce:
    """Knows the definitions that hold now."""

    def __init__(
        self, root: Path, *, environ: Mapping[str, str], first: Definitions, sources: DateSources | None = None
    ) -> None:
        """`first` holds until a file changes; `sources` reads rules that are written in languages of their own."""
        self._root, self._environ, self._sources = root, environ, sources
        self._definitions, self._calendars = first, calendar_files(first)
        self._seen = fingerprint(root, self._calendars)
        self._lock = threading.Lock()
        self.problem: FilesInvalid | None = None

    def current(self) -> Definitions:
        """The definitions that hold now."""
        with self._lock:
            seen = fingerprint(self._root, self._calendars)
            if seen != self._seen:
                self._seen = seen
                self._reload()
            return self._definitions

    def read_beside(self, texts: Mapping[str, str]) -> Definitions:
        """The files as they are now together with texts that stand in none; raises FilesInvalid."""
        return read(self._root, environ=self._environ, beside=texts, sources=self._sources)

    def _reload(self) -> None:
        try:
            self._definitions = read(self._root, environ=self._environ, sources=self._sources)
            self.problem = None
            self._calendars = calendar_files(self._definitions)
            self._seen = fingerprint(self._root, self._calendars)
            log.info("The definitions were read again", extra={"action": "definitions.reloaded"})
        except FilesInvalid as problem:
            self.problem = problem
            log.error(
                "A broken edit: the last good definitions stay in force.\n%s",
                problem,
                extra={"action": "definitions.broken"},
            )


def fingerprint(root: Path, calendars: Collection[str] = ()) -> frozenset[tuple[str, int, int]]:
    """What tells one state of the files from another: names, sizes and times of change; `calendars` are files that the definitions name."""
    return frozenset(mark for path in (*files(root), *(root / name for name in calendars)) if (mark := mark_of(path)))


def calendar_files(definitions: Definitions) -> frozenset[str]:
    """The calendar files that windows, freezes and business calendars are read from."""
    windows = [*definitions.windows.values(), *(schedule.window for schedule in definitions.schedules.values())]
    kept = [*(each.events for each in windows), *(each.events for each in definitions.freezes)]
    holidays = [each.calendar.holidays for each in windows if each.calendar]
    return frozenset(file for source in (*kept, *holidays) if source for file in source.files)


def mark_of(path: Path) -> tuple[str, int, int] | None:
    """Name, size and time of change; None for a file that went away since it was listed."""
    try:
        status = path.stat()
    except OSError:
        return None
    return str(path), status.st_size, status.st_mtime_ns


def files(root: Path) -> Iterator[Path]:
    """The files that definitions are read from."""
    yield from (path for path in (root / "wellkept.yml",) if path.is_file())
    for name in FOLDERS:
        yield from (path for path in sorted((root / name).rglob("*.y*ml")) if path.is_file())
