"""Writes slots ahead for some schedules in one transaction, each change with its entry in the record."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from runner.domain.execution.schedule import Schedule
from runner.domain.record.record import INSTALLATION
from runner.domain.settings import Definitions
from runner.domain.time import occurrence
from runner.domain.time.window import Opening
from runner.operations.time.bind_freezes import binding_freezes
from runner.store.record import log as entries
from runner.store.time import ledger
from runner.store.time.slots import Slot
from runner.store.transaction import Transaction

PLANNED, MOVED, WITHDRAWN = "slot.planned", "slot.moved", "slot.withdrawn"
CHANGES = frozenset({PLANNED, MOVED, WITHDRAWN})
# Openings by their window, the freezes that cut them, and from when on.
Shared = dict[tuple[object, ...], list[Opening]]


@dataclass(frozen=True, slots=True)
class Told:
    """The entries that a transaction left in the record: how many there are, the number of the last, and the schedules that they tell of."""

    number: int
    last: int
    schedules: frozenset[str]


def openings_ahead(
    schedule: Schedule, definitions: Definitions, *, now: datetime, shared: Shared | None = None
) -> list[Opening]:
    """The openings of a schedule within the horizon, with the freezes that bind it cut out.

    A freeze for some services cuts the openings of schedules on their hosts only when the run is planned; here those for everything count, and those that
    name the schedule or its window. Each begins later by the schedule's splay. What is `shared` by schedules with one window is reckoned once.
    """
    window, freezes = schedule.window, binding_freezes(schedule, definitions, ())
    shared = {} if shared is None else shared
    key = (id(window), now, *(freeze.name for freeze in freezes))  # by identity: a calendar may be too large to compare
    if key not in shared:
        to = now + definitions.settings.horizon
        shared[key] = list(occurrence.openings(window, freezes, from_=now, to=to))
    return [schedule.its(opening) for opening in shared[key]]


def write_slots(connection: Transaction, wanted: Sequence[ledger.Ahead], *, at: datetime) -> Told:
    """Bring the slots of these schedules in line, and record what changed."""
    changes = ledger.write_all(connection, wanted)
    bodies = [body for change in changes.values() for body in bodies_of(change)]
    last = entries.append(connection, INSTALLATION, bodies, at=at)
    return Told(len(bodies), last.seq, frozenset(name for name, change in changes.items() if change))


def bodies_of(change: ledger.LedgerChange) -> Iterator[dict[str, object]]:
    """Log entries for a change of the ledger."""
    yield from (body_of(PLANNED, slot) for slot in change.added)
    yield from (body_of(MOVED, slot, was=was) for slot, was in zip(change.moved, change.before, strict=True))
    yield from (body_of(WITHDRAWN, slot) for slot in change.withdrawn)


def body_of(action: str, slot: Slot, was: Slot | None = None) -> dict[str, object]:
    """A change of the ledger as a log entry."""
    body: dict[str, object] = {
        "action": action,
        "slot": slot.id,
        "schedule": slot.schedule,
        "rule_date": slot.rule_date.isoformat(),
        "ordinal": slot.ordinal,
        "opens": slot.opens_at.isoformat(),
        "closes": slot.closes_at.isoformat(),
        "last_start": slot.last_start_at.isoformat(),
    }
    return body if was is None else {**body, "opened_before": was.opens_at.isoformat()}
