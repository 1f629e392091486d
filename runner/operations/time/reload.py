"""The definitions in force: read again when a file changed; a broken edit keeps the last good ones and says so loudly."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from runner.config import read
from runner.config.requirements import PLACES
from runner.domain.settings import Definitions
from runner.errors import FilesInvalid
from runner.ports import DateSources, Monotonic

log = logging.getLogger(__name__)
SETTINGS = "wellkept.yml"
FOLDERS = ("schedules", "reports", "playbooks")
YAML = (".yml", ".yaml")
REQUIREMENTS = tuple(f"{place}{ending}" for place in PLACES for ending in YAML)  # also where there is none yet
LIGHT = 0.02  # seconds that a look at the files may take without being spared
SPARE = 20  # times as long as a heavy look took, until the next one: a beat asks several times, and thousands of files take a while
Mark = tuple[str, int, int]


class InForce:
    """Knows the definitions that hold now."""

    def __init__(
        self,
        root: Path,
        *,
        environ: Mapping[str, str],
        first: Definitions,
        sources: DateSources | None = None,
        monotonic: Monotonic = time.monotonic,
    ) -> None:
        """`first` holds until a file changes; `sources` reads rules that are written in languages of their own."""
        self._root, self._environ, self._sources = root, environ, sources
        self._monotonic, self._not_before = monotonic, 0.0
        self._definitions, self._besides = first, first.files_besides
        self._seen = fingerprint(root, self._besides)
        self._lock = threading.Lock()
        self.problem: FilesInvalid | None = None

    def current(self) -> Definitions:
        """The definitions that hold now."""
        with self._lock:
            if self._monotonic() >= self._not_before:
                self._look()
            return self._definitions

    def _look(self) -> None:
        began = self._monotonic()
        seen = fingerprint(self._root, self._besides)
        took = self._monotonic() - began
        self._not_before = began + took + (SPARE * took if took > LIGHT else 0.0)
        if seen != self._seen:
            self._seen = seen
            self._reload()

    def read_beside(self, texts: Mapping[str, str]) -> Definitions:
        """The files as they are now together with texts that stand in none; raises FilesInvalid."""
        return read(self._root, environ=self._environ, beside=texts, sources=self._sources)

    def _reload(self) -> None:
        try:
            self._definitions = read(self._root, environ=self._environ, sources=self._sources)
            self.problem = None
            self._besides = self._definitions.files_besides
            self._seen = fingerprint(self._root, self._besides)
            log.info("The definitions were read again", extra={"action": "definitions.reloaded"})
        except FilesInvalid as problem:
            self.problem = problem
            log.error(
                "A broken edit: the last good definitions stay in force.\n%s",
                problem,
                extra={"action": "definitions.broken"},
            )


def fingerprint(root: Path, besides: Collection[str] = ()) -> frozenset[Mark]:
    """What tells one state of the files from another: names, sizes and times of change; `besides` are files and folders that the definitions lead to."""
    named = (mark_of(str(root / name)) for name in {SETTINGS, *REQUIREMENTS, *besides})
    below = (mark for folder in FOLDERS for mark in marks_below(str(root / folder)))
    return frozenset([*below, *(mark for mark in named if mark)])


def mark_of(path: str) -> Mark | None:
    """Name, size and time of change; None for a file that is not there."""
    try:
        status = os.stat(path)  # noqa: PTH116
    except OSError:
        return None
    return path, status.st_size, status.st_mtime_ns


def marks_below(folder: str) -> Iterator[Mark]:
    """The marks of the YAML files below a folder. It is looked at every two seconds, and there may be thousands: pathlib takes ten times as long."""
    try:
        entries = list(os.scandir(folder))
    except OSError:
        return
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            yield from marks_below(entry.path)
        elif entry.name.endswith(YAML) and (mark := mark_of(entry.path)):
            yield mark
