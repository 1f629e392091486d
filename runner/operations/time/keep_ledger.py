"""Keeps the slot ledger in line with the definitions: every opening within the horizon is written ahead, each change is recorded.

What a process wrote once is not reckoned again until something may have changed it: an edit, the clock, the horizon, or another process.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import partial
from zlib import crc32

from runner.domain.execution.schedule import Schedule
from runner.domain.record.record import INSTALLATION
from runner.domain.settings import Definitions
from runner.domain.time import occurrence
from runner.domain.time.freeze import Freeze
from runner.domain.time.window import Opening
from runner.errors import StoreUnavailable
from runner.operations.execution.plan_occurrence import binding_freezes
from runner.operations.execution.start_run import definition_digest
from runner.operations.site import Site
from runner.store.record import log as entries
from runner.store.time import slots
from runner.store.transaction import Transaction

log = logging.getLogger(__name__)
SECONDS_OF_A_DAY = 24 * 3600
PLANNED, MOVED, WITHDRAWN = "slot.planned", "slot.moved", "slot.withdrawn"
CHANGES = frozenset({PLANNED, MOVED, WITHDRAWN})


@dataclass(frozen=True, slots=True)
class Written:
    """What a schedule's slots were last written from, when, and the number of the last log entry about it (0 when nothing changed)."""

    schedule: Schedule
    freezes: tuple[Freeze, ...]
    horizon: timedelta
    at: datetime
    seq: int

    def stands(self, schedule: Schedule, definitions: Definitions, *, now: datetime) -> bool:
        """Whether writing it again would change nothing.

        After a clock was set back, openings may be ahead that had passed by before. The horizon, and new time zone data, are followed once a day.
        """
        same = self.schedule == schedule and self.freezes == definitions.freezes
        same &= self.horizon == definitions.settings.horizon
        return same and self.at <= now and day_of(schedule, self.at) == day_of(schedule, now)


@dataclass(slots=True)
class Kept:
    """One process's memory of the ledger; `seen` is how far it has followed the installation's stream, None before its first look."""

    definitions: Definitions | None = None
    written: dict[str, Written] = field(default_factory=dict)
    seen: int | None = None


def keep_edits(definitions: Definitions, *, site: Site, kept: Kept) -> int:
    """Keep the ledger if these are not the definitions that it was kept by; gives how many slots changed."""
    return 0 if definitions is kept.definitions else keep_ledger(definitions, site=site, kept=kept)


def keep_ledger(definitions: Definitions, *, site: Site, kept: Kept) -> int:
    """Write ahead, move and withdraw slots; gives how many changed."""
    now = site.clock()
    forget_what_others_changed(kept, site=site)
    going_on = {name: each for name, each in definitions.schedules.items() if has_slots(each)}
    kept.written = {name: each for name, each in kept.written.items() if name in going_on}
    gone = set(site.store.read(slots.schedules)) - set(going_on)
    changed = sum(site.store.write(partial(withdraw, schedule=name, at=now)) for name in sorted(gone))
    for name, schedule in going_on.items():
        written = kept.written.get(name)
        if written is None or not written.stands(schedule, definitions, now=now):
            changed += keep_schedule(schedule, definitions, site=site, kept=kept, now=now)
    kept.definitions = definitions
    return changed


def forget_what_others_changed(kept: Kept, *, site: Site) -> None:
    """Forget the schedules that another process has written since we did: each change of the ledger leaves a log entry."""
    if kept.seen is None:
        kept.seen = site.store.read(lambda c: entries.head(c, INSTALLATION)).seq
        return
    for seq, schedule in site.store.read(partial(told_since, seq=kept.seen)):
        written = kept.written.get(schedule) if schedule else None
        if written is not None and written.seq < seq:
            del kept.written[written.schedule.name]
        kept.seen = seq


def told_since(connection: Transaction, *, seq: int) -> list[tuple[int, str]]:
    """The numbers of the entries after `seq`, each with the schedule whose slots it tells of, or nothing."""
    found = ((entry.seq, entry.content) for entry in entries.entries(connection, INSTALLATION, after=seq))
    return [(seq, str(told["schedule"]) if told.get("action") in CHANGES else "") for seq, told in found]


def day_of(schedule: Schedule, instant: datetime) -> date:
    """The day that an instant belongs to for this schedule: days begin at another time for each, so that not all are renewed in one beat."""
    return (instant + timedelta(seconds=crc32(schedule.name.encode()) % SECONDS_OF_A_DAY)).date()


def keep_schedule(schedule: Schedule, definitions: Definitions, *, site: Site, kept: Kept, now: datetime) -> int:
    """Keep one schedule's slots; its trouble is logged, and the others are kept all the same. Gives how many changed."""
    try:
        ahead = openings_ahead(schedule, definitions, now=now)
        changed, seq = site.store.write(partial(write_schedule, schedule=schedule, ahead=ahead, at=now))
        kept.written[schedule.name] = Written(schedule, definitions.freezes, definitions.settings.horizon, now, seq)
        return changed
    except StoreUnavailable:
        raise
    except Exception:
        log.exception("The slots of %s could not be kept", schedule.name, extra={"action": "ledger.failed"})
        kept.written.pop(schedule.name, None)
        return 0


def has_slots(schedule: Schedule) -> bool:
    """Whether a schedule has openings at all: one that is switched off, or always open, has none."""
    return schedule.enabled and not schedule.window.is_always


def openings_ahead(schedule: Schedule, definitions: Definitions, *, now: datetime) -> list[Opening]:
    """The openings of a schedule within the horizon, with the freezes that bind it cut out.

    A freeze for some services cuts the openings of schedules on their hosts only when the run is planned; here those for everything count, and those that
    name the schedule or its window. Each begins later by the schedule's splay.
    """
    freezes = binding_freezes(schedule, definitions, ())
    ahead = occurrence.openings(schedule.window, freezes, from_=now, to=now + definitions.settings.horizon)
    return [schedule.its(opening) for opening in ahead]


def write_schedule(
    connection: Transaction, *, schedule: Schedule, ahead: Sequence[Opening], at: datetime
) -> tuple[int, int]:
    """Bring one schedule's slots in line, and record what changed; gives how many changed, and the number of the last entry about it."""
    change = slots.write_ahead(connection, schedule.name, ahead, definition=definition_digest(schedule), now=at)
    bodies = list(bodies_of(change))
    last = entries.append(connection, INSTALLATION, bodies, at=at)
    return len(bodies), last.seq if bodies else 0


def bodies_of(change: slots.LedgerChange) -> Iterator[dict[str, object]]:
    """Log entries for a change of the ledger."""
    yield from (body_of(PLANNED, slot) for slot in change.added)
    yield from (body_of(MOVED, slot, was=was) for slot, was in zip(change.moved, change.before, strict=True))
    yield from (body_of(WITHDRAWN, slot) for slot in change.withdrawn)


def withdraw(connection: Transaction, *, schedule: str, at: datetime) -> int:
    """Withdraw the slots of a schedule that is gone or switched off."""
    bodies = [body_of(WITHDRAWN, slot) for slot in slots.withdraw_all(connection, schedule, now=at)]
    entries.append(connection, INSTALLATION, bodies, at=at)
    return len(bodies)


def body_of(action: str, slot: slots.Slot, was: slots.Slot | None = None) -> dict[str, object]:
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
