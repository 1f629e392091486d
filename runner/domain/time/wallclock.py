"""Local dates and times turned into instants, also on the days on which the clocks change."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import MAXYEAR, MINYEAR, UTC, date, datetime, time, timedelta, tzinfo
from enum import StrEnum
from functools import lru_cache
from zoneinfo import ZoneInfo

_SECOND, _NONE = timedelta(seconds=1), timedelta(0)
_DAY, _STEP = timedelta(days=1), timedelta(hours=12)  # no zone has ever jumped forward and back within half a day
_FIRST_DAY, _LAST_DAY = date(MINYEAR + 1, 1, 1).toordinal(), date(MAXYEAR - 1, 1, 1).toordinal()
_CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?", re.ASCII)


class Clocks(StrEnum):
    """How often a wall-clock time is shown on its day."""

    ONCE = "once"
    NEVER = "never"  # the clocks jump over it
    TWICE = "twice"  # the clocks are set back over it


@dataclass(frozen=True, slots=True)
class Resolved:
    """A wall-clock time as an instant in UTC, and how often the clocks show that time."""

    instant: datetime
    shown: Clocks


def parse_clock(text: str) -> time:
    """Read a time of day such as `22:00`; raises ValueError with the way out."""
    if found := _CLOCK.fullmatch(text):
        hour, minute, second = (int(part or 0) for part in found.groups())
        return time(hour, minute, second)
    if text == "24:00":
        raise ValueError('a day ends at "00:00" of the next. Write "00:00"')
    if short := re.fullmatch(r"(\d):([0-5]\d)", text, re.ASCII):
        raise ValueError(f'{text!r} is not a time of day. Write "0{short[0]}"')
    raise ValueError(f'{text[:40]!r} is not a time of day. Write hours and minutes, such as "22:00"')


def resolve(day: date, clock: time, zone: tzinfo) -> Resolved:
    """Turn a local date and time into an instant.

    A time that the clocks jump over becomes the first instant that exists; a time that occurs twice, the first of the two.
    """
    local, as_utc = datetime.combine(day, clock, zone), datetime.combine(day, clock, UTC).replace(fold=0)
    before, after = local.replace(fold=0).utcoffset() or _NONE, local.replace(fold=1).utcoffset() or _NONE
    first = as_utc - before
    if before == after:
        return Resolved(first, Clocks.ONCE)
    if before > after:
        return Resolved(first, Clocks.TWICE)
    return Resolved(_end_of_gap(as_utc - after, first, zone), Clocks.NEVER)


@lru_cache(maxsize=64)
def days_near_jumps(zone: ZoneInfo, first: date, last: date) -> tuple[date, ...]:
    """The days, from `first` to `last`, on which the clocks may jump forward: those of each jump, and their neighbours.

    There are a few a year, so that who looks for times that do not exist need not look at every day.
    """
    found: set[date] = set()
    instant, end = (
        datetime.combine(moved(first, -_DAY), time(0), UTC),
        datetime.combine(moved(last, _DAY), time(0), UTC),
    )
    offset = instant.astimezone(zone).utcoffset() or _NONE
    while instant <= end:
        instant += _STEP
        before, offset = offset, instant.astimezone(zone).utcoffset() or _NONE
        if offset > before:
            found.update(moved(local_day(instant, zone), step * _DAY) for step in range(-2, 2))
    return tuple(sorted(day for day in found if first <= day <= last))


def local_day(instant: datetime, zone: ZoneInfo) -> date:
    """The local date of an instant."""
    return instant.astimezone(zone).date()


def moved(day: date, span: timedelta) -> date:
    """Move a date, but not to the very ends of the calendar, where its instants could not be computed."""
    return date.fromordinal(min(max(day.toordinal() + span.days, _FIRST_DAY), _LAST_DAY))


def _end_of_gap(before: datetime, after: datetime, zone: tzinfo) -> datetime:
    """Find the instant at which the clocks jump, which lies in (before, after], to the second."""
    jumped = after.astimezone(zone).utcoffset()
    while after - before > _SECOND:
        middle = before + (after - before) // 2
        if middle.astimezone(zone).utcoffset() == jumped:
            after = middle
        else:
            before = middle
    return after.replace(microsecond=0)
