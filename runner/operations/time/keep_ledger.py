"""Keeps the slot ledger in line with the definitions: every opening within the horizon is written ahead, each change is recorded."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from functools import partial

from runner.domain.execution.schedule import Schedule
from runner.domain.record.record import INSTALLATION
from runner.domain.settings import Definitions
from runner.domain.time import occurrence
from runner.domain.time.window import Opening
from runner.errors import StoreUnavailable
from runner.operations.execution.plan_occurrence import binding_freezes
from runner.operations.execution.start_run import definition_digest
from runner.operations.site import Site
from runner.store.record import log as entries
from runner.store.time import slots
from runner.store.transaction import Transaction

log = logging.getLogger(__name__)
HORIZON = timedelta(days=90)


def keep_ledger(definitions: Definitions, *, site: Site) -> int:
    """Write ahead, move and withdraw slots; gives how many changed."""
    now = site.clock()
    gone = set(site.store.read(slots.schedules)) - {
        name for name, each in definitions.schedules.items() if has_slots(each)
    }
    changed = sum(site.store.write(partial(withdraw, schedule=name, at=now)) for name in sorted(gone))
    going_on = [schedule for schedule in definitions.schedules.values() if has_slots(schedule)]
    return changed + sum(keep_schedule(schedule, definitions, site=site, now=now) for schedule in going_on)


def keep_schedule(schedule: Schedule, definitions: Definitions, *, site: Site, now: datetime) -> int:
    """Keep one schedule's slots; its trouble is logged, and the others are kept all the same. Gives how many changed."""
    try:
        ahead = openings_ahead(schedule, definitions, now=now)
        return site.store.write(partial(write_schedule, schedule=schedule, ahead=ahead, at=now))
    except StoreUnavailable:
        raise
    except Exception:
        log.exception("The slots of %s could not be kept", schedule.name, extra={"action": "ledger.failed"})
        return 0


def has_slots(schedule: Schedule) -> bool:
    """Whether a schedule has openings at all: one that is switched off, or always open, has none."""
    return schedule.enabled and not schedule.window.is_always


def openings_ahead(schedule: Schedule, definitions: Definitions, *, now: datetime) -> list[Opening]:
    """The openings of a schedule within the horizon, with the freezes that bind it cut out.

    A freeze for some services cuts the openings of schedules on their hosts only when the run is planned; here those for everything count, and those that
    name the schedule or its window.
    """
    freezes = binding_freezes(schedule, definitions, ())
    return list(occurrence.openings(schedule.window, freezes, from_=now, to=now + HORIZON))


def write_schedule(connection: Transaction, *, schedule: Schedule, ahead: list[Opening], at: datetime) -> int:
    """Bring one schedule's slots in line, and record what changed."""
    change = slots.write_ahead(connection, schedule.name, ahead, definition=definition_digest(schedule), now=at)
    bodies = [
        *(body_of("slot.planned", slot) for slot in change.added),
        *(body_of("slot.moved", slot, was=was) for slot, was in zip(change.moved, change.before, strict=True)),
        *(body_of("slot.withdrawn", slot) for slot in change.withdrawn),
    ]
    entries.append(connection, INSTALLATION, bodies, at=at)
    return len(bodies)


def withdraw(connection: Transaction, *, schedule: str, at: datetime) -> int:
    """Withdraw the slots of a schedule that is gone or switched off."""
    bodies = [body_of("slot.withdrawn", slot) for slot in slots.withdraw_all(connection, schedule, now=at)]
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
