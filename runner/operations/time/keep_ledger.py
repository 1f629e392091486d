"""Keeps the slot ledger in line with the definitions: every opening within the horizon is written ahead, each change is recorded.

What a process wrote once is not reckoned again until something may have changed it: an edit, the clock, the horizon, or another process. An edit that
concerns thousands of schedules is followed within several beats, the soonest first. It counts from the instant at which it was seen, and until its
schedules are written none of their slots comes due.
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
from runner.domain.time.freeze import Freeze
from runner.errors import StoreUnavailable
from runner.operations.execution.start_run import definition_digest
from runner.operations.site import Site
from runner.operations.time.bind_freezes import binding_freezes
from runner.operations.time.write_slots import CHANGES, Shared, openings_ahead, write_slots
from runner.store.record import log as entries
from runner.store.time import ledger
from runner.store.time.ledger import Ahead
from runner.store.transaction import Transaction

log = logging.getLogger(__name__)
TROUBLE = "The slots of %s could not be kept"
SECONDS_OF_A_DAY = 24 * 3600
SHARE_OF_A_BEAT = 1.0  # seconds, after which the rest is left to the next beats
SOON = timedelta(days=1)  # what opens later can wait for its turn in any order
OPENINGS_AT_ONCE = 2000  # in one transaction, that others wait for: a fraction of a second


@dataclass(frozen=True, slots=True)
class Written:
    """What a schedule's slots were last written from, when, and the number of the last log entry about it (0 when nothing changed)."""

    schedule: Schedule
    freezes: tuple[Freeze, ...]
    horizon: timedelta
    at: datetime
    seq: int
    definition: str

    def stands(self, schedule: Schedule, definitions: Definitions, *, now: datetime) -> bool:
        """Whether writing it again would change nothing.

        After a clock was set back, openings may be ahead that had passed by before. The horizon, and new time zone data, are followed once a day.
        """
        same = self.horizon == definitions.settings.horizon and self.schedule == schedule
        same = same and self.at <= now and day_of(schedule, self.at) == day_of(schedule, now)
        return same and self.freezes == binding_freezes(schedule, definitions, ())


@dataclass(slots=True)
class Kept:
    """One process's memory of the ledger; `seen` is how far it has followed the installation's stream, None before its first look.

    `pending` are the schedules that are still to be written by `sought`, in order, each with the instant from which on its slots follow it.
    `asked` is when each schedule on a cadence that is held was asked last.
    """

    definitions: Definitions | None = None
    written: dict[str, Written] = field(default_factory=dict)
    seen: int | None = None
    sought: Definitions | None = None
    pending: dict[str, datetime] = field(default_factory=dict)
    asked: dict[str, datetime] = field(default_factory=dict)


def keep_edits(definitions: Definitions, *, site: Site, kept: Kept) -> int:
    """Keep the ledger if these are not the definitions that it was kept by, or some of it was left over; gives how many slots changed."""
    done = definitions is kept.definitions and not kept.pending
    return 0 if done else keep_ledger(definitions, site=site, kept=kept)


def keep_ledger(definitions: Definitions, *, site: Site, kept: Kept) -> int:
    """Write ahead, move and withdraw slots, as many as a beat has time for; gives how many changed. `kept.pending` is what was left over."""
    until = site.monotonic() + SHARE_OF_A_BEAT
    forget_what_others_changed(kept, site=site)
    if definitions is not kept.sought or not kept.pending:
        look_through(definitions, site=site, kept=kept)
    changed = 0
    for batch in batches(definitions, kept=kept):
        changed += keep_batch(batch, definitions, site=site, kept=kept)
        if site.monotonic() >= until:
            break
    if not kept.pending:
        kept.definitions = definitions
    return changed


def look_through(definitions: Definitions, *, site: Site, kept: Kept) -> None:
    """Find the schedules whose slots are to be written again, or withdrawn, those that open soonest first."""
    now = site.clock()
    going_on = {name: each for name, each in definitions.schedules.items() if has_slots(each)}
    kept.written = {name: each for name, each in kept.written.items() if name in going_on}
    stale = [name for name, each in going_on.items() if not stands(each, definitions, kept=kept, now=now)]
    same = definitions is kept.definitions
    gone = [] if same else site.store.read(partial(ledger.planned_beside, names=going_on))
    soonest = site.store.read(partial(ledger.soonest, until=now + SOON)) if stale or gone else {}
    ordered = sorted((*stale, *gone), key=lambda name: (soonest.get(name, now + SOON), name))
    kept.sought, kept.pending = definitions, {name: kept.pending.get(name, now) for name in ordered}


def stands(schedule: Schedule, definitions: Definitions, *, kept: Kept, now: datetime) -> bool:
    """Whether a schedule's slots are as they should be, as far as we know."""
    written = kept.written.get(schedule.name)
    return written is not None and written.stands(schedule, definitions, now=now)


def forget_what_others_changed(kept: Kept, *, site: Site) -> None:
    """Forget the schedules that another process has written since we did: each change of the ledger leaves a log entry."""
    if kept.seen is None:
        kept.seen = site.store.read(lambda c: entries.head(c, INSTALLATION)).seq
        return
    for seq, schedule in site.store.read(partial(told_since, seq=kept.seen)):
        written = kept.written.get(schedule)
        if schedule and (written is None or written.seq < seq):
            kept.written.pop(schedule, None)
            kept.definitions = None
        kept.seen = seq


def told_since(connection: Transaction, *, seq: int) -> list[tuple[int, str]]:
    """The numbers of the entries after `seq`, each with the schedule whose slots it tells of, or nothing."""
    found = ((entry.seq, entry.content) for entry in entries.entries(connection, INSTALLATION, after=seq))
    return [(seq, str(told["schedule"]) if told.get("action") in CHANGES else "") for seq, told in found]


def day_of(schedule: Schedule, instant: datetime) -> date:
    """The day that an instant belongs to for this schedule: days begin at another time for each, so that not all are renewed in one beat."""
    return (instant + timedelta(seconds=crc32(schedule.name.encode()) % SECONDS_OF_A_DAY)).date()


def batches(definitions: Definitions, *, kept: Kept) -> Iterator[list[Ahead]]:
    """What is pending, each batch small enough for one short transaction; one that cannot be reckoned is left out, and the others are kept all the same."""
    batch: list[Ahead] = []
    shared: Shared = {}
    size = 0
    for name, now in list(kept.pending.items()):
        if ahead := ahead_of(name, definitions, kept=kept, now=now, shared=shared):
            batch.append(ahead)
            size += 1 + len(ahead.openings)
        if size >= OPENINGS_AT_ONCE:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def ahead_of(name: str, definitions: Definitions, *, kept: Kept, now: datetime, shared: Shared) -> Ahead | None:
    """What a schedule's slots are to follow: nothing for one that is gone or switched off; None, and it is logged, when that cannot be reckoned."""
    schedule = definitions.schedules.get(name)
    if schedule is None or not has_slots(schedule):
        return Ahead(name, (), "", now)
    try:
        written = kept.written.get(name)
        known = written.definition if written and written.schedule == schedule else None
        ahead = openings_ahead(schedule, definitions, now=now, shared=shared)
        return Ahead(name, ahead, known or definition_digest(schedule), now)
    except Exception:
        log.exception(TROUBLE, name, extra={"action": "ledger.failed"})
        give_up(name, kept=kept)
        return None


def keep_batch(batch: Sequence[Ahead], definitions: Definitions, *, site: Site, kept: Kept) -> int:
    """Write some schedules in one transaction, or, when that fails, each in its own; gives how many slots changed."""
    try:
        told = site.store.write(partial(write_slots, wanted=batch, at=site.clock()))
    except StoreUnavailable:
        raise
    except Exception:
        if len(batch) > 1:
            return sum(keep_batch([each], definitions, site=site, kept=kept) for each in batch)
        log.exception(TROUBLE, batch[0].schedule, extra={"action": "ledger.failed"})
        give_up(batch[0].schedule, kept=kept)
        return 0
    if kept.seen == told.last - told.number:  # nobody said anything in between, and our own entries need no reading
        kept.seen = told.last
    for each in batch:
        kept.pending.pop(each.schedule, None)
        remember(each, definitions, kept=kept, seq=told.last if each.schedule in told.schedules else 0)
    return told.number


def remember(ahead: Ahead, definitions: Definitions, *, kept: Kept, seq: int) -> None:
    """Note what a schedule's slots were written from."""
    schedule = definitions.schedules.get(ahead.schedule)
    if schedule is not None and has_slots(schedule):
        freezes = binding_freezes(schedule, definitions, ())
        horizon = definitions.settings.horizon
        kept.written[schedule.name] = Written(schedule, freezes, horizon, ahead.now, seq, ahead.definition)


def give_up(name: str, *, kept: Kept) -> None:
    """Leave a schedule's slots as they are; they are tried again at the next look at the whole ledger."""
    kept.written.pop(name, None)
    kept.pending.pop(name, None)


def keep_schedule(schedule: Schedule, definitions: Definitions, *, site: Site) -> int:
    """Keep one schedule's slots for a person who asks about them now; its trouble is logged. Gives how many changed."""
    alone = Kept(pending={schedule.name: site.clock()})
    return sum(keep_batch(batch, definitions, site=site, kept=alone) for batch in batches(definitions, kept=alone))


def has_slots(schedule: Schedule) -> bool:
    """Whether a schedule has openings at all: one that is switched off, or always open, has none."""
    return schedule.enabled and not schedule.window.is_always
