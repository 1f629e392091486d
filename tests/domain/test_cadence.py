"""Intervals of a cadence, counted from the epoch."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.domain.time.cadence import Interval, before, begun_in, interval_at, is_due, is_late, missed_before

NOON = datetime(2026, 3, 21, 12, 0, tzinfo=UTC)
FIVE = timedelta(minutes=5)
instants = st.datetimes(datetime(2026, 1, 1), datetime(2026, 1, 9), timezones=st.just(UTC))  # noqa: DTZ001
spans = st.sampled_from([timedelta(minutes=7), timedelta(minutes=30), timedelta(hours=5), timedelta(days=2)])


def begins_in(from_: datetime, to: datetime, every: timedelta) -> list[datetime]:
    """Every beginning in [from_, to), found by walking."""
    found, begins = [], interval_at(from_, every).begins
    while begins < to:
        found += [begins] if begins >= from_ else []
        begins += every
    return found


@given(instants, instants, spans)
def test_intervals_are_counted_as_one_finds_them_by_walking(one: datetime, other: datetime, every: timedelta) -> None:
    from_, to = sorted([one, other])

    assert begun_in(from_, to, every) == len(begins_in(from_, to, every))


@given(instants, instants, spans)
def test_what_was_missed_is_told_by_the_day_on_which_it_began(one: datetime, other: datetime, every: timedelta) -> None:
    last, now_in = interval_at(min(one, other), every), interval_at(max(one, other), every)

    by_day = dict(missed_before(now_in, last))

    assert by_day == Counter(begins.date() for begins in begins_in(last.ends, now_in.begins, every))


@given(instants, spans)
def test_an_instant_lies_in_its_interval(instant: datetime, every: timedelta) -> None:
    interval = interval_at(instant, every)

    assert interval.begins <= instant < interval.ends
    assert interval.every == every


def test_a_clock_that_was_set_back_asks_nothing_twice() -> None:
    last = interval_at(NOON, FIVE)

    assert not is_due(FIVE, last, now=NOON - timedelta(hours=1))
    assert not is_due(FIVE, last, now=NOON + timedelta(seconds=299))
    assert is_due(FIVE, last, now=NOON + FIVE)


@pytest.mark.parametrize(
    ("every", "after", "late"),
    [
        (FIVE, timedelta(seconds=60), False),
        (FIVE, timedelta(seconds=61), True),
        (timedelta(minutes=1), timedelta(seconds=30), False),
        (timedelta(minutes=1), timedelta(seconds=31), True),
    ],
)
def test_a_round_is_late_a_minute_after_its_interval_began_or_after_half_of_a_short_one(
    every: timedelta, after: timedelta, late: bool
) -> None:
    interval = interval_at(NOON, every)
    last = Interval(interval.begins - every, interval.begins)

    assert is_late(interval, last, began=NOON + after) is late


def test_the_first_round_of_a_cadence_is_never_late_and_nothing_was_missed_before_it() -> None:
    interval, of_another_length = interval_at(NOON, FIVE), interval_at(NOON - timedelta(hours=5), timedelta(hours=1))

    for last in (None, of_another_length):
        assert not is_late(interval, last, began=interval.ends - timedelta(seconds=1))
        assert list(missed_before(interval, last)) == []


@given(instants, spans)
def test_the_interval_before_ends_where_this_one_begins_and_is_as_long(instant: datetime, every: timedelta) -> None:
    interval = interval_at(instant, every)

    assert before(interval) == interval_at(interval.begins - timedelta.resolution, every)
