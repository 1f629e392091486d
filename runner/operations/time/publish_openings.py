"""Openings as events of a calendar that others subscribe to, in plain words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from zoneinfo import ZoneInfo

from runner.domain.execution.run import SlotOutcome, Verdict
from runner.domain.execution.schedule import Schedule
from runner.domain.settings import Definitions
from runner.operations.time.heed_ledger import CALLED_OFF, RUNNING, WAIVED
from runner.operations.time.list_openings import SWITCHED_OFF, Entry
from runner.reporting.ics import CalendarEvent, calendar_file

VERDICTS = frozenset(map(str, Verdict))


def publish_openings(entries: Sequence[Entry], definitions: Definitions) -> bytes:
    """The calendar file of these openings; the same openings give the same bytes."""
    name = f"Maintenance: {definitions.settings.organisation}"
    return calendar_file(name, [event_of(entry, definitions.schedules.get(entry.schedule)) for entry in entries])


def event_of(entry: Entry, schedule: Schedule | None) -> CalendarEvent:
    """One opening; its key is what a slot is known by: schedule, rule date and ordinal."""
    opening, cancelled = entry.opening, entry.state in CALLED_OFF
    owner = ("schedule", entry.schedule) if entry.schedule else ("window", entry.window)
    return CalendarEvent(
        key=(*owner, opening.rule_date.isoformat(), str(opening.ordinal)),
        starts=opening.opens if cancelled else opening.usable_from,
        ends=opening.closes if cancelled else opening.usable_until,
        summary=schedule.title if schedule else entry.schedule or f"Maintenance window {entry.window}",
        description="\n".join(sentences(entry, schedule)),
        cancelled=cancelled,
    )


def sentences(entry: Entry, schedule: Schedule | None) -> Iterator[str]:
    """What somebody who sees the event wants to know."""
    opening, zone = entry.opening, ZoneInfo(entry.zone)
    if schedule and schedule.why:
        yield schedule.why
    if schedule and schedule.is_manual:
        yield "A person does it; no program runs."
    elif schedule:
        yield f"Hosts: {schedule.hosts} (inventory {schedule.inventory})."
    if schedule and schedule.owner:
        yield f"Answers for it: {schedule.owner}."
    yield f"Window: {entry.window}, {opening.opens.astimezone(zone):%H:%M} to {opening.closes.astimezone(zone):%H:%M} {entry.zone}."
    if became := what_became(entry):
        yield f"{became}."
    elif not (schedule and schedule.is_manual):
        yield f"Last start: {opening.last_start.astimezone(zone):%H:%M}."
    if opening.frozen_by and not opening.is_frozen:
        yield f"Cut short by {', '.join(opening.frozen_by)}."
    yield from (f"{note[0].upper()}{note[1:]}." for note in opening.notes)


def what_became(entry: Entry) -> str:
    """What is known about an opening beyond its times; nothing while it is only planned or due."""
    state, reason = entry.state, entry.reason
    if state == SWITCHED_OFF:
        return "The schedule is switched off: nothing happens"
    if state == WAIVED:
        return f"Nothing happens: {reason}"
    if entry.opening.is_frozen:
        return f"Nothing happens: frozen by {', '.join(entry.opening.frozen_by)}"
    if state in CALLED_OFF:
        return f"Nothing was done, {state}: {reason}"
    if state == RUNNING:
        return "It is going on now"
    if state in VERDICTS:
        return f"It ended as {state}" + (f": {reason}" if reason else "")
    return f"A person did it: {reason}" if state == SlotOutcome.DONE else ""
