"""The definitions in force: read again when a file changed; a broken edit keeps the last good ones and says so loudly."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Mapping
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
        self._definitions = first
        self._seen = fingerprint(root)
        self._lock = threading.Lock()
        self.problem: FilesInvalid | None = None

    def current(self) -> Definitions:
        """The definitions that hold now."""
        with self._lock:
            seen = fingerprint(self._root)
            if seen != self._seen:
                self._seen = seen
                self._reload()
            return self._definitions

    def _reload(self) -> None:
        try:
            self._definitions = read(self._root, environ=self._environ, sources=self._sources)
            self.problem = None
            log.info("The definitions were read again", extra={"action": "definitions.reloaded"})
        except FilesInvalid as problem:
            self.problem = problem
            log.error(
                "A broken edit: the last good definitions stay in force.\n%s",
                problem,
                extra={"action": "definitions.broken"},
            )


def fingerprint(root: Path) -> frozenset[tuple[str, int, int]]:
    """What tells one state of the files from another: names, sizes and times of change."""
    return frozenset(mark for path in files(root) if (mark := mark_of(path)))


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
