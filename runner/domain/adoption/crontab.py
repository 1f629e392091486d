"""Crontabs as cron reads them: entries with what is set above them, and the days on which one is meant to run.

Follows crontab(5) of Vixie cron and cronie: when neither day field begins with `*`, a day need match only one of the two.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from runner.domain.time.days import MONTHS, ORDINALS, WEEKDAYS

_SETTING = re.compile(r"""\s*(?P<name>[A-Za-z_]\w*|"[^"]*"|'[^']*')\s*=\s*(?P<value>.*)""", re.ASCII)
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


class Unsayable(ValueError):
    """What a cron line means cannot be said by a schedule; the message says why, and the way out."""


@dataclass(frozen=True, slots=True)
class CronEntry:
    """One entry: where it stands, as it is written, when it runs, as whom, and what; `problem` when cron would not read it.

    `command` is what the shell is given: up to the first bare `%`, which begins the command's input. `settings` are the lines `NAME=value` above it.
    """

    line: int
    text: str
    when: str = ""
    user: str = ""
    command: str = ""
    has_input: bool = False
    settings: Mapping[str, str] = field(default_factory=dict)
    problem: str = ""


@dataclass(frozen=True, slots=True)
class DayTest:
    """What a command asks `date` before it goes on: only on these weekdays (Monday = 0), or only on a month's last day."""

    weekdays: frozenset[int] = _EVERY_WEEKDAY
    last_day: bool = False


@dataclass(frozen=True, slots=True)
class CronRule:
    """When an entry runs, in the words of a window."""

    day: str | tuple[str, ...]
    start: str
    months: tuple[str, ...] = ()


def entries(text: str, *, with_users: bool) -> Iterator[CronEntry]:
    """Every entry of a crontab in order; `with_users` for files such as those in /etc/cron.d, which name a user after the time."""
    settings: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if found := _SETTING.fullmatch(line):
            settings[found["name"].strip("\"'")] = _unquoted(found["value"].strip())
        else:
            yield _entry(number, line, dict(settings), with_users=with_users)


def _unquoted(value: str) -> str:
    quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "\"'"
    return value[1:-1] if quoted else value


def _entry(number: int, line: str, settings: dict[str, str], *, with_users: bool) -> CronEntry:
    times = 1 if line.lstrip().startswith("@") else _FIVE
    words = line.split(maxsplit=times + with_users)
    if len(words) <= times + with_users:
        return CronEntry(number, line, problem="cron would not read this line: it has too few fields")
    command, has_input = _command(words[-1])
    return CronEntry(
        number,
        line,
        when=" ".join(words[:times]),
        user=words[times] if with_users else "",
        command=command,
        has_input=has_input,
        settings=settings,
    )


def _command(rest: str) -> tuple[str, bool]:
    """What the shell is given, and whether something is fed to it: a bare `%` ends the line, one after a backslash is itself."""
    given, percent, fed = re.sub(r"\\%", "\0", rest).partition("%")
    return given.replace("\0", "%").strip(), bool(percent and fed.strip("\0% "))


def rule_of(when: str, test: DayTest | None = None) -> CronRule:
    """The five fields, or a word such as `@weekly`, as the day, start and months of a window; raises Unsayable."""
    fields = _SHORT.get(when, when).split()
    if len(fields) != _FIVE:
        raise Unsayable(f"{when} is no time of day. Say when it may run: window: {{day: …, start: …, duration: …}}")
    minute, hour, day_of_month, month, day_of_week = fields
    start = _start(minute, hour)
    months = _numbers(month, 1, 12, names=MONTHS, first=1)
    days = _numbers(day_of_month, 1, 31)
    weekdays = frozenset((day - 1) % 7 for day in _numbers(day_of_week, 0, 7, names=_DAYS_OF_WEEK, first=0))
    if not (day_of_month.startswith("*") or day_of_week.startswith("*")):
        days, weekdays = _either(when, days, weekdays)
    named = () if months == _EVERY_MONTH else tuple(MONTHS[number - 1] for number in sorted(months))
    return CronRule(_day(when, days, weekdays, test or DayTest()), start, named)


def _start(minute: str, hour: str) -> str:
    """The one time of day; a window opens once a day."""
    minutes, hours = _numbers(minute, 0, 59), _numbers(hour, 0, 23)
    if len(minutes) > 1 or len(hours) > 1:
        raise Unsayable(
            f"it runs {_how_often(minutes, hours)}, and a window opens once a day. Write one schedule for each time, "
            "or ask the question as a health check with every:"
        )
    return f"{min(hours):02}:{min(minutes):02}"


def _how_often(minutes: frozenset[int], hours: frozenset[int]) -> str:
    return f"{len(minutes) * len(hours)} times a day"


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
    raise Unsayable(f"no single rule of a window names the days {_shown(days)} of the month ({when}). Write several")


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
    is_sound = steps and (not part.count("/") or (step.isdigit() and (dash or span == "*")))
    if not is_sound or not low <= bounds[0] <= bounds[1] <= high:
        raise Unsayable(f"{part!r} is no field of a time that every cron reads the same way")
    return range(bounds[0], bounds[1] + 1, steps)


def _number(text: str, names: tuple[str, ...], first: int) -> int:
    """A number, or a name of three letters; -1 for anything else."""
    if text.isascii() and text.isdigit():
        return int(text)
    return names.index(text.lower()) + first if text.lower() in names else -1
