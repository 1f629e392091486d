"""Whether something happens often enough: at least once in a number of whole months, or within a number of days."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from itertools import pairwise

from runner.domain.time.duration import Duration

MONTHS = 12


def is_often_enough(days: Iterable[date], at_least: Duration, *, first: date, last: date) -> bool:
    """Whether, from `first` to `last`, no stretch without any of these days is as long as `at_least`.

    Months are those of the calendar: `1mo` wants a day in each, so that the first Saturday, which may be five weeks after the last one, is often
    enough. What lies before `first` and after `last` is not known, and counts as often enough.
    """
    stretches = pairwise([first, *sorted(days), last])
    return not any(_is_too_long(one, other, at_least) for one, other in stretches)


def _is_too_long(one: date, other: date, at_least: Duration) -> bool:
    if at_least.months:
        return _month(other) - _month(one) - 1 >= at_least.months
    return other - one > at_least.as_timedelta()


def _month(day: date) -> int:
    return day.year * MONTHS + day.month


def months_after(day: date, months: int) -> date:
    """The first day of the month that is so many months later."""
    number = _month(day) - 1 + months
    return date(number // MONTHS, number % MONTHS + 1, 1)


def in_words(at_least: Duration) -> str:
    """How often, as it is written in a file."""
    return f"{at_least.months}mo" if at_least.months else f"{at_least.as_timedelta().days}d"
