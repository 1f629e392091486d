"""When a cron line runs: in the words of a window where they say the same, and how often and how close to one another.

Follows crontab(5) of Vixie cron and cronie: when neither day field begins with `*`, a day need match only one of the two.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import pairwise

from runner.domain.adoption.crontab import DayTest, Unsayable
from runner.domain.time.days import MONTHS, ORDINALS, WEEKDAYS

_SHORT = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_FIVE = 5
_DAYS_OF_WEEK = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_EVERY_DAY, _EVERY_WEEKDAY, _EVERY_MONTH = frozenset(range(1, 32)), frozenset(range(7)), frozenset(range(1, 13))
_MAY_BE_LAST = frozenset(range(28, 32))
_NTH = {frozenset(range(7 * n + 1, min(7 * n + 8, 32))): n + 1 for n in range(5)}  # days of a month -> first to fifth
_YEARS = (date(2025, 1, 1), date(2028, 12, 31))  # a leap year among them
_DAY = timedelta(days=1)


class NoPlainWords(Unsayable):
    """The words of a window do not say when this line runs, but a cron expression in a window does."""


@dataclass(frozen=True, slots=True)
class CronRule:
    """When an entry runs, in the words of a window: day, start and months, or a `cron` expression alone."""

    day: str | tuple[str, ...] = ""
    start: str = ""
    months: tuple[str, ...] = ()
    cron: str = ""


@dataclass(frozen=True, slots=True)
class Fields:
    """The five fields, each as all its numbers; `either`: a day need match only one of the two day fields."""

    text: str
    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]  # Monday = 0
    either: bool

    @property
    def per_day(self) -> int:
        """How often it runs on a day on which it runs."""
        return len(self.minutes) * len(self.hours)

    def matches(self, day: date) -> bool:
        """Whether it runs on this day."""
        matching = day.day in self.days, day.weekday() in self.weekdays
        return day.month in self.months and (any(matching) if self.either else all(matching))


@dataclass(frozen=True, slots=True)
class Rate:
    """How many times a year at most, and how long from one time to the next at least; a year when there is no next."""

    per_year: int
    shortest_gap: timedelta


def rate_of(fields: Fields) -> Rate:
    """How often and how close together, over four years with a leap year among them."""
    days = [day for day in _walk(*_YEARS) if fields.matches(day)]
    per_year = [sum(day.year == year for day in days) for year in range(_YEARS[0].year, _YEARS[1].year + 1)]
    times = sorted(time(hour, minute) for hour in fields.hours for minute in fields.minutes)
    starts = [datetime.combine(day, clock) for day in days[:1] for clock in times]
    ends = ((datetime.combine(day, times[-1]), datetime.combine(after, times[0])) for day, after in pairwise(days))
    gaps = [later - earlier for earlier, later in (*pairwise(starts), *ends)]
    return Rate(max(per_year) * len(times), min(gaps, default=timedelta(days=365)))


def _walk(first: date, last: date) -> Iterator[date]:
    return (first + number * _DAY for number in range((last - first).days + 1))


def fields_of(when: str) -> Fields:
    """The five fields, or a word such as `@weekly`; raises Unsayable."""
    fields = _SHORT.get(when, when).split()
    if len(fields) != _FIVE:
        raise Unsayable(f"{when} is no time of day. Say when it may run: window: {{day: …, start: …, duration: …}}")
    minute, hour, day_of_month, month, day_of_week = fields
    return Fields(
        text=" ".join(fields),
        minutes=_numbers(minute, 0, 59),
        hours=_numbers(hour, 0, 23),
        days=_numbers(day_of_month, 1, 31),
        months=_numbers(month, 1, 12, names=MONTHS, first=1),
        weekdays=frozenset((day - 1) % 7 for day in _numbers(day_of_week, 0, 7, names=_DAYS_OF_WEEK, first=0)),
        either=not (day_of_month.startswith("*") or day_of_week.startswith("*")),
    )


def rule_of(when: str, test: DayTest | None = None) -> CronRule:
    """The day, start and months of a window; raises NoPlainWords where a cron expression would still say it, else Unsayable."""
    fields = fields_of(when)
    try:
        return _in_words(when, fields, test or DayTest())
    except Unsayable as reason:
        if test in {None, DayTest()}:
            raise NoPlainWords(str(reason)) from None
        raise


def _in_words(when: str, fields: Fields, test: DayTest) -> CronRule:
    start, days, weekdays = _start(fields), fields.days, fields.weekdays
    if fields.either:
        days, weekdays = _either(when, days, weekdays)
    named = () if fields.months == _EVERY_MONTH else tuple(MONTHS[number - 1] for number in sorted(fields.months))
    return CronRule(_day(when, days, weekdays, test), start, named)


def _start(fields: Fields) -> str:
    """The one time of day; plain words know no other."""
    if fields.per_day > 1:
        raise Unsayable(f"it runs {fields.per_day} times a day")
    return f"{min(fields.hours):02}:{min(fields.minutes):02}"


def _either(when: str, days: frozenset[int], weekdays: frozenset[int]) -> tuple[frozenset[int], frozenset[int]]:
    """Cron's OR of two restricted day fields; it can be said only when one of them leaves nothing out."""
    if days == _EVERY_DAY or weekdays == _EVERY_WEEKDAY:
        return _EVERY_DAY, _EVERY_WEEKDAY
    words = " and ".join(WEEKDAYS[day].capitalize() for day in sorted(weekdays))
    nth = _NTH.get(days)
    meant = f"{_ordinal(nth)} {words.lower()}" if nth and len(weekdays) == 1 else "second tuesday"
    raise Unsayable(
        f"{when!r} restricts the day of the month and the weekday, and cron then runs it when either matches: on days {_shown(days)} of the month, and "
        f"on every {words}. If that was not meant, write what was, such as day: {meant}"
    )


def _day(when: str, days: frozenset[int], weekdays: frozenset[int], test: DayTest) -> str | tuple[str, ...]:
    """Days on which both fields match, and what the command itself asks for, as the `day` of a window."""
    weekdays &= test.weekdays
    if not weekdays:
        raise Unsayable(f"{when!r} and the test of the date in its command never agree: it never runs")
    if test.last_day:
        return _last_day(when, days, weekdays)
    if days == _EVERY_DAY:
        return _weekdays(weekdays)
    if weekdays == _EVERY_WEEKDAY and len(days) == 1:
        return f"day {min(days)}"
    if days in _NTH and len(weekdays) == 1:
        return f"{_ordinal(_NTH[days])} {WEEKDAYS[min(weekdays)]}"
    raise Unsayable(f"no single rule of a window names the days {_shown(days)} of the month ({when})")


def _last_day(when: str, days: frozenset[int], weekdays: frozenset[int]) -> str:
    if weekdays == _EVERY_WEEKDAY and days >= _MAY_BE_LAST:
        return "last day"
    raise Unsayable(f"{when!r} leaves out some last days of a month. Write day: last day if all of them are meant")


def _weekdays(weekdays: frozenset[int]) -> str | tuple[str, ...]:
    if weekdays == _EVERY_WEEKDAY:
        return "daily"
    if weekdays == frozenset(range(5)):
        return "weekdays"
    named = tuple(WEEKDAYS[day] for day in sorted(weekdays))
    return named[0] if len(named) == 1 else named


def _ordinal(number: int) -> str:
    return next(word for word, value in ORDINALS.items() if value == number)


def _shown(numbers: frozenset[int]) -> str:
    """Numbers as people write them: `8 to 14`, or one by one."""
    ordered = sorted(numbers)
    if len(ordered) > 2 and ordered == list(range(ordered[0], ordered[-1] + 1)):  # noqa: PLR2004  two are named one by one
        return f"{ordered[0]} to {ordered[-1]}"
    return ", ".join(map(str, ordered))


def _numbers(text: str, low: int, high: int, *, names: tuple[str, ...] = (), first: int = 0) -> frozenset[int]:
    """All numbers of one field: lists of `*`, numbers, names and ranges, each with an optional step."""
    return frozenset(number for part in text.split(",") for number in _part(part, low, high, names, first))


def _part(part: str, low: int, high: int, names: tuple[str, ...], first: int) -> range:
    span, _, step = part.partition("/")
    begins, dash, ends = span.partition("-")
    written = (_number(begins, names, first), _number(ends if dash else begins, names, first))
    bounds = (low, high) if span == "*" else written
    steps = int(step) if step.isascii() and step.isdigit() else 1
    is_sound = steps and (not part.count("/") or (step.isdigit() and (begins != ends if dash else span == "*")))
    if not is_sound or not low <= bounds[0] <= bounds[1] <= high:
        raise Unsayable(f"{part!r} is no field of a time that every cron reads the same way")
    return range(bounds[0], bounds[1] + 1, steps)


def _number(text: str, names: tuple[str, ...], first: int) -> int:
    """A number, or a name of three letters; -1 for anything else."""
    if text.isascii() and text.isdigit():
        return int(text)
    return names.index(text.lower()) + first if text.lower() in names else -1
