"""The slot ledger: every occurrence written ahead, claimed by one, settled once."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, insert, or_, select, update

from runner.domain.execution.run import SLOT_CHANGES, SlotOutcome, SlotState
from runner.domain.time.window import Opening
from runner.errors import NotFound
from runner.store.execution import runs
from runner.store.execution.runs import NewRun
from runner.store.ids import new_id
from runner.store.schema import slots
from runner.store.sql import read, read_one, select_as, serialise

OPEN_TO_CHANGE = frozenset({SlotState.PLANNED, SlotState.WITHDRAWN})


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


@dataclass(frozen=True, slots=True)
class LedgerChange:
    """What a rewriting changed: new slots, moved ones (as they are now, and in the same order as they were), and withdrawn ones."""

    added: tuple[Slot, ...] = ()
    moved: tuple[Slot, ...] = ()
    withdrawn: tuple[Slot, ...] = ()
    before: tuple[Slot, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.added or self.moved or self.withdrawn)


def write_ahead(
    connection: Connection, schedule: str, openings: Sequence[Opening], *, definition: str, now: datetime
) -> LedgerChange:
    """Bring a schedule's slots that open after `now` in line with all its openings ahead; the rest of the ledger stays as it is.

    No slot is written for an occurrence that is already due, claimed or settled, and none for an instant that such a one opened at.
    """
    serialise(connection, f"slots:{schedule}")
    known = _known(connection, schedule, openings, now)
    kept = {slot.identity: slot for slot in known}
    ahead = _ahead(openings, kept, now)
    gone = [slot for slot in known if _is_ahead(slot, now) and slot.identity not in ahead]
    moved = [slot for slot in known if slot.state is SlotState.PLANNED and _differs(slot, ahead.get(slot.identity))]
    for slot in (*gone, *moved):  # moved ones too, for a moment: two may swap their instants
        _swap(connection, slot, SlotState.PLANNED, SlotState.WITHDRAWN)
    written = {
        identity: _written(connection, schedule, opening, kept.get(identity), definition)
        for identity, opening in ahead.items()
    }
    return LedgerChange(
        added=tuple(s for identity, s in written.items() if not _was_planned(kept.get(identity))),
        moved=tuple(written[slot.identity] for slot in moved),
        withdrawn=tuple(replace(slot, state=SlotState.WITHDRAWN) for slot in gone),
        before=tuple(moved),
    )


def _known(connection: Connection, schedule: str, openings: Sequence[Opening], now: datetime) -> list[Slot]:
    """The slots that bear on what is ahead: those that open later, and those with an identity that is to be written."""
    bears: ColumnElement[bool] = slots.c.opens_at > now
    if openings:
        bears = or_(bears, slots.c.rule_date >= min(opening.rule_date for opening in openings))
    found = select_as(Slot, slots).where(slots.c.schedule == schedule, bears)
    return read(connection, Slot, found.with_for_update())  # nobody makes one of them due meanwhile


def _ahead(
    openings: Sequence[Opening], kept: dict[tuple[date, int], Slot], now: datetime
) -> dict[tuple[date, int], Opening]:
    """The openings that a slot is to be written for: those after `now` whose occurrence and instant are still free."""
    taken = {slot.opens_at for slot in kept.values() if slot.state not in OPEN_TO_CHANGE or _is_opening(slot, now)}
    ahead: dict[tuple[date, int], Opening] = {}
    for opening in openings:
        slot = kept.get((opening.rule_date, opening.ordinal))
        fixed = slot is not None and (slot.state not in OPEN_TO_CHANGE or _is_opening(slot, now))
        if opening.opens > now and not fixed and opening.opens not in taken:
            ahead[opening.rule_date, opening.ordinal] = opening
            taken.add(opening.opens)
    return ahead


def _is_ahead(slot: Slot, now: datetime) -> bool:
    return slot.state is SlotState.PLANNED and slot.opens_at > now


def _is_opening(slot: Slot, now: datetime) -> bool:
    """Planned, and its time has come: it is about to be marked due."""
    return slot.state is SlotState.PLANNED and slot.opens_at <= now


def _was_planned(slot: Slot | None) -> bool:
    return slot is not None and slot.state is SlotState.PLANNED


def _differs(slot: Slot, opening: Opening | None) -> bool:
    return opening is not None and any(getattr(slot, name) != value for name, value in _times(opening).items())


def _times(opening: Opening) -> dict[str, object]:
    return {
        "opens_at": opening.opens,
        "closes_at": opening.closes,
        "usable_from": opening.usable_from,
        "usable_until": opening.usable_until,
        "last_start_at": opening.last_start,
        "window": opening.window,
    }


def _written(connection: Connection, schedule: str, opening: Opening, slot: Slot | None, definition: str) -> Slot:
    values = {
        **_times(opening),
        "definition": definition,
        "state": SlotState.PLANNED,
        "frozen_by": opening.frozen_by,
        "notes": opening.notes,
    }
    if slot is None:
        identity = {"id": new_id(), "schedule": schedule, "rule_date": opening.rule_date, "ordinal": opening.ordinal}
        connection.execute(insert(slots).values(**identity, **values, reason=""))
        return Slot(**identity, **values)  # type: ignore[arg-type]
    now_as = replace(slot, **values)  # type: ignore[arg-type]
    if now_as != slot:
        connection.execute(
            update(slots).where(slots.c.id == slot.id, slots.c.state.in_(OPEN_TO_CHANGE)).values(**values)
        )
    return now_as


def withdraw_all(connection: Connection, schedule: str, *, now: datetime) -> tuple[Slot, ...]:
    """Withdraw every slot of a schedule that is still ahead; the ones withdrawn."""
    return write_ahead(connection, schedule, (), definition="", now=now).withdrawn


def mark_due(connection: Connection, *, now: datetime) -> list[Slot]:
    """Turn planned slots that have opened into due ones; those that this call turned."""
    opened = read(connection, Slot, _in_state(SlotState.PLANNED).where(slots.c.opens_at <= now))
    turned = [slot for slot in opened if _swap(connection, slot, SlotState.PLANNED, SlotState.DUE)]
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


def of_date(connection: Connection, schedule: str, day: date) -> list[Slot]:
    """The slots of a schedule whose rule names that date, withdrawn ones left out."""
    wanted = _in_state(*(set(SlotState) - {SlotState.WITHDRAWN}))
    return read(connection, Slot, wanted.where(slots.c.schedule == schedule, slots.c.rule_date == day))


def next_of(connection: Connection, schedule: str, now: datetime) -> Slot | None:
    """The next planned slot of a schedule that opens after `now`."""
    wanted = _in_state(SlotState.PLANNED).where(slots.c.schedule == schedule, slots.c.opens_at > now)
    return read_one(connection, Slot, wanted)


def last_settled(connection: Connection, schedule: str, outcomes: Collection[str]) -> Slot | None:
    """The slot of a schedule that was settled last with one of these outcomes."""
    settled = _in_state(SlotState.SETTLED).where(slots.c.schedule == schedule, slots.c.outcome.in_(outcomes))
    return read_one(connection, Slot, settled.order_by(None).order_by(slots.c.settled_at.desc()))


def schedules(connection: Connection) -> list[str]:
    """Every schedule that has a slot ahead, so that the slots of deleted ones can be withdrawn."""
    planned = select(slots.c.schedule).where(slots.c.state == SlotState.PLANNED).distinct().order_by(slots.c.schedule)
    return list(connection.execute(planned).scalars())
