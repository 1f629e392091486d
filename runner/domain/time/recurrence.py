"""Which dates a rule names: `saturday`, `[sat, sun]`, `weekdays`, `daily`, `second tuesday`, `day 15`, `last day`.

Everything here is about local dates, month by month; clocks and zones come later (domain.wallclock, domain.occurrence).
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from runner.domain.time.wallclock import moved
from runner.domain.time.window import DayKind, DayRule

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
ORDINALS = {"first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "last": -1}
EVERY_DATE = timedelta(days=41 * 366)  # 29 February on a given weekday comes back within 40 years, also over 2100
_SEVERAL = {"daily": tuple(range(7)), "weekdays": tuple(range(5))}
_REACH = timedelta(0)  # how far a named date may be moved before it lands; offset and roll will widen it


@dataclass(frozen=True, slots=True)
class RuleDate:
    """A date that a rule names, and where it lands; both are the same while nothing moves dates.

    `named` and `ordinal` (from 1, among the openings of one named date) are its identity.
    """

    named: date
    lands: date
    ordinal: int = 1


def parse_day(text: str | Sequence[str]) -> DayRule:
    """Read the `day` of a window: a rule in words, or a list of weekdays; raises ValueError with the way out."""
    if not isinstance(text, str):
        days = tuple(sorted({_weekday(part) for part in text}))
        if not days:
            raise ValueError("an empty list names no day. Name at least one, such as [sat, sun]")
        return DayRule(DayKind.WEEKDAYS, weekdays=days, text=", ".join(WEEKDAYS[day] for day in days))
    words = text.lower().split()
    plain = " ".join(words)
    if plain in _SEVERAL:
        return DayRule(DayKind.WEEKDAYS, weekdays=_SEVERAL[plain], text=plain)
    if plain == "last day":
        return DayRule(DayKind.LAST_DAY, text=plain)
    if found := re.fullmatch(r"day (\d{1,2})", plain, re.ASCII):
        return _day_of_month(int(found[1]))
    match words:
        case [word]:
            return DayRule(DayKind.WEEKDAYS, weekdays=(_weekday(word),), text=plain)
        case [ordinal, word] if ordinal in ORDINALS:
            return DayRule(DayKind.NTH_WEEKDAY, weekdays=(_weekday(word),), ordinal=ORDINALS[ordinal], text=plain)
    raise ValueError(_not_a_day(text))


def parse_month(text: str) -> int:
    """Read a month's name, short or long, as 1 to 12; raises ValueError with the way out."""
    short = text.lower()[:3]
    if short in MONTHS and _LONG_MONTHS[MONTHS.index(short)].startswith(text.lower()):
        return MONTHS.index(short) + 1
    raise ValueError(f"{text[:40]!r} is not a month. Months are {', '.join(MONTHS)}")


def rule_dates(rule: DayRule, months: Sequence[int], *, first: date, last: date) -> Iterator[RuleDate]:
    """The dates on which a window opens, from `first` to `last` (both included), in order.

    Order of evaluation: the months on the rule's own date, then the day. Whatever moves, skips or adds dates (interval, offset, roll, exdate,
    rdate) belongs between here and the filter on where a date lands.
    """
    named = named_dates(rule, months, first=moved(first, -_REACH), last=moved(last, _REACH))
    landed = (RuleDate(day, day) for day in named)
    yield from (day for day in landed if first <= day.lands <= last)


def named_dates(rule: DayRule, months: Sequence[int], *, first: date, last: date) -> Iterator[date]:
    """The dates that a rule itself names, from `first` to `last` (both included), in order."""
    for year, month in _months_between(first, last):
        if not months or month in months:
            yield from (day for day in _dates_in_month(rule, year, month) if first <= day <= last)


def ever_occurs(rule: DayRule, months: Sequence[int], *, since: date) -> bool:
    """Whether the rule names any date after `since`; bounded by 41 years, after which no new date can come."""
    return next(rule_dates(rule, months, first=since, last=moved(since, EVERY_DATE)), None) is not None


def _dates_in_month(rule: DayRule, year: int, month: int) -> list[date]:
    """The dates of one month that the rule names, in order; a date that the month does not have is left out, never moved."""
    first_weekday, length = monthrange(year, month)
    match rule.kind:
        case DayKind.WEEKDAYS:
            days = [day for day in range(1, length + 1) if (first_weekday + day - 1) % 7 in rule.weekdays]
        case DayKind.NTH_WEEKDAY:
            all_days = range(1 + (rule.weekdays[0] - first_weekday) % 7, length + 1, 7)
            days = [all_days[-1]] if rule.ordinal < 0 else list(all_days[rule.ordinal - 1 : rule.ordinal])
        case DayKind.DAY_OF_MONTH:
            days = [rule.day] if rule.day <= length else []
        case DayKind.LAST_DAY:
            days = [length]
    return [date(year, month, day) for day in days]


def _months_between(first: date, last: date) -> Iterator[tuple[int, int]]:
    """Every (year, month) from the one of `first` to the one of `last`."""
    for number in range(first.year * 12 + first.month - 1, last.year * 12 + last.month):
        yield number // 12, number % 12 + 1


def _weekday(text: str) -> int:
    """Read a weekday's name, short (`sat`) or long, as Monday = 0."""
    word = text.strip().lower()
    for number, name in enumerate(WEEKDAYS):
        if len(word) >= len("mon") and name.startswith(word):
            return number
    raise ValueError(_not_a_day(text))


def _day_of_month(day: int) -> DayRule:
    """The rule `day 15`."""
    if not 1 <= day <= 31:  # noqa: PLR2004  a month's longest
        raise ValueError(f"no month has a day {day}. Write day 1 to day 31, or last day")
    return DayRule(DayKind.DAY_OF_MONTH, day=day, text=f"day {day}")


def _not_a_day(text: str) -> str:
    """Say which words make a rule."""
    return (
        f"{text[:40]!r} names no day. Write a weekday (saturday), a list ([sat, sun]), weekdays, daily, "
        "first to fifth or last with a weekday (second tuesday), day 15, or last day"
    )


_LONG_MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
