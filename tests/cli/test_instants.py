"""Instants as people type them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.cli.instants import parse_instant, parse_since, parse_until
from runner.errors import UsageError

NOW = datetime(2026, 3, 21, 20, 30, tzinfo=UTC)  # 21:30 in Berlin


def instant(text: str, zone: str = "Europe/Berlin") -> str:
    return parse_instant(text, now=NOW, zone=zone).isoformat(timespec="minutes")


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("now", "2026-03-21T20:30+00:00"),
        ("2026-03-22", "2026-03-21T23:00+00:00"),
        ("today 22:00", "2026-03-21T21:00+00:00"),
        ("tomorrow 04:00", "2026-03-22T03:00+00:00"),
        ("2026-03-22 04:00", "2026-03-22T03:00+00:00"),
        ("2026-03-22T04:00", "2026-03-22T03:00+00:00"),
        ("2026-07-01 04:00", "2026-07-01T02:00+00:00"),
        ("2026-03-22T04:00Z", "2026-03-22T04:00+00:00"),
        ("2026-03-22 04:00+02:00", "2026-03-22T02:00+00:00"),
        (" 23:15 ", "2026-03-21T22:15+00:00"),
    ],
)
def test_an_instant_is_in_the_repositorys_zone_unless_it_says_otherwise(text: str, utc: str) -> None:
    assert instant(text) == utc


def test_a_time_of_day_is_today_in_that_zone() -> None:
    assert instant("01:00", zone="Asia/Tokyo") == "2026-03-21T16:00+00:00", "it is Sunday there by now"


@pytest.mark.parametrize("text", ["", "tomorrow", "25:00", "2026-02-30", "2h", "0001-01-01", "9999-12-31 23:59-12:00"])
def test_what_is_no_time_is_told_with_the_way_out(text: str) -> None:
    with pytest.raises(UsageError, match=r"is no time\. Write 2026-03-22, '2026-03-22 04:00', 04:00"):
        parse_instant(text, now=NOW, zone="Europe/Berlin")


@pytest.mark.parametrize(
    ("text", "later"), [("2h", timedelta(hours=2)), ("90m", timedelta(minutes=90)), ("1d12h", timedelta(hours=36))]
)
def test_an_end_may_be_a_duration_from_now(text: str, later: timedelta) -> None:
    assert parse_until(text, now=NOW, zone="UTC") == NOW + later


def test_or_a_time() -> None:
    assert parse_until("2026-03-22 04:00", now=NOW, zone="UTC") == datetime(2026, 3, 22, 4, tzinfo=UTC)


def test_an_end_beyond_all_calendars_is_no_time() -> None:
    with pytest.raises(UsageError, match="is no time"):
        parse_until("9y", now=datetime(9999, 12, 31, tzinfo=UTC), zone="UTC")
    with pytest.raises(UsageError, match="is no time"):
        parse_until("400d", now=datetime(9999, 12, 31, tzinfo=UTC), zone="UTC")


@given(st.text(max_size=20))
def test_whatever_is_typed_is_an_instant_in_utc_or_a_usage_error(text: str) -> None:
    try:
        found = parse_until(text, now=NOW, zone="Europe/Berlin")
    except UsageError:
        return
    assert found.utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("today", "2026-03-20T23:00+00:00"),
        ("yesterday", "2026-03-19T23:00+00:00"),
        ("7d", "2026-03-14T20:30+00:00"),
        ("2026-03-01", "2026-02-28T23:00+00:00"),
    ],
)
def test_a_beginning_may_be_a_day_a_span_back_or_an_instant(text: str, utc: str) -> None:
    assert parse_since(text, now=NOW, zone="Europe/Berlin").isoformat(timespec="minutes") == utc
