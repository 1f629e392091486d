"""Which dates a window names, and where each lands: the rule's own dates, then interval, offset, roll, exdate and rdate.

Everything here is about local dates; clocks and zones come later (domain.wallclock, domain.occurrence). Whatever is asked for a span costs what
the span costs, however long ago the rule began.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from heapq import merge
from itertools import groupby

from runner.domain.time.days import count_matches, dates_in_month, months_between
from runner.domain.time.wallclock import moved
from runner.domain.time.window import MaintenanceWindow, Roll
from runner.domain.time.workdays import LONGEST_REST, MONDAY_TO_FRIDAY, Calendar

EVERY_DATE = timedelta(days=41 * 366)  # 29 February on a given weekday comes back within 40 years, also over 2100
_DAY = timedelta(days=1)
_PLAIN = Calendar(workdays=MONDAY_TO_FRIDAY)


@dataclass(frozen=True, slots=True)
class RuleDate:
    """A date that a rule names, and where it lands; `start` is set where the rule names times of day, too.

    `named` and `ordinal` (from 1, among the openings of one named date) are its identity.
    """

    named: date
    lands: date
    ordinal: int = 1
    start: time | None = None


def rule_dates(window: MaintenanceWindow, *, first: date, last: date) -> Iterator[RuleDate]:
    """The dates on which a window opens, from `first` to `last` (both included), in order.

    Order of evaluation: months on the rule's own date, day, interval, offset, roll; then exdate and rdate on the resulting dates. Equal ones merge
    into the first.
    """
    landed = _landed(window, first=first, last=last)
    if not (window.without or window.besides) and window.roll is Roll.NONE:
        yield from landed  # nothing is taken out, added, or can meet
        return
    every = merge(landed, _added(window, first=first, last=last), key=_place) if window.besides else landed
    before: tuple[date, time] | None = None
    for found in every:
        if _place(found) != before and found.lands not in window.without:
            yield found
        before = _place(found)


def named_dates(window: MaintenanceWindow, *, first: date, last: date) -> Iterator[RuleDate]:
    """What the rule itself names, from `first` to `last` (both included), in order, with its interval; nothing has moved yet."""
    if window.since is not None:
        first = max(first, window.since)
    if window.rule is not None:
        yield from _of_other_rule(window, first=first, last=last)
        return
    found = _matches(window, first=first, last=last)
    chosen = _every(window, found) if window.interval > 1 and window.since is not None else found
    yield from (RuleDate(day, day) for day in chosen)


def ever_occurs(window: MaintenanceWindow, *, since: date) -> bool:
    """Whether the window opens on any date from `since` on; bounded by 41 years, after which no new date can come."""
    return next(rule_dates(window, first=since, last=moved(since, EVERY_DATE)), None) is not None


def _landed(window: MaintenanceWindow, *, first: date, last: date) -> Iterator[RuleDate]:
    """What the rule names, moved by offset and roll, where it lands from `first` to `last`."""
    if not window.offset_days and window.roll is Roll.NONE:
        yield from named_dates(window, first=first, last=last)
        return
    offset = timedelta(days=window.offset_days)
    earliest, latest = _before_roll(window, first=first, last=last)
    for found in named_dates(window, first=moved(earliest, -offset), last=moved(latest, -offset)):
        lands = _rolled(window, found.named + offset)
        if lands is not None and first <= lands <= last:
            yield RuleDate(found.named, lands, found.ordinal, found.start)


def _before_roll(window: MaintenanceWindow, *, first: date, last: date) -> tuple[date, date]:
    """From where to where a date may lie that is rolled into [first, last]: further by the days just outside that are not worked."""
    calendar = window.calendar or _PLAIN
    if window.roll is Roll.NEXT_WORKDAY:
        before = calendar.workday_from(first - _DAY, -1)
        return (before + _DAY if before else moved(first, -LONGEST_REST)), last
    if window.roll is Roll.PREVIOUS_WORKDAY:
        after = calendar.workday_from(last + _DAY, 1)
        return first, (after - _DAY if after else moved(last, LONGEST_REST))
    return first, last


def _rolled(window: MaintenanceWindow, day: date) -> date | None:
    """Where a date lands that may not be worked; None when it is left out."""
    if window.roll is Roll.NONE:
        return day
    calendar = window.calendar or _PLAIN
    if window.roll is Roll.SKIP:
        return day if calendar.is_workday(day) else None
    return calendar.workday_from(day, 1 if window.roll is Roll.NEXT_WORKDAY else -1)


def _added(window: MaintenanceWindow, *, first: date, last: date) -> Iterator[RuleDate]:
    """The dates of rdate; where the rule names the same date for an opening elsewhere, the added one is a further opening of that date."""
    for day in window.besides:
        if first <= day <= last:
            ordinal = 1 + sum(1 for _ in named_dates(window, first=day, last=day))
            yield RuleDate(day, day, ordinal)


def _matches(window: MaintenanceWindow, *, first: date, last: date) -> Iterator[date]:
    """The dates that the day rule names in the window's months."""
    if window.day is None:
        return
    calendar = window.calendar or _PLAIN
    for year, month in months_between(first, last):
        if not window.months or month in window.months:
            yield from (day for day in dates_in_month(window.day, calendar, year, month) if first <= day <= last)


def _every(window: MaintenanceWindow, days: Iterator[date]) -> Iterator[date]:
    """Every `interval`-th of these matches, counted from the first on or after `since`; the count is reckoned once, not walked."""
    rank: int | None = None
    for day in days:
        rank = _rank(window, day) if rank is None else rank + 1
        if rank % window.interval == 0:
            yield day


def _rank(window: MaintenanceWindow, day: date) -> int:
    """How many matches lie from `since` up to, without, this day."""
    assert window.day and window.since  # noqa: S101, PT018  the caller has looked
    return count_matches(window.day, window.months, window.calendar or _PLAIN, first=window.since, before=day)


def _of_other_rule(window: MaintenanceWindow, *, first: date, last: date) -> Iterator[RuleDate]:
    """What a rule in a language of its own names, those of one date numbered."""
    if window.rule is None or first > last:
        return
    for day, starts in groupby(window.rule.starts(first, last), key=datetime.date):
        if not window.months or day.month in window.months:
            for ordinal, start in enumerate(starts, start=1):
                yield RuleDate(day, day, ordinal, start.time() if window.rule.has_times else None)


def _place(found: RuleDate) -> tuple[date, time]:
    return found.lands, found.start or time.min
