"""Days in words: `saturday`, `[sat, sun]`, `weekdays`, `daily`, `second tuesday`, `day 15`, `last day`, `last workday`; month by month."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from functools import lru_cache

from runner.domain.time.window import DayKind, DayRule
from runner.domain.time.workdays import Calendar

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
ORDINALS = {"first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "last": -1}
_SEVERAL = {"daily": tuple(range(7)), "weekdays": tuple(range(5))}
_WEEK = 7
_YEAR = 12
_EVERY_MONTH_HAS = 28  # days
_MOST_IN_EVERY_MONTH = 4  # of one weekday


def parse_day(text: str | Sequence[str]) -> DayRule:
    """Read the `day` of a window: a rule in words, or a list of weekdays; raises ValueError with the way out."""
    if not isinstance(text, str):
        days = tuple(sorted({parse_weekday(part) for part in text}))
        if not days:
            raise ValueError("an empty list names no day. Name at least one, such as [sat, sun]")
        return DayRule(DayKind.WEEKDAYS, weekdays=days, text=", ".join(WEEKDAYS[day] for day in days))
    words = text.lower().split()
    plain = " ".join(words)
    if plain in _SEVERAL:
        return DayRule(DayKind.WEEKDAYS, weekdays=_SEVERAL[plain], text=plain)
    if plain == "last day":
        return DayRule(DayKind.LAST_DAY, text=plain)
    if plain in {"first workday", "last workday"}:
        return DayRule(DayKind.WORKDAY, ordinal=ORDINALS[words[0]], text=plain)
    if found := re.fullmatch(r"day (\d{1,2})", plain, re.ASCII):
        return _day_of_month(int(found[1]))
    match words:
        case [word]:
            return DayRule(DayKind.WEEKDAYS, weekdays=(parse_weekday(word),), text=plain)
        case [ordinal, word] if ordinal in ORDINALS:
            return DayRule(DayKind.NTH_WEEKDAY, weekdays=(parse_weekday(word),), ordinal=ORDINALS[ordinal], text=plain)
    raise ValueError(_not_a_day(text))


def parse_month(text: str) -> int:
    """Read a month's name, short or long, as 1 to 12; raises ValueError with the way out."""
    short = text.lower()[:3]
    if short in MONTHS and _LONG_MONTHS[MONTHS.index(short)].startswith(text.lower()):
        return MONTHS.index(short) + 1
    raise ValueError(f"{text[:40]!r} is not a month. Months are {', '.join(MONTHS)}")


def dates_in_month(rule: DayRule, calendar: Calendar, year: int, month: int) -> list[date]:
    """The dates of one month that the rule names, in order; a date that the month does not have is left out, never moved."""
    if rule.kind is DayKind.WORKDAY:
        return _workday_in_month(rule, calendar, year, month)
    first_weekday, length = monthrange(year, month)
    match rule.kind:
        case DayKind.WEEKDAYS:
            days = [day for day in range(1, length + 1) if (first_weekday + day - 1) % _WEEK in rule.weekdays]
        case DayKind.NTH_WEEKDAY:
            all_days = range(1 + (rule.weekdays[0] - first_weekday) % _WEEK, length + 1, _WEEK)
            days = [all_days[-1]] if rule.ordinal < 0 else list(all_days[rule.ordinal - 1 : rule.ordinal])
        case DayKind.DAY_OF_MONTH:
            days = [rule.day] if rule.day <= length else []
        case DayKind.LAST_DAY:
            days = [length]
    return [date(year, month, day) for day in days]


def months_between(first: date, last: date) -> Iterator[tuple[int, int]]:
    """Every (year, month) from the one of `first` to the one of `last`."""
    for number in range(_number(first), _number(last) + 1):
        yield number // _YEAR, number % _YEAR + 1


def count_matches(rule: DayRule, months: Sequence[int], calendar: Calendar, *, first: date, before: date) -> int:
    """How many dates in [first, before) the rule names in these months; what is long ago is reckoned, or counted once and kept."""
    if rule.kind is DayKind.WEEKDAYS and not months:
        weeks, rest = divmod((before - first).days, _WEEK)
        return weeks * len(rule.weekdays) + sum((first.weekday() + day) % _WEEK in rule.weekdays for day in range(rest))
    chosen = tuple(months) or tuple(range(1, _YEAR + 1))
    whole = _in_months(rule, chosen, calendar, _number(first), _number(before))
    return whole - _before(rule, chosen, calendar, first) + _before(rule, chosen, calendar, before)


def _before(rule: DayRule, months: tuple[int, ...], calendar: Calendar, day: date) -> int:
    """How many dates the rule names in the day's month before that day."""
    if day.month not in months:
        return 0
    return sum(1 for found in dates_in_month(rule, calendar, day.year, day.month) if found < day)


@lru_cache(maxsize=4096)
def _in_months(rule: DayRule, months: tuple[int, ...], calendar: Calendar, from_: int, to: int) -> int:
    """How many dates the rule names from one month up to, without, another; both as numbers of months."""
    (first_year, first), (last_year, last) = divmod(from_, _YEAR), divmod(to, _YEAR)
    if _is_once_a_month(rule):
        years = (last_year - first_year) * len(months)
        return years - sum(month <= first for month in months) + sum(month <= last for month in months)
    whole = sum(
        sum(_in_year(rule, calendar, year)[month - 1] for month in months) for year in range(first_year, last_year)
    )
    head = sum(_in_year(rule, calendar, first_year)[month - 1] for month in months if month <= first)
    return whole - head + sum(_in_year(rule, calendar, last_year)[month - 1] for month in months if month <= last)


def _is_once_a_month(rule: DayRule) -> bool:
    """Whether the rule names exactly one date in every month; a fifth Friday and a day 31 do not come in each."""
    match rule.kind:
        case DayKind.NTH_WEEKDAY:
            return rule.ordinal <= _MOST_IN_EVERY_MONTH
        case DayKind.DAY_OF_MONTH:
            return rule.day <= _EVERY_MONTH_HAS
        case DayKind.LAST_DAY:
            return True
        case _:
            return False


@lru_cache(maxsize=4096)
def _in_year(rule: DayRule, calendar: Calendar, year: int) -> tuple[int, ...]:
    """How many dates the rule names in each month of a year."""
    return tuple(len(dates_in_month(rule, calendar, year, month)) for month in range(1, _YEAR + 1))


def _workday_in_month(rule: DayRule, calendar: Calendar, year: int, month: int) -> list[date]:
    """The first or last workday of a month; none where the whole month is not worked."""
    first, length = date(year, month, 1), monthrange(year, month)[1]
    start, step = (first, 1) if rule.ordinal > 0 else (first + timedelta(days=length - 1), -1)
    found = calendar.workday_from(start, step)
    return [found] if found and (found.year, found.month) == (year, month) else []


def _number(day: date) -> int:
    """The number of a day's month, counted from the year 0."""
    return day.year * _YEAR + day.month - 1


def parse_weekday(text: str) -> int:
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
        "first to fifth or last with a weekday (second tuesday), first workday, last workday, day 15, or last day"
    )


_LONG_MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
