"""Whether something happens often enough."""

from __future__ import annotations

from datetime import date

import pytest

from runner.domain.time.duration import Duration, parse_duration
from runner.domain.time.rarity import in_words, is_often_enough, months_after

FIRST, LAST = date(2026, 1, 10), date(2026, 6, 20)


def enough(at_least: str, *days: date) -> bool:
    return is_often_enough(days, parse_duration(at_least), first=FIRST, last=LAST)


def test_once_a_month_means_every_calendar_month_whatever_the_days() -> None:
    saturdays = [date(2026, 2, 7), date(2026, 3, 7), date(2026, 4, 4), date(2026, 5, 2)]

    assert enough("1mo", *saturdays)
    assert enough("1mo", date(2026, 2, 1), date(2026, 3, 31), date(2026, 4, 1), date(2026, 5, 31))
    assert not enough("1mo", *(day for day in saturdays if day.month != 4))


def test_months_with_nothing_before_the_first_and_after_the_last_count() -> None:
    assert not enough("3mo", date(2026, 5, 1))
    assert enough("3mo", date(2026, 3, 1))
    assert not enough("4mo")
    assert enough("5mo")


def test_days_are_counted_from_one_to_the_next() -> None:
    assert enough("60d", date(2026, 3, 1), date(2026, 4, 25))
    assert not enough("54d", date(2026, 3, 1), date(2026, 4, 25))


@pytest.mark.parametrize(
    ("months", "day"), [(0, date(2026, 1, 1)), (1, date(2026, 2, 1)), (12, date(2027, 1, 1)), (23, date(2027, 12, 1))]
)
def test_months_after(months: int, day: date) -> None:
    assert months_after(FIRST, months) == day


def test_words() -> None:
    assert (in_words(Duration(months=6)), in_words(Duration(days=14))) == ("6mo", "14d")
