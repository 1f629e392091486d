from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.domain.report import Period
from runner.domain.time.period import in_words, parse_period
from runner.domain.time.wallclock import local_day

BERLIN = ZoneInfo("Europe/Berlin")
ZONES = st.sampled_from(
    ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Pacific/Auckland", "America/Havana"]
)
DAYS = st.dates(date(1990, 1, 1), date(2090, 1, 1))
WORDS = st.sampled_from(["last_week", "last_month", "last_quarter"])


def period(text: str, today: date = date(2026, 11, 22), zone: ZoneInfo = BERLIN) -> Period:
    return parse_period(text, today=today, zone=zone)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "starts", "ends", "label"),
    [
        ("last_week", "2026-11-08 23:00", "2026-11-15 23:00", "2026-W46"),
        ("last_month", "2026-09-30 22:00", "2026-10-31 23:00", "2026-10"),
        ("last_quarter", "2026-06-30 22:00", "2026-09-30 22:00", "2026-Q3"),
        ("2026-Q3", "2026-06-30 22:00", "2026-09-30 22:00", "2026-Q3"),
        ("2026-q4", "2026-09-30 22:00", "2026-12-31 23:00", "2026-Q4"),
        ("2026-10", "2026-09-30 22:00", "2026-10-31 23:00", "2026-10"),
        (" 2026-12 ", "2026-11-30 23:00", "2026-12-31 23:00", "2026-12"),
        ("2026-10-01..2026-10-15", "2026-09-30 22:00", "2026-10-15 22:00", "2026-10-01..2026-10-15"),
        ("2026-10-25..2026-10-25", "2026-10-24 22:00", "2026-10-25 23:00", "2026-10-25..2026-10-25"),
    ],
)
def test_a_period_is_whole_local_days_with_both_days_of_a_range_included(
    text: str, starts: str, ends: str, label: str
) -> None:
    found = period(text)

    assert found == Period(utc(starts), utc(ends), label)


def test_the_last_quarter_of_january_lies_in_the_year_before() -> None:
    found = period("last_quarter", today=date(2026, 1, 2))

    assert found.label == "2025-Q4"


def test_a_week_at_the_turn_of_the_year_bears_its_iso_year() -> None:
    found = period("last_week", today=date(2027, 1, 5))

    assert found.label == "2026-W53"


def test_a_day_that_begins_with_a_lost_hour_begins_at_its_first_instant() -> None:
    havana = ZoneInfo("America/Havana")  # on 8 March 2026 the clocks go from 00:00 to 01:00 there

    found = period("2026-03-08..2026-03-08", zone=havana)

    assert found.starts.astimezone(havana).isoformat() == "2026-03-08T01:00:00-04:00"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "'' is not a period. Write last_week, last_month,"),
        ("lastmonth", "'lastmonth' is not a period. Write last_week, last_month,"),
        ("2026-Q5", "is not a period"),
        ("2026-13", "there is no month 13. Write 01 to 12, such as 2026-10"),
        ("2026-02-30..2026-03-01", "there is no day 2026-02-30. Write year, month and day, such as 2026-10-01"),
        ("2026-10-01", "is a single day. Write 2026-10-01..2026-10-01"),
        ("2026-10-15..2026-10-01", "ends before it begins. Write 2026-10-01..2026-10-15"),
        ("2000-01-01..2026-01-01", "longer than ten years"),
        ("0000-10", "there is no day 0000-01-01"),
        ("0001-01", "0001 is not a year of any report"),
        ("9999-Q4", "9999 is not a year of any report"),
        ("२०२६-10", "is not a period"),
    ],
)
def test_words_that_are_no_period_are_refused_with_the_way_out(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=r"\. ") as refused:
        period(text)

    assert message in str(refused.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("2026-10", "October 2026"),
        ("2026-Q3", "third quarter of 2026"),
        ("2026-Q4", "fourth quarter of 2026"),
        ("2026-10-01..2026-10-15", "1 to 15 October 2026"),
        ("2026-10-28..2026-11-03", "28 October to 3 November 2026"),
        ("2026-12-28..2027-01-03", "28 December 2026 to 3 January 2027"),
        ("2026-10-25..2026-10-25", "25 October 2026"),
        ("2026-10-01..2026-10-31", "October 2026"),
        ("2026-02-01..2026-04-30", "1 February to 30 April 2026"),
        ("last_week", "9 to 15 November 2026"),
    ],
)
def test_a_period_is_called_as_people_say_it(text: str, words: str) -> None:
    assert in_words(period(text), BERLIN) == words


@given(WORDS, DAYS, ZONES)
def test_the_last_period_is_over_and_its_label_names_the_same_span(text: str, today: date, name: str) -> None:
    zone = ZoneInfo(name)

    found = parse_period(text, today=today, zone=zone)

    assert found.starts < found.ends
    assert local_day(found.ends - timedelta.resolution, zone) < today
    if "W" not in found.label:
        assert parse_period(found.label, today=today, zone=zone) == found


@given(DAYS, ZONES)
def test_neighbouring_months_leave_no_gap_and_do_not_overlap(day: date, name: str) -> None:
    zone = ZoneInfo(name)
    following = day.replace(day=1) + timedelta(days=32)

    one, next_one = (parse_period(f"{some:%Y-%m}", today=day, zone=zone) for some in (day, following))

    assert one.ends == next_one.starts


@given(st.text(max_size=30), DAYS)
def test_any_text_is_a_period_or_a_clear_refusal(text: str, today: date) -> None:
    found, refusal = None, ""

    try:
        found = parse_period(text, today=today, zone=BERLIN)
    except ValueError as reason:
        refusal = str(reason)

    assert ". " in refusal if found is None else found.starts < found.ends
