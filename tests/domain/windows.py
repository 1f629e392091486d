"""Windows for tests, in the words of the files, and a plain and slow reading of the rules that the real one is held against."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from runner.domain.time.days import parse_day
from runner.domain.time.duration import parse_duration, parse_timedelta
from runner.domain.time.recurrence import rule_dates
from runner.domain.time.wallclock import parse_clock
from runner.domain.time.window import MaintenanceWindow, Missing, Roll, WhenFrozen
from runner.domain.time.workdays import Calendar

DAY = timedelta(days=1)


def day(text: str) -> date:
    return date.fromisoformat(text)


def days(*texts: str) -> tuple[date, ...]:
    return tuple(day(text) for text in texts)


def berlin(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Europe/Berlin")).astimezone(UTC)


def a_window(
    day: str | list[str] = "daily",
    start: str = "22:00",
    duration: str | None = "4h",
    until: str | None = None,
    *,
    timezone: str = "Europe/Berlin",
    cutoff: str = "0m",
    months: Sequence[int] = (),
    interval: int = 1,
    since: str | None = None,
    offset_days: int = 0,
    calendar: Calendar | None = None,
    roll: str = "none",
    exdate: Sequence[str] = (),
    rdate: Sequence[str] = (),
    dst: str = "shift",
    freeze: str = "cut",
    min_usable: str = "0m",
    splay: str = "0m",
) -> MaintenanceWindow:
    length = parse_duration(duration) if duration and not until else None
    return MaintenanceWindow(
        name="night",
        timezone=timezone,
        day=parse_day(day),
        start=parse_clock(start),
        duration=length.elapsed if length else None,
        days=length.days if length else 0,
        until=parse_clock(until) if until else None,
        cutoff=parse_timedelta(cutoff),
        months=tuple(months),
        interval=interval,
        since=date.fromisoformat(since) if since else None,
        offset_days=offset_days,
        calendar=calendar,
        roll=Roll(roll),
        without=days(*sorted(exdate)),
        besides=days(*sorted(rdate)),
        missing=Missing(dst),
        when_frozen=WhenFrozen(freeze),
        min_usable=parse_timedelta(min_usable),
        splay=parse_timedelta(splay),
    )


def landing(window: MaintenanceWindow, first: str, last: str) -> list[str]:
    """Where a window's dates land, as text."""
    return [found.lands.isoformat() for found in rule_dates(window, first=day(first), last=day(last))]


def slow_landing(window: MaintenanceWindow, *, first: date, last: date, far: timedelta) -> list[tuple[date, date]]:
    """(named, lands) by the rules read aloud: every day is asked, from the rule's beginning, far beyond both ends of the span."""
    assert window.day
    begins = window.since or first - far
    named = [each for each in walk(begins, last + far) if names(window, each)]
    chosen = named[:: window.interval]
    moved = [(each, rolled(window, each + timedelta(days=window.offset_days))) for each in chosen]
    found = [(each, lands) for each, lands in moved if lands is not None]
    found += [(each, each) for each in window.besides]
    merged: dict[date, date] = {}
    for each, lands in found:
        if lands not in window.without:
            merged.setdefault(lands, each)
    return [(merged[lands], lands) for lands in sorted(merged) if first <= lands <= last]


def walk(first: date, last: date) -> list[date]:
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


def names(window: MaintenanceWindow, each: date) -> bool:
    """Whether the day rule names this date, told from the date alone."""
    assert window.day
    if window.months and each.month not in window.months:
        return False
    text = window.day.text
    of_month = walk(each.replace(day=1), (each.replace(day=1) + timedelta(days=31)).replace(day=1) - DAY)
    calendar = window.calendar or Calendar()
    if text.endswith("workday"):
        worked = [found for found in of_month if calendar.is_workday(found)]
        return bool(worked) and each == worked[0 if text.startswith("first") else -1]
    if text == "last day":
        return each == of_month[-1]
    if text.startswith("day "):
        return each.day == int(text.removeprefix("day "))
    if window.day.ordinal:
        alike = [found for found in of_month if found.weekday() == window.day.weekdays[0]]
        place = window.day.ordinal - 1 if window.day.ordinal > 0 else -1
        return place < len(alike) and each == alike[place]
    return each.weekday() in window.day.weekdays


def rolled(window: MaintenanceWindow, each: date) -> date | None:
    calendar = window.calendar or Calendar()
    if window.roll is Roll.NONE or calendar.is_workday(each):
        return each
    if window.roll is Roll.SKIP:
        return None
    step = DAY if window.roll is Roll.NEXT_WORKDAY else -DAY
    for _ in range(366):
        each += step
        if calendar.is_workday(each):
            return each
    return None
