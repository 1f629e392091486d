"""A slot as people name it: by its schedule and the day on which it opens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.wiring import App

if TYPE_CHECKING:
    from runner.operations.time.waive_slot import Asked


def slot_asked_for(app: App, schedule: str, text: str) -> Asked:
    """A day, or the instant of an opening, in the zone of the schedule's window."""
    from zoneinfo import ZoneInfo

    from runner.cli.instants import parse_instant
    from runner.operations.execution.find_schedule import schedule_named
    from runner.operations.time.waive_slot import Asked

    zone = schedule_named(schedule, app.site.current()).window.timezone
    instant = parse_instant(text, now=app.clock(), zone=zone)
    day = instant.astimezone(ZoneInfo(zone)).date()
    return Asked(schedule, day, None if text.strip() == day.isoformat() else instant)
