"""Spans that people speak of by name: the coming night, weekend or week, by the wall clock of a zone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from runner.domain.time.wallclock import local_day, resolve

EVENING, MORNING, MIDNIGHT = time(18), time(6), time(0)
FRIDAY = 4
_DAY = timedelta(days=1)
_WEEK = timedelta(days=7)

Span = tuple[datetime, datetime]


def coming(name: str, *, now: datetime, zone: ZoneInfo) -> Span:
    """The span [from, to) of that name: the one that is going on, from now on, or else the next. A week is always the next one.

    A night lasts from 18:00 to 06:00, a weekend from Friday 18:00 to Monday 06:00, a week from Monday to Monday. Raises KeyError for another name.
    """
    today = local_day(now, zone)
    spans = (SPANS[name](today + days * _DAY, zone) for days in range(-3, 14))
    starts, ends = next(span for span in spans if span is not None and is_ahead(name, span, now))
    return max(starts, now), ends


def is_ahead(name: str, span: Span, now: datetime) -> bool:
    """Whether a span is the one that is meant: a week that has begun is this week, not the next."""
    return span[0] > now if name == "week" else span[1] > now


def night(day: date, zone: ZoneInfo) -> Span | None:
    """The night that begins on that day."""
    return _between(day, EVENING, day + _DAY, MORNING, zone)


def weekend(day: date, zone: ZoneInfo) -> Span | None:
    """The weekend that begins on that day, if it is a Friday."""
    return _between(day, EVENING, day + 3 * _DAY, MORNING, zone) if day.weekday() == FRIDAY else None


def week(day: date, zone: ZoneInfo) -> Span | None:
    """The week that begins on that day, if it is a Monday."""
    return _between(day, MIDNIGHT, day + _WEEK, MIDNIGHT, zone) if day.weekday() == 0 else None


def _between(first: date, start: time, last: date, end: time, zone: ZoneInfo) -> Span:
    return resolve(first, start, zone).instant, resolve(last, end, zone).instant


SPANS: Mapping[str, Callable[[date, ZoneInfo], Span | None]] = {"night": night, "weekend": weekend, "week": week}
