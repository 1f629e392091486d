"""The words for the period of a report: `last_month`, `2026-Q3`, `2026-10`, `2026-10-01..2026-10-15`.

Every period is whole local days; its ends are the midnights of a named zone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import MAXYEAR, MINYEAR, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from runner.domain.report import Period
from runner.domain.time.wallclock import local_day, resolve

GRAMMAR = "last_week, last_month, last_quarter, 2026-Q3, 2026-10 or 2026-10-01..2026-10-15"
LONGEST = timedelta(days=3660)

_DAY = timedelta(days=1)
_QUARTER = re.compile(r"(\d{4})-Q([1-4])", re.ASCII | re.IGNORECASE)
_MONTH = re.compile(r"(\d{4})-(\d\d)", re.ASCII)
_DAYS = re.compile(r"(\d{4}-\d\d-\d\d)\.\.(\d{4}-\d\d-\d\d)", re.ASCII)
_ONE_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_MONTHS_OF_QUARTER = 3
_MONTHS_OF_YEAR = 12
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_QUARTERS = ("first", "second", "third", "fourth")


def parse_period(text: str, *, today: date, zone: ZoneInfo) -> Period:
    """Read the words for a period; `today` is the local date that `last_month` and its like count back from.

    A range names its first and last day, both included. The label is the period in figures (`2026-10`, also for `last_month`), fit for a file's name.
    Raises ValueError with the way out.
    """
    words = text.strip()
    if relative := _RELATIVE.get(words.lower()):
        return relative(today, zone)
    if found := _QUARTER.fullmatch(words):
        return _quarter(_year(found[1]), int(found[2]), zone)
    if found := _MONTH.fullmatch(words):
        return _month(_year(found[1]), _month_number(found[2]), zone)
    if found := _DAYS.fullmatch(words):
        return _range(_day(found[1]), _day(found[2]), zone)
    if _ONE_DAY.fullmatch(words):
        raise ValueError(f"{words!r} is a single day. Write {words}..{words}")
    raise ValueError(f"{words[:40]!r} is not a period. Write {GRAMMAR}")


def in_words(period: Period, zone: ZoneInfo) -> str:
    """The period as people say it: `October 2026`, `third quarter of 2026`, `1 to 15 October 2026`."""
    first = local_day(period.starts, zone)
    last = local_day(period.ends - timedelta.resolution, zone)
    if first.day == 1 and last + _DAY == _first_of(first, months_on=1):
        return f"{_MONTHS[first.month - 1]} {first.year}"
    if first.day == 1 and first.month % _MONTHS_OF_QUARTER == 1 and last + _DAY == _first_of(first, months_on=3):
        return f"{_QUARTERS[first.month // _MONTHS_OF_QUARTER]} quarter of {first.year}"
    return _days_in_words(first, last)


def _days_in_words(first: date, last: date) -> str:
    """A span of days without saying twice what both ends share."""
    end = f"{last.day} {_MONTHS[last.month - 1]} {last.year}"
    if first == last:
        return end
    start = str(first.day)
    if (first.year, first.month) != (last.year, last.month):
        start += f" {_MONTHS[first.month - 1]}"
    if first.year != last.year:
        start += f" {first.year}"
    return f"{start} to {end}"


def _last_week(today: date, zone: ZoneInfo) -> Period:
    """The last whole week before this one, Monday to Sunday (ISO 8601)."""
    monday = today - timedelta(days=today.weekday() + 7)
    year, week, _ = monday.isocalendar()
    return _between(monday, monday + timedelta(days=7), f"{year}-W{week:02d}", zone)


def _last_month(today: date, zone: ZoneInfo) -> Period:
    before = today.replace(day=1) - _DAY
    return _month(before.year, before.month, zone)


def _last_quarter(today: date, zone: ZoneInfo) -> Period:
    begun = (today.month - 1) // _MONTHS_OF_QUARTER  # quarters of this year that are over
    return _quarter(today.year, begun, zone) if begun else _quarter(today.year - 1, 4, zone)


_RELATIVE: Mapping[str, Callable[[date, ZoneInfo], Period]] = {
    "last_week": _last_week,
    "last_month": _last_month,
    "last_quarter": _last_quarter,
}


def _quarter(year: int, quarter: int, zone: ZoneInfo) -> Period:
    first = date(year, _MONTHS_OF_QUARTER * (quarter - 1) + 1, 1)
    return _between(first, _first_of(first, months_on=_MONTHS_OF_QUARTER), f"{year}-Q{quarter}", zone)


def _month(year: int, month: int, zone: ZoneInfo) -> Period:
    first = date(year, month, 1)
    return _between(first, _first_of(first, months_on=1), f"{year}-{month:02d}", zone)


def _range(first: date, last: date, zone: ZoneInfo) -> Period:
    if last < first:
        raise ValueError(f"{first}..{last} ends before it begins. Write {last}..{first}")
    if last - first > LONGEST:
        raise ValueError(f"{first}..{last} is longer than ten years. Choose a shorter period")
    return _between(first, last + _DAY, f"{first}..{last}", zone)


def _between(first: date, after: date, label: str, zone: ZoneInfo) -> Period:
    return Period(_midnight(first, zone), _midnight(after, zone), label)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    """The first instant of a local day; on a day that begins with a lost hour, the first that exists."""
    return resolve(day, time(0), zone).instant


def _first_of(day: date, *, months_on: int) -> date:
    """The first day of a later month."""
    years, month = divmod(day.month - 1 + months_on, _MONTHS_OF_YEAR)
    return date(day.year + years, month + 1, 1)


def _year(text: str) -> int:
    return _day(f"{text}-01-01").year


def _month_number(text: str) -> int:
    if not 1 <= int(text) <= _MONTHS_OF_YEAR:
        raise ValueError(f"there is no month {text}. Write 01 to 12, such as 2026-10")
    return int(text)


def _day(text: str) -> date:
    """Read a date, but none so near the ends of the calendar that its instants could not be computed."""
    try:
        day = date.fromisoformat(text)
    except ValueError as reason:
        raise ValueError(f"there is no day {text}. Write year, month and day, such as 2026-10-01") from reason
    if not MINYEAR + 1 <= day.year < MAXYEAR:
        raise ValueError(f"{text[:4]} is not a year of any report. Write one such as 2026")
    return day
