"""Holds: every no of a guard, with its reason, from when to when it was heard."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, insert, select, update

from runner.domain.execution.guards import Hold
from runner.store.ids import new_id
from runner.store.schema import holds
from runner.store.sql import read, select_as, serialise

A_MOMENT = timedelta(minutes=1)  # a run that waits is noted every quarter of a minute


@dataclass(frozen=True, slots=True)
class HeldSlot:
    """A guard's no to a slot (or to a run by hand, or on its way), as long as it was the same."""

    id: str
    slot_id: str | None
    run_id: str | None
    schedule: str
    guard: str
    reason: str
    until: datetime | None
    first_seen: datetime
    last_seen: datetime


def keep(
    connection: Connection,
    hold: Hold,
    *,
    schedule: str,
    at: datetime,
    slot_id: str | None = None,
    run_id: str | None = None,
) -> bool:
    """Note a hold; whether it is new. One that is heard again, with the same reason, is only prolonged."""
    about = slot_id or run_id
    serialise(connection, f"holds:{about or schedule}")
    same = select(holds.c.id).where(
        holds.c.schedule == schedule,
        holds.c.slot_id.is_not_distinct_from(slot_id),
        holds.c.run_id.is_not_distinct_from(run_id),
        holds.c.guard == hold.guard,
        holds.c.reason == hold.reason,
    )
    known = connection.execute(same.order_by(holds.c.last_seen.desc()).limit(1)).scalar() if about else None
    if known is not None:
        connection.execute(update(holds).where(holds.c.id == known).values(last_seen=at, until=hold.until))
        return False
    row = {
        "id": new_id(),
        "slot_id": slot_id,
        "run_id": run_id,
        "schedule": schedule,
        "first_seen": at,
        "last_seen": at,
    }
    connection.execute(insert(holds).values(**row, guard=hold.guard, reason=hold.reason, until=hold.until))
    return True


def of_slot(connection: Connection, slot_id: str) -> list[HeldSlot]:
    """What held a slot, in the order in which it was first heard."""
    held = select_as(HeldSlot, holds).where(holds.c.slot_id == slot_id)
    return read(connection, HeldSlot, held.order_by(holds.c.first_seen, holds.c.id))


def of_run(connection: Connection, schedule: str, run_id: str) -> list[HeldSlot]:
    """What held a run of that schedule on its way, in the order in which it was first heard."""
    held = select_as(HeldSlot, holds).where(holds.c.schedule == schedule, holds.c.run_id == run_id)
    return read(connection, HeldSlot, held.order_by(holds.c.first_seen, holds.c.id))


def up_to(connection: Connection, schedule: str, run_id: str, at: datetime) -> list[HeldSlot]:
    """What held a run of that schedule up to an instant: those holds that were heard within the minute before."""
    return [hold for hold in of_run(connection, schedule, run_id) if at - hold.last_seen <= A_MOMENT]


def between(connection: Connection, from_: datetime, to: datetime) -> list[HeldSlot]:
    """The holds that were heard in [from_, to)."""
    held = select_as(HeldSlot, holds).where(holds.c.last_seen >= from_, holds.c.first_seen < to)
    return read(connection, HeldSlot, held.order_by(holds.c.first_seen, holds.c.id))
