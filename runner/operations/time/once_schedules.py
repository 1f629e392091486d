"""Schedules that stand in no file: each was made by a person for one slot, and is kept with the definitions.

Such a schedule is a text like that of a file, and it is read as if it were one: so it is checked, defaulted and guarded like any other.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import partial

from runner.domain.execution.schedule import ChangeType, Schedule
from runner.domain.settings import Definitions
from runner.errors import FilesInvalid, StoreUnavailable
from runner.operations.execution.find_schedule import schedule_named
from runner.operations.execution.requester import KIND
from runner.operations.site import Site
from runner.operations.time.reload import InForce
from runner.ports import Clock
from runner.store.database import Store
from runner.store.execution import definitions as definition_rows
from runner.store.transaction import Transaction

log = logging.getLogger(__name__)
ReadBeside = Callable[[Mapping[str, str]], Definitions]  # reads the files together with texts that stand in none
FURTHEST = timedelta(days=90)  # ahead: as far as slots are written
KEPT_FOR = timedelta(days=7)  # after its end, for a run that outlasts it


@dataclass(frozen=True, slots=True)
class Once:
    """A schedule for one slot as a person made it: `text` is what a file would hold, but for the only `day` and the type of its change."""

    name: str
    text: str
    day: date
    closes: datetime
    emergency: bool
    by: str

    def as_json(self) -> dict[str, object]:
        """The row's body."""
        return {
            "text": self.text,
            "day": self.day.isoformat(),
            "closes": self.closes.isoformat(),
            "emergency": self.emergency,
            "by": self.by,
        }


def once_from(kept: definition_rows.Definition) -> Once:
    """The schedule that a row holds."""
    body = kept.body
    day, closes = date.fromisoformat(body["day"]), datetime.fromisoformat(body["closes"])
    return Once(kept.name, body["text"], day, closes, body["emergency"], body["by"])


def read_once(once: Once, read_beside: ReadBeside) -> Schedule:
    """The schedule as the files make it that it is read beside; raises FilesInvalid, as for a file."""
    found = read_beside({once.name: once.text}).schedules[once.name]
    change = replace(found.change, type=ChangeType.EMERGENCY) if once.emergency else found.change
    return replace(found, window=replace(found.window, only=once.day), change=change)


def kept_at(connection: Transaction, *, now: datetime) -> tuple[Once, ...]:
    """The schedules for one slot whose time has not long passed."""
    kept = map(once_from, definition_rows.of_kind(connection, KIND, since=now - FURTHEST - 2 * KEPT_FOR))
    return tuple(once for once in kept if now < once.closes + KEPT_FOR)


def schedule_in(snapshot: str, name: str, *, site: Site) -> Schedule:
    """A schedule by the files of a snapshot, whether it stands in one of them or was made for one slot; raises NotFound."""
    definitions = site.snapshotted.of(snapshot)
    kept = None if name in definitions.schedules else site.store.read(lambda c: definition_rows.last_of(c, KIND, name))
    if kept is None:
        return schedule_named(name, definitions)
    return read_once(once_from(kept), partial(site.snapshotted.read_beside, snapshot))


class WithOnce:
    """The definitions in force, those made for one slot among them."""

    def __init__(self, files: InForce, *, store: Store, clock: Clock) -> None:
        """`files` knows those that stand in files."""
        self._files, self._store, self._clock = files, store, clock
        self._from: Definitions | None = None
        self._kept: tuple[Once, ...] = ()
        self._made: dict[str, Schedule] = {}
        self._definitions = files.current()
        self._lock = threading.Lock()

    def current(self) -> Definitions:
        """The definitions that hold now; the same object for as long as nothing has changed."""
        with self._lock:
            files, kept = self._files.current(), self._kept_now()
            if files is not self._from or kept != self._kept:
                self._from, self._kept = files, kept
                self._made = {once.name: made for once in kept if (made := self._read(once))}
                self._definitions = replace(files, schedules={**self._made, **files.schedules}) if self._made else files
            return self._definitions

    def _kept_now(self) -> tuple[Once, ...]:
        """What is kept; what was known last while the database is away."""
        try:
            return self._store.read(partial(kept_at, now=self._clock()))
        except StoreUnavailable:
            return self._kept

    def _read(self, once: Once) -> Schedule | None:
        """The schedule; after a broken edit, as it was before."""
        try:
            return read_once(once, self._files.read_beside)
        except FilesInvalid as problem:
            log.error("%s cannot be read: %s", once.name, problem, extra={"action": "once.broken"})
            return self._made.get(once.name)
