"""A person's word that a slot need not be used, given before it opens; recorded with their name, and taken back the same way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from runner.domain.execution.run import SlotOutcome, SlotState
from runner.domain.execution.schedule import Schedule
from runner.domain.record.record import INSTALLATION
from runner.domain.time.wallclock import resolve
from runner.domain.who import Actor
from runner.errors import NotFound, UsageError
from runner.operations.execution.find_schedule import schedule_named
from runner.operations.site import Site
from runner.operations.time.keep_ledger import has_slots, keep_schedule
from runner.store.record import log as entries
from runner.store.time import slots
from runner.store.transaction import Transaction

WAIVED, TAKEN_BACK = "slot.waived", "slot.waiver_taken_back"
NAMED = 3  # openings that an error names


@dataclass(frozen=True, slots=True)
class Asked:
    """Which slot is meant: that of a schedule on a local day, or, with `opens`, the one that opens at that instant."""

    schedule: str
    day: date
    opens: datetime | None = None


def waive_slot(asked: Asked, *, reason: str, site: Site) -> slots.Slot:
    """Settle a slot that is still ahead as waived; raises UsageError once it has opened, NotFound when there is none."""
    if not reason.strip():
        raise UsageError("Say why it is waived: --reason 'the fair is on'. It becomes part of the record.")
    slot = slot_ahead(asked, site=site)
    if not site.store.write(partial(write_waiver, slot=slot, reason=reason, by=site.actor, at=site.clock())):
        raise UsageError(f"This slot of {slot.schedule!r} has just opened, or somebody else was first.")
    return slot


def take_waiver_back(asked: Asked, *, site: Site) -> slots.Slot:
    """Make a waived slot that is still ahead a planned one again, as the files have it now."""
    slot = slot_ahead(asked, site=site, waived=True)
    if not site.store.write(partial(write_return, slot=slot, by=site.actor, at=site.clock())):
        raise UsageError(f"This slot of {slot.schedule!r} has just opened, or somebody else was first.")
    write_ahead(schedule_named(slot.schedule, site.current()), site=site)
    return slot


def slot_ahead(asked: Asked, *, site: Site, waived: bool = False) -> slots.Slot:
    """The slot that is meant, if it can still be waived, or its waiver taken back."""
    schedule = schedule_named(asked.schedule, site.current())
    write_ahead(schedule, site=site)
    found = site.store.read(partial(slots_meant, asked=asked, zone=ZoneInfo(schedule.window.timezone)))
    slot = the_one(asked, found, schedule, site=site)
    if problem := in_the_way(slot, waived=waived, now=site.clock()):
        raise UsageError(f"The slot of {slot.schedule!r} that opens {opening_in_words(slot, schedule)} {problem}")
    return slot


def write_ahead(schedule: Schedule, *, site: Site) -> None:
    """Write the schedule's slots ahead, as a daemon does: there may never have been one."""
    if has_slots(schedule):
        keep_schedule(schedule, site.current(), site=site)


def slots_meant(connection: Transaction, *, asked: Asked, zone: ZoneInfo) -> list[slots.Slot]:
    """The slots that open on that day, as the calendar shows it, or else those whose rule names it."""
    midnight = resolve(asked.day, time(0), zone).instant
    following = resolve(asked.day + timedelta(days=1), time(0), zone).instant
    opening = slots.between(connection, midnight, following, [asked.schedule])
    if asked.opens is not None:
        return [slot for slot in opening if slot.opens_at == asked.opens]
    return opening or slots.of_date(connection, asked.schedule, asked.day)


def the_one(asked: Asked, found: Sequence[slots.Slot], schedule: Schedule, *, site: Site) -> slots.Slot:
    """The only slot among those found; raises NotFound with the next ones, UsageError when the day has several."""
    if len(found) > 1:
        openings = ", ".join(opening_in_words(slot, schedule) for slot in found)
        raise UsageError(f"{asked.schedule!r} has several slots on {asked.day}: {openings}. Give the time, too.")
    if not found:
        now = site.clock()
        ahead = site.store.read(lambda c: slots.between(c, now, now + timedelta(days=366), [asked.schedule]))
        following = ", ".join(opening_in_words(slot, schedule) for slot in ahead[:NAMED])
        raise NotFound(
            f"{asked.schedule!r} has no slot on {asked.day}. "
            + (f"The next ones: {following}." if following else "It has none ahead at all: see `wellkept calendar`.")
        )
    return found[0]


def in_the_way(slot: slots.Slot, *, waived: bool, now: datetime) -> str:
    """Why this slot cannot be waived, or its waiver taken back; nothing when it can."""
    is_waived = slot.state is SlotState.SETTLED and slot.outcome == SlotOutcome.WAIVED
    if slot.opens_at <= now:
        return (
            "has opened already. `wellkept runs list` shows what became of it, `wellkept pause` keeps it from starting."
        )
    if is_waived and not waived:
        return f"is {slot.reason} already. To take that back: --undo"
    return "is not waived." if waived and not is_waived else ""


def opening_in_words(slot: slots.Slot, schedule: Schedule) -> str:
    """When a slot opens, in its window's own zone."""
    zone = schedule.window.timezone
    return f"{slot.opens_at.astimezone(ZoneInfo(zone)):%a %Y-%m-%d %H:%M} {zone}"


def write_waiver(connection: Transaction, *, slot: slots.Slot, reason: str, by: Actor, at: datetime) -> bool:
    """The outcome and its log entry in one transaction; False when it has opened meanwhile."""
    words = f"waived by {by}: {reason}"
    waived = slots.settle(connection, slot.id, outcome=SlotOutcome.WAIVED, reason=words, was=SlotState.PLANNED, at=at)
    if waived:
        entries.append(connection, INSTALLATION, [{**body_of(WAIVED, slot, by), "reason": reason}], at=at)
    return waived


def write_return(connection: Transaction, *, slot: slots.Slot, by: Actor, at: datetime) -> bool:
    """The slot as it was before, and its log entry, in one transaction; False when it has opened meanwhile."""
    returned = slots.take_back(connection, slot.id, now=at)
    if returned:
        entries.append(connection, INSTALLATION, [body_of(TAKEN_BACK, slot, by)], at=at)
    return returned


def body_of(action: str, slot: slots.Slot, by: Actor) -> dict[str, object]:
    """What a person did to a slot, as a log entry."""
    return {
        "action": action,
        "slot": slot.id,
        "schedule": slot.schedule,
        "rule_date": slot.rule_date.isoformat(),
        "ordinal": slot.ordinal,
        "opens": slot.opens_at.isoformat(),
        "by": by.name,
    }
