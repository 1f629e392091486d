"""The slots: each becomes due, is claimed by one, and is settled once. They are written ahead in store.time.ledger."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Select, or_, update

from runner.domain.execution.run import SLOT_CHANGES, SlotOutcome, SlotState
from runner.errors import NotFound
from runner.store.execution import runs
from runner.store.execution.runs import NewRun
from runner.store.schema import slots
from runner.store.sql import read, read_one, select_as


@dataclass(frozen=True, slots=True)
class Slot:
    """One occurrence of a schedule. Its identity is (schedule, rule_date, ordinal); `hosts` is None until it opened."""

    id: str
    schedule: str
    rule_date: date
    ordinal: int
    opens_at: datetime
    closes_at: datetime
    usable_from: datetime
    usable_until: datetime
    last_start_at: datetime
    window: str
    definition: str
    state: SlotState
    outcome: str | None = None
    reason: str = ""
    hosts: tuple[str, ...] | None = None
    run_id: str | None = None
    frozen_by: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    settled_at: datetime | None = None

    @property
    def identity(self) -> tuple[date, int]:
        """Which occurrence of its schedule this is."""
        return self.rule_date, self.ordinal

    @property
    def is_frozen(self) -> bool:
        """Whether a freeze left nothing of it to use."""
        return self.usable_until <= self.usable_from


def mark_due(connection: Connection, *, now: datetime, but: Collection[str] = ()) -> list[Slot]:
    """Turn planned slots that have opened into due ones, `but` those of these schedules; the ones that this call turned."""
    opened = read(connection, Slot, _in_state(SlotState.PLANNED).where(slots.c.opens_at <= now))
    meant = [slot for slot in opened if slot.schedule not in but]
    turned = [slot for slot in meant if _swap(connection, slot, SlotState.PLANNED, SlotState.DUE)]
    return [replace(slot, state=SlotState.DUE) for slot in turned]


def due(connection: Connection) -> list[Slot]:
    """The slots that are due, the earliest first."""
    return read(connection, Slot, _in_state(SlotState.DUE))


def _in_state(*states: SlotState) -> Select[Any]:
    return select_as(Slot, slots).where(slots.c.state.in_(states)).order_by(slots.c.opens_at, slots.c.schedule)


def _swap(connection: Connection, slot: Slot, was: SlotState, becomes: SlotState) -> bool:
    swap = update(slots).where(slots.c.id == slot.id, slots.c.state == was).values(state=becomes)
    return connection.execute(swap).rowcount == 1


def claim(connection: Connection, slot_id: str, run: NewRun) -> str | None:
    """Turn a due slot into a run, in one transaction; the run's id, or None when somebody else was first."""
    swap = update(slots).where(slots.c.id == slot_id, slots.c.state == SlotState.DUE)
    values = {"state": SlotState.CLAIMED, "run_id": run.id, "hosts": run.plan.hosts}
    if connection.execute(swap.values(**values)).rowcount != 1:
        return None
    return runs.insert(connection, replace(run, slot_id=slot_id))


def settle(connection: Connection, slot_id: str, *, outcome: str, reason: str, was: SlotState, at: datetime) -> bool:
    """Give a slot its one outcome; False when it is no longer in the state `was`. Raises ValueError for a change that may never be."""
    if SlotState.SETTLED not in SLOT_CHANGES[was]:
        raise ValueError(f"a {was} slot cannot be settled")
    swap = update(slots).where(slots.c.id == slot_id, slots.c.state == was)
    values = {"state": SlotState.SETTLED, "outcome": outcome, "reason": reason, "settled_at": at}
    return connection.execute(swap.values(**values)).rowcount == 1


def take_back(connection: Connection, slot_id: str, *, now: datetime) -> bool:
    """Make a waived slot that is still ahead a planned one again; False when it is neither."""
    waived = slots.c.state == SlotState.SETTLED, slots.c.outcome == SlotOutcome.WAIVED, slots.c.opens_at > now
    values = {"state": SlotState.PLANNED, "outcome": None, "reason": "", "settled_at": None}
    swap = update(slots).where(slots.c.id == slot_id, *waived).values(**values)
    return connection.execute(swap).rowcount == 1


def keep_hosts(connection: Connection, slot_id: str, hosts: Sequence[str]) -> None:
    """Keep which hosts a slot meant when it opened, also when nothing runs."""
    connection.execute(update(slots).where(slots.c.id == slot_id).values(hosts=tuple(hosts)))


def open_without_hosts(connection: Connection, slot_id: str) -> bool:
    """Keep that a due slot means no host, whatever it meant before an edit; False when that is kept already, or it is no longer due."""
    unlike = slots.c.id == slot_id, slots.c.state == SlotState.DUE, or_(slots.c.hosts.is_(None), slots.c.hosts != ())
    return connection.execute(update(slots).where(*unlike).values(hosts=())).rowcount == 1


def get(connection: Connection, slot_id: str) -> Slot:
    """The slot of that id; raises NotFound."""
    found = read_one(connection, Slot, select_as(Slot, slots).where(slots.c.id == slot_id))
    if found is None:
        raise NotFound(f"There is no slot with the id {slot_id!r}.")
    return found


def between(
    connection: Connection, from_: datetime, to: datetime, schedules: Collection[str] | None = None
) -> list[Slot]:
    """The slots that open in [from_, to), withdrawn ones left out, in order of opening."""
    wanted = _in_state(*(set(SlotState) - {SlotState.WITHDRAWN})).where(
        slots.c.opens_at >= from_, slots.c.opens_at < to
    )
    found = read(connection, Slot, wanted)
    return found if schedules is None else [slot for slot in found if slot.schedule in schedules]


def overlapping(connection: Connection, from_: datetime, to: datetime) -> list[Slot]:
    """The slots that are open at some moment of [from_, to), withdrawn ones left out, in order of opening."""
    wanted = _in_state(*(set(SlotState) - {SlotState.WITHDRAWN}))
    return read(connection, Slot, wanted.where(slots.c.closes_at > from_, slots.c.opens_at < to))


def of_date(connection: Connection, schedule: str, day: date) -> list[Slot]:
    """The slots of a schedule whose rule names that date, withdrawn ones left out."""
    wanted = _in_state(*(set(SlotState) - {SlotState.WITHDRAWN}))
    return read(connection, Slot, wanted.where(slots.c.schedule == schedule, slots.c.rule_date == day))


def last_settled(connection: Connection, schedule: str, outcomes: Collection[str]) -> Slot | None:
    """The slot of a schedule that was settled last with one of these outcomes."""
    settled = _in_state(SlotState.SETTLED).where(slots.c.schedule == schedule, slots.c.outcome.in_(outcomes))
    return read_one(connection, Slot, settled.order_by(None).order_by(slots.c.settled_at.desc()))
