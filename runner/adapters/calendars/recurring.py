"""Recurrence rules of RFC 5545 (3.3.10) that name dates, by python-dateutil, on naive dates.

An old DTSTART costs nothing: the rule is moved forward by whole multiples of its interval, to the first day of a day, week, month or year of its own.
Only a rule with COUNT is counted from its beginning. Zones never come in: dateutil does not know what a gap is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import MAXYEAR, date, datetime, time, timedelta
from typing import Any

from dateutil import rrule as dateutil

from runner.domain.time.window import StartSource

_FREQUENCIES: dict[str, Any] = {
    "DAILY": dateutil.DAILY,
    "WEEKLY": dateutil.WEEKLY,
    "MONTHLY": dateutil.MONTHLY,
    "YEARLY": dateutil.YEARLY,
}
_TOO_OFTEN = ("HOURLY", "MINUTELY", "SECONDLY")
_TIMES = ("BYHOUR", "BYMINUTE", "BYSECOND")
_WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_WEEK = 7
_YEAR = 12
_MOST_COUNTED = 1000
_CYCLE = 400  # years, after which the calendar is the same again
# Each part that holds numbers: the name that dateutil has for it, and its largest number; all but months may count from the end.
_NUMBERS = {
    "BYMONTH": ("bymonth", 12),
    "BYMONTHDAY": ("bymonthday", 31),
    "BYYEARDAY": ("byyearday", 366),
    "BYWEEKNO": ("byweekno", 53),
    "BYSETPOS": ("bysetpos", 366),
}
_KNOWN = ("FREQ", "INTERVAL", "COUNT", "UNTIL", "BYDAY", "WKST", *_NUMBERS)


@dataclass(frozen=True, slots=True)
class _Rule:
    """A rule in its parts; `chosen` holds what limits its dates, in dateutil's words."""

    frequency: str
    since: date
    interval: int = 1
    count: int | None = None
    until: date | None = None
    week_starts: int = 0
    chosen: dict[str, Any] = field(default_factory=dict)


def read_rrule(text: str, *, since: date) -> StartSource:
    """Read a rule whose DTSTART is `since`; raises ValueError with the way out."""
    rule = _explicit(_parsed(text, since))
    _build(rule, rule.since)  # whatever dateutil itself refuses shows here

    def starts(first: date, last: date) -> Iterable[datetime]:
        return _between(rule, first, last)

    return starts


def _between(rule: _Rule, first: date, last: date) -> Iterator[datetime]:
    """The dates from `first` to `last`, at midnight; none before the rule's beginning.

    dateutil looks for a rule's next date up to the year 9999, so it is asked in the last years that it knows: after 400 years the calendar is the same again,
    weekdays included. A rule that never occurs then takes less than a second instead of many.
    """
    first, last = max(first, rule.since), min(last, rule.until or last)
    if first > last:
        return
    begins = rule.since if rule.count else _moved_forward(rule, first)
    later = (MAXYEAR - 1 - last.year) // _CYCLE * _CYCLE
    for found in _build(rule, begins.replace(year=begins.year + later)):
        start = found.replace(year=found.year - later)
        if start.date() > last:
            return
        if start.date() >= first:
            yield start


def _build(rule: _Rule, begins: date) -> dateutil.rrule:
    return dateutil.rrule(
        _FREQUENCIES[rule.frequency],
        dtstart=datetime.combine(begins, time(0)),
        interval=rule.interval,
        wkst=rule.week_starts,
        count=rule.count,
        **rule.chosen,
    )


def _moved_forward(rule: _Rule, to: date) -> date:
    """The first day of the last period of the rule's own that begins no later than `to`: whole multiples of the interval from DTSTART."""
    since = rule.since
    match rule.frequency:
        case "DAILY":
            return since + _multiple(to - since, timedelta(days=rule.interval))
        case "WEEKLY":
            week = since - timedelta(days=(since.weekday() - rule.week_starts) % _WEEK)
            return week + _multiple(to - week, timedelta(days=_WEEK * rule.interval))
        case "MONTHLY":
            months = (to.year - since.year) * _YEAR + to.month - since.month
            number = since.year * _YEAR + since.month - 1 + months // rule.interval * rule.interval
            return date(number // _YEAR, number % _YEAR + 1, 1)
    return date(since.year + (to.year - since.year) // rule.interval * rule.interval, 1, 1)


def _multiple(span: timedelta, step: timedelta) -> timedelta:
    return span // step * step


def _explicit(rule: _Rule) -> _Rule:
    """Write down what DTSTART says by itself when no part does, so that the rule can be moved away from it."""
    chosen = dict(rule.chosen)
    if {"byweekday", "bymonthday", "byyearday", "byweekno"}.isdisjoint(chosen):
        if rule.frequency == "WEEKLY":
            chosen["byweekday"] = [dateutil.weekdays[rule.since.weekday()]]
        elif rule.frequency in {"MONTHLY", "YEARLY"}:
            chosen["bymonthday"] = [rule.since.day]
        if rule.frequency == "YEARLY":
            chosen.setdefault("bymonth", [rule.since.month])
    return replace(rule, chosen=chosen)


def _parsed(text: str, since: date) -> _Rule:
    """Take a rule to pieces; each part is checked by itself."""
    parts = _parts(text)
    frequency = _frequency(parts)
    if "COUNT" in parts and "UNTIL" in parts:
        raise ValueError("COUNT and UNTIL both say when it ends. Keep one of them")
    chosen: dict[str, Any] = {
        name: _numbers(key, parts[key], most) for key, (name, most) in _NUMBERS.items() if key in parts
    }
    if "BYDAY" in parts:
        chosen["byweekday"] = [_weekday(day, frequency) for day in parts["BYDAY"].split(",")]
    _check_together(frequency, chosen)
    return _Rule(
        frequency=frequency,
        since=since,
        interval=_number("INTERVAL", parts.get("INTERVAL", "1"), most=1000),
        count=_number("COUNT", parts["COUNT"], most=_MOST_COUNTED) if "COUNT" in parts else None,
        until=_until(parts["UNTIL"]) if "UNTIL" in parts else None,
        week_starts=_week_starts(parts.get("WKST", "MO")),
        chosen=chosen,
    )


def _parts(text: str) -> dict[str, str]:
    """The parts of a rule by name."""
    found: dict[str, str] = {}
    for part in text.strip().upper().removeprefix("RRULE:").rstrip(";").split(";"):
        name, equals, value = (piece.strip() for piece in part.partition("="))
        if name in _TIMES:
            raise ValueError(f'{name} names a time of day, which stands in start. Remove it, and write start: "22:00"')
        if not equals or not value:
            raise ValueError(f"{part[:40]!r} is no part of a rule. Write NAME=VALUE, such as FREQ=MONTHLY")
        if name not in _KNOWN:
            raise ValueError(f"{name[:40]} is not known here. Known: {', '.join(_KNOWN)}")
        if name in found:
            raise ValueError(f"{name} stands there twice. Remove one")
        found[name] = value
    return found


def _frequency(parts: dict[str, str]) -> str:
    frequency = parts.get("FREQ", "")
    if frequency in _TOO_OFTEN:
        raise ValueError(
            f"FREQ={frequency} opens within the day, and start names one time of day. Write FREQ=DAILY, or use cron"
        )
    if frequency not in _FREQUENCIES:
        raise ValueError(f"FREQ is {frequency[:20] or 'missing'}. Write one of FREQ={', FREQ='.join(_FREQUENCIES)}")
    return frequency


def _check_together(frequency: str, chosen: dict[str, Any]) -> None:
    """Parts that RFC 5545 allows only with another one."""
    if "byweekno" in chosen and frequency != "YEARLY":
        raise ValueError("BYWEEKNO goes with FREQ=YEARLY only. Write that, or remove it")
    if "byyearday" in chosen and frequency != "YEARLY":
        raise ValueError("BYYEARDAY goes with FREQ=YEARLY only. Write that, or remove it")
    if "bymonthday" in chosen and frequency == "WEEKLY":
        raise ValueError("BYMONTHDAY does not go with FREQ=WEEKLY. Write FREQ=MONTHLY")
    if "bysetpos" in chosen and len(chosen) == 1:
        raise ValueError("BYSETPOS chooses among the days of another part. Add one, such as BYDAY=MO,TU")


def _weekday(text: str, frequency: str) -> Any:  # noqa: ANN401  dateutil's own kind of value
    """A weekday such as MO, or 2TU or -1FR within a month or year."""
    number, name = text.strip()[:-2], text.strip()[-2:]
    if name not in _WEEKDAYS:
        raise ValueError(
            f"BYDAY={text[:20]} is no weekday. Write {', '.join(_WEEKDAYS)}, or 2TU for the second Tuesday"
        )
    day = dateutil.weekdays[_WEEKDAYS.index(name)]
    if not number:
        return day
    if frequency not in {"MONTHLY", "YEARLY"}:
        raise ValueError(f"BYDAY={text[:20]} counts within a month or year. Write FREQ=MONTHLY, or BYDAY={name}")
    if not number.lstrip("+-").isdigit() or not 1 <= abs(int(number)) <= 53:  # noqa: PLR2004  weeks of a year
        raise ValueError(f"BYDAY={text[:20]} is no weekday. Write it such as 2TU or -1FR")
    return day(int(number))


def _week_starts(text: str) -> int:
    if text not in _WEEKDAYS:
        raise ValueError(f"WKST={text[:20]} is no weekday. Write one of {', '.join(_WEEKDAYS)}")
    return _WEEKDAYS.index(text)


def _numbers(key: str, text: str, most: int) -> list[int]:
    """The numbers of a part, each from 1 up, or counted from the end."""
    found = []
    for piece in text.split(","):
        digits = piece.strip().lstrip("+-")
        if (
            not (digits.isascii() and digits.isdigit())
            or not 1 <= int(digits) <= most
            or (key == "BYMONTH" and "-" in piece)
        ):
            raise ValueError(
                f"{key}={piece[:20]} is out of range. Write 1 to {most}"
                + ("" if key == "BYMONTH" else ", or -1 for the last")
            )
        found.append(int(piece))
    return found


def _number(key: str, text: str, *, most: int) -> int:
    if not (text.isascii() and text.isdigit()) or not 1 <= int(text[:9]) <= most:
        raise ValueError(f"{key}={text[:20]} is out of range. Write 1 to {most}")
    return int(text)


def _until(text: str) -> date:
    """The last date: UNTIL is a date here, as since is one (RFC 5545: it has the kind of DTSTART)."""
    try:
        return datetime.strptime(text, "%Y%m%d").date()  # noqa: DTZ007  a date has no zone
    except ValueError:
        pass
    if text[:8].isdigit() and "T" in text:
        raise ValueError(
            f"UNTIL={text[:20]} is an instant, but since names a date, and they must be alike. Write UNTIL={text[:8]}"
        )
    raise ValueError(f"UNTIL={text[:20]} is no date. Write it such as UNTIL=20261231")
