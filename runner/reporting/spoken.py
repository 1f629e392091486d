"""Moments, lengths and sizes as people read them; the same words whatever locale the machine has."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from runner.domain.time.duration import describe
from runner.reporting.lines import Moment

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MINUTE = 60
_STEP = 1024
_UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB")


def day_in_words(moment: Moment) -> str:
    """The local date: `Sun 4 Oct 2026`."""
    return _day(datetime.fromisoformat(moment.local))


def local_time(moment: Mapping[str, str]) -> str:
    """The local date and time with its zone: `Sun 4 Oct 2026, 02:00 CEST`."""
    at = datetime.fromisoformat(moment["local"])
    return f"{_day(at)}, {at:%H:%M} {moment['zone']}".rstrip()


def local_span(start: Mapping[str, str], end: Mapping[str, str]) -> str:
    """From one moment to another, the second date only when it is another one."""
    first, last = (datetime.fromisoformat(moment["local"]) for moment in (start, end))
    zone = "" if start["zone"] == end["zone"] else f" {start['zone']}"
    until = (
        f"{last:%H:%M} {end['zone']}" if first.date() == last.date() else f"{_day(last)}, {last:%H:%M} {end['zone']}"
    )
    return f"{_day(first)}, {first:%H:%M}{zone} to {until}".rstrip()


def utc_span(start: Mapping[str, str], end: Mapping[str, str]) -> str:
    """From one moment to another in UTC, as figures."""
    first, last = (datetime.fromisoformat(moment["utc"]) for moment in (start, end))
    until = f"{last:%H:%M}" if first.date() == last.date() else f"{last:%Y-%m-%d %H:%M}"
    return f"{first:%Y-%m-%d %H:%M} to {until} UTC"


def utc_time(moment: Mapping[str, str]) -> str:
    """The moment in UTC: `2026-10-04 00:00 UTC`."""
    return f"{datetime.fromisoformat(moment['utc']):%Y-%m-%d %H:%M} UTC"


def length(seconds: float | None) -> str:
    """A length of time to the minute, or to the second below ten minutes."""
    if seconds is None:
        return "not known"
    span = timedelta(seconds=int(seconds))
    if span >= timedelta(minutes=10):
        span = timedelta(minutes=round(span.total_seconds() / _MINUTE))
    return _parted(describe(span)) if span else "0 s"


def size(number: int) -> str:
    """A size in bytes: `1.4 MiB`."""
    value = float(number)
    for unit in _UNITS:
        if value < _STEP or unit == _UNITS[-1]:
            return f"{value:.0f} {unit}" if unit == "bytes" else f"{value:.1f} {unit}"
        value /= _STEP
    raise AssertionError("the last unit takes every size")


def percentage(number: float) -> str:
    """A percentage without a needless `.0`."""
    return f"{number:g} %"


def short_id(text: str) -> str:
    """The beginning of a record's id: a UUID's first two groups."""
    return text[:13]


def brief(text: str, most: int = 240) -> str:
    """A message in one line, shortened in the middle: its end often says more than its beginning."""
    plain = " ".join(text.split())
    half = (most - 3) // 2
    return plain if len(plain) <= most else f"{plain[:half]} … {plain[-half:]}"


def _day(at: datetime) -> str:
    return f"{WEEKDAYS[at.weekday()]} {at.day} {MONTHS[at.month - 1]} {at.year}"


def _parted(text: str) -> str:
    """`1h30m` as `1 h 30 min`."""
    words: Any = {"d": " d ", "h": " h ", "m": " min ", "s": " s "}
    return "".join(words.get(letter, letter) for letter in text).strip()
