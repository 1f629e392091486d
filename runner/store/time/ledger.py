"""Writes the slot ledger ahead: for as many schedules at a time as a short transaction bears, the slots that are still ahead follow the openings."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date, datetime

from sqlalchemy import ColumnElement, Connection, bindparam, insert, or_, select, update

from runner.domain.execution.run import SlotState
from runner.domain.time.window import Opening
from runner.store.ids import new_id
from runner.store.schema import slots
from runner.store.sql import chunks, select_as, serialise
from runner.store.time.slots import Slot

OPEN_TO_CHANGE = frozenset({SlotState.PLANNED, SlotState.WITHDRAWN})
FOLLOWS = ("opens_at", "closes_at", "usable_from", "usable_until", "last_start_at", "window")
WRITTEN = (*FOLLOWS, "definition", "state", "frozen_by", "notes")
ROWS_AT_ONCE = 5000


@dataclass(frozen=True, slots=True)
class Ahead:
    """What a schedule's slots that open after `now` are to follow: all its openings from then on, and the digest of its definition."""

    schedule: str
    openings: Sequence[Opening]
    definition: str
    now: datetime


@dataclass(frozen=True, slots=True)
class LedgerChange:
    """What a rewriting changed: new slots, moved ones (as they are now, and in the same order as they were), and withdrawn ones."""

    added: tuple[Slot, ...] = ()
    moved: tuple[Slot, ...] = ()
    withdrawn: tuple[Slot, ...] = ()
    before: tuple[Slot, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.added or self.moved or self.withdrawn)


@dataclass(frozen=True, slots=True)
class _Rewriting:
    """The rows to write for one schedule: slots that make way for others, those that are changed, and those that are new; and what that changes."""

    out_of_the_way: Sequence[Slot]
    changed: Sequence[Slot]
    new: Sequence[Slot]
    change: LedgerChange


def write_ahead(
    connection: Connection, schedule: str, openings: Sequence[Opening], *, definition: str, now: datetime
) -> LedgerChange:
    """Bring the slots of one schedule in line, as `write_all` does."""
    return write_all(connection, [Ahead(schedule, openings, definition, now)])[schedule]


def write_all(connection: Connection, wanted: Sequence[Ahead]) -> dict[str, LedgerChange]:
    """Bring the slots of schedules that open after `now` in line with all their openings ahead; the rest of the ledger stays as it is.

    No slot is written for an occurrence that is already due, claimed or settled, and none for an instant that such a one opened at. The changes are by
    schedule, in the order of `wanted`.
    """
    if not wanted:
        return {}
    serialise(connection, "slots")
    known = _known(connection, wanted)
    rewritings = {each.schedule: _rewriting(each, known[each.schedule]) for each in wanted}
    _withdraw(connection, [slot for each in rewritings.values() for slot in each.out_of_the_way])
    _change(connection, [slot for each in rewritings.values() for slot in each.changed])
    _add(connection, [slot for each in rewritings.values() for slot in each.new])
    return {name: each.change for name, each in rewritings.items()}


def withdraw_all(connection: Connection, schedule: str, *, now: datetime) -> tuple[Slot, ...]:
    """Withdraw every slot of a schedule that is still ahead; the ones withdrawn."""
    return write_ahead(connection, schedule, (), definition="", now=now).withdrawn


def soonest(connection: Connection, until: datetime) -> dict[str, datetime]:
    """When the first planned slot of each schedule opens, of those that have one up to then."""
    near = select(slots.c.schedule, slots.c.opens_at).where(
        slots.c.state == SlotState.PLANNED, slots.c.opens_at <= until
    )
    latest_first = connection.execute(near.order_by(slots.c.opens_at.desc()))
    return {row.schedule: row.opens_at for row in latest_first}


def planned_beside(connection: Connection, names: Collection[str]) -> list[str]:
    """Every schedule but those named that has a planned slot, so that the slots of deleted ones can be withdrawn."""
    every = connection.execute(select(slots.c.schedule).distinct()).scalars()  # its index alone is read
    found: set[str] = set()
    for some in chunks(set(every).difference(names)):
        states = select(slots.c.schedule, slots.c.state).where(slots.c.schedule.in_(some)).distinct()
        found |= {schedule for schedule, state in connection.execute(states) if state is SlotState.PLANNED}
    return sorted(found)


def _known(connection: Connection, wanted: Sequence[Ahead]) -> dict[str, list[Slot]]:
    """The slots that bear on what is ahead: those that open later, and those with an identity that is to be written."""
    bears: ColumnElement[bool] = slots.c.opens_at > min(each.now for each in wanted)
    first = min((opening.rule_date for each in wanted for opening in each.openings), default=None)
    if first is not None:
        bears = or_(bears, slots.c.rule_date >= first)
    found: dict[str, list[Slot]] = {each.schedule: [] for each in wanted}
    for some in chunks(found):
        bearing = select_as(Slot, slots).where(slots.c.schedule.in_(some), bears)
        ordered = bearing.order_by(
            slots.c.opens_at, slots.c.schedule
        )  # as `mark_due` takes them: nobody waits crosswise
        for row in connection.execute(ordered.with_for_update()):  # nobody makes one of them due meanwhile
            slot = Slot(*row)
            found[slot.schedule].append(slot)
    return found


def _rewriting(wanted: Ahead, known: Sequence[Slot]) -> _Rewriting:
    """What is to be written for one schedule."""
    kept = {slot.identity: slot for slot in known}
    ahead = _free(wanted, kept)
    gone = [slot for slot in known if _is_ahead(slot, wanted.now) and slot.identity not in ahead]
    moved = [slot for slot in known if slot.state is SlotState.PLANNED and _differs(slot, ahead.get(slot.identity))]
    as_is = {identity: _as_written(wanted, opening, kept.get(identity)) for identity, opening in ahead.items()}
    return _Rewriting(
        out_of_the_way=[*gone, *(slot for slot in moved if slot.opens_at != ahead[slot.identity].opens)],
        changed=[slot for identity, slot in as_is.items() if identity in kept and slot != kept[identity]],
        new=[slot for identity, slot in as_is.items() if identity not in kept],
        change=LedgerChange(
            added=tuple(slot for identity, slot in as_is.items() if not _was_planned(kept.get(identity))),
            moved=tuple(as_is[slot.identity] for slot in moved),
            withdrawn=tuple(replace(slot, state=SlotState.WITHDRAWN) for slot in gone),
            before=tuple(moved),
        ),
    )


def _free(wanted: Ahead, kept: Mapping[tuple[date, int], Slot]) -> dict[tuple[date, int], Opening]:
    """The openings that a slot is to be written for: those after `now` whose occurrence and instant are still free."""
    fixed = {identity: slot for identity, slot in kept.items() if _is_fixed(slot, wanted.now)}
    taken = {slot.opens_at for slot in fixed.values()}
    ahead: dict[tuple[date, int], Opening] = {}
    for opening in wanted.openings:
        identity = opening.rule_date, opening.ordinal
        if opening.opens > wanted.now and identity not in fixed and opening.opens not in taken:
            ahead[identity] = opening
            taken.add(opening.opens)
    return ahead


def _is_fixed(slot: Slot, now: datetime) -> bool:
    """Whether it is no longer rewritten: it is due, claimed or settled, or planned, and its time has come: it is about to be marked due."""
    return slot.state not in OPEN_TO_CHANGE or (slot.state is SlotState.PLANNED and slot.opens_at <= now)


def _is_ahead(slot: Slot, now: datetime) -> bool:
    return slot.state is SlotState.PLANNED and slot.opens_at > now


def _was_planned(slot: Slot | None) -> bool:
    return slot is not None and slot.state is SlotState.PLANNED


def _differs(slot: Slot, opening: Opening | None) -> bool:
    """Whether the slot has other times than the opening."""
    return opening is not None and _times(opening) != tuple(getattr(slot, name) for name in FOLLOWS)


def _times(opening: Opening) -> tuple[object, ...]:
    """What slots take from their openings, in the order of FOLLOWS."""
    opens, closes, last_start = opening.opens, opening.closes, opening.last_start
    return opens, closes, opening.usable_from, opening.usable_until, last_start, opening.window


def _as_written(wanted: Ahead, opening: Opening, slot: Slot | None) -> Slot:
    """The slot as it is to be; the very same when there is nothing to write."""
    values = (*_times(opening), wanted.definition, SlotState.PLANNED, opening.frozen_by, opening.notes)
    if slot is None:
        named = dict(zip(WRITTEN, values, strict=True))
        return Slot(new_id(), wanted.schedule, opening.rule_date, opening.ordinal, **named)  # type: ignore[arg-type]
    if values == tuple(getattr(slot, name) for name in WRITTEN):
        return slot
    return replace(slot, **dict(zip(WRITTEN, values, strict=True)))  # type: ignore[arg-type]


def _withdraw(connection: Connection, planned: Sequence[Slot]) -> None:
    """Withdraw slots; moved ones too, for a moment: two may swap their instants."""
    for some in chunks(slot.id for slot in planned):
        swap = update(slots).where(slots.c.id.in_(some), slots.c.state == SlotState.PLANNED)
        _expect(len(some), connection.execute(swap.values(state=SlotState.WITHDRAWN)).rowcount)


def _change(connection: Connection, changed: Iterable[Slot]) -> None:
    """Write what slots are from now on, unless they are due meanwhile."""
    open_to_change = or_(*(slots.c.state == state for state in sorted(OPEN_TO_CHANGE)))
    swap = update(slots).where(slots.c.id == bindparam("slot"), open_to_change)
    statement = swap.values({name: bindparam(f"new_{name}") for name in WRITTEN})
    rows = [{"slot": slot.id, **{f"new_{name}": getattr(slot, name) for name in WRITTEN}} for slot in changed]
    for some in chunks(rows, ROWS_AT_ONCE):
        _expect(len(some), connection.execute(statement, some, execution_options={"preserve_rowcount": True}).rowcount)


def _add(connection: Connection, new: Iterable[Slot]) -> None:
    """Insert new slots."""
    names = [field.name for field in fields(Slot)]
    for some in chunks(new, ROWS_AT_ONCE):
        connection.execute(insert(slots), [{name: getattr(slot, name) for name in names} for slot in some])


def _expect(wanted: int, written: int) -> None:
    """Look at the count of rows: as they are locked, another can only be a fault of ours, and then nothing of it may be kept."""
    if written != wanted:
        raise RuntimeError(f"{wanted} slots were to be rewritten, and {written} were; nothing was kept")
