"""The calendar by the ledger, where it knows better than the files: what has begun, what a person waived, and slots that stand in no file."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from runner.domain.execution.run import SlotOutcome, SlotState
from runner.domain.settings import Definitions
from runner.domain.time.window import Opening
from runner.operations.time.list_openings import SWITCHED_OFF, Entry, place
from runner.store.database import Store
from runner.store.time import slots

DUE, RUNNING, WAIVED, UNRECORDED = "due", "running", str(SlotOutcome.WAIVED), "unrecorded"
DONE_OR_NOT_KNOWN = frozenset({str(SlotOutcome.DONE), str(SlotOutcome.UNKNOWN)})
CALLED_OFF = (frozenset(map(str, SlotOutcome)) - DONE_OR_NOT_KNOWN) | {
    SWITCHED_OFF,
    UNRECORDED,
}  # nothing is done in it
NOT_LOOKED = "the scheduler has not looked at it yet"
NOT_WRITTEN = "it was not written ahead, so nothing runs in it"
AROUND = timedelta(days=62)  # how far from the span a slot is looked for that the files have inside it by now


@dataclass(frozen=True, slots=True)
class Ledger:
    """The slots of a span and of some time around it, as they are at `now`."""

    slots: Sequence[slots.Slot]
    from_: datetime
    to: datetime
    now: datetime


def read_ledger(store: Store, *, from_: datetime, to: datetime, now: datetime) -> Ledger:
    """What the ledger knows about a span."""
    return Ledger(store.read(lambda c: slots.overlapping(c, from_ - AROUND, to + AROUND)), from_, to, now)


def heed_ledger(
    entries: Sequence[Entry], ledger: Ledger, definitions: Definitions, *, names: Collection[str] = ()
) -> list[Entry]:
    """The same lines, with those of slots that no file changes any more as the ledger has them; of the named schedules, or of all."""
    fixed = [slot for slot in ledger.slots if is_fixed(slot, ledger.now) and (not names or slot.schedule in names)]
    known = {(slot.schedule, *slot.identity) for slot in fixed}
    taken = {(slot.schedule, slot.opens_at) for slot in fixed}  # at one instant a schedule has one slot
    others = [
        as_unrecorded(entry, ledger.now)
        for entry in entries
        if (entry.schedule, entry.opening.rule_date, entry.opening.ordinal) not in known
        and (entry.schedule, entry.opening.opens) not in taken
    ]
    kept = [
        entry_of(slot, definitions) for slot in fixed if slot.opens_at < ledger.to and ledger.from_ < slot.closes_at
    ]
    return sorted([*others, *kept], key=place)


def is_fixed(slot: slots.Slot, now: datetime) -> bool:
    """Whether no file changes this slot any more: its time has come, or a person waived it."""
    return slot.opens_at <= now or slot.state is not SlotState.PLANNED


def as_unrecorded(entry: Entry, now: datetime) -> Entry:
    """An opening that has begun without a slot was not in the files in time, or nobody was there to write it."""
    if entry.opening.opens > now or entry.state == SWITCHED_OFF:
        return entry
    return replace(entry, state=UNRECORDED, reason=NOT_WRITTEN)


def entry_of(slot: slots.Slot, definitions: Definitions) -> Entry:
    """A slot as a line of the calendar; one whose schedule is gone is told by the clock of the maintenance repository."""
    schedule = definitions.schedules.get(slot.schedule)
    zone = schedule.window.timezone if schedule else definitions.settings.timezone
    state, reason = state_and_reason(slot)
    return Entry(slot.schedule, slot.window, zone, opening_of(slot), state, reason)


def state_and_reason(slot: slots.Slot) -> tuple[str, str]:
    """What has become of a slot, and why."""
    match slot.state:
        case SlotState.SETTLED:
            return slot.outcome or str(SlotOutcome.UNKNOWN), slot.reason
        case SlotState.CLAIMED:
            return RUNNING, slot.reason
        case SlotState.PLANNED:
            return DUE, NOT_LOOKED
    return DUE, slot.reason


def opening_of(slot: slots.Slot) -> Opening:
    """The opening that a slot was written for."""
    return Opening(
        window=slot.window,
        rule_date=slot.rule_date,
        ordinal=slot.ordinal,
        opens=slot.opens_at,
        closes=slot.closes_at,
        usable_from=slot.usable_from,
        usable_until=slot.usable_until,
        last_start=slot.last_start_at,
        frozen_by=slot.frozen_by,
        notes=slot.notes,
    )
