"""Rules in languages of their own: dates by rrule, cron and the holidays of countries."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from time import perf_counter

import pytest
from dateutil.rrule import rrulestr
from hypothesis import given
from hypothesis import strategies as st

from runner.adapters.calendars import Calendars
from runner.adapters.calendars.public_holidays import INSTALL

SOURCES = Calendars()


def texts(starts: Iterable[datetime]) -> list[str]:
    return [f"{start:%Y-%m-%d %H:%M}" for start in starts]


def test_a_cron_expression_names_starts_with_their_time() -> None:
    starts = SOURCES.cron("30 2,14 * * 6")

    found = texts(starts(date(2026, 3, 27), date(2026, 3, 29)))

    assert found == ["2026-03-28 02:30", "2026-03-28 14:30"]


@pytest.mark.parametrize(
    ("expression", "found"),
    [
        ("0 22 * * 2#2", ["2026-01-13 22:00", "2026-02-10 22:00"]),
        ("0 22 * * 5L", ["2026-01-30 22:00", "2026-02-27 22:00"]),
        ("0 22 L * *", ["2026-01-31 22:00", "2026-02-28 22:00"]),
        ("0 22 13 * 5", [f"2026-01-{day:02} 22:00" for day in (2, 9, 13, 16, 23, 30)] + [f"2026-02-{day:02} 22:00" for day in (6, 13, 20, 27)]),
    ],
)  # fmt: skip
def test_cron_knows_ordinals_the_last_and_vixies_either_day(expression: str, found: list[str]) -> None:
    assert texts(SOURCES.cron(expression)(date(2026, 1, 1), date(2026, 2, 28))) == found


def test_a_cron_expression_names_the_missing_hour_too_as_the_window_decides_about_it() -> None:
    found = SOURCES.cron("30 2 * * *")(date(2026, 3, 29), date(2026, 3, 29))

    assert texts(found) == ["2026-03-29 02:30"]


def test_an_old_rrule_costs_no_more_than_a_new_one() -> None:
    old = SOURCES.rrule("FREQ=DAILY;INTERVAL=3", since=date(1990, 1, 2))
    new = SOURCES.rrule("FREQ=DAILY;INTERVAL=3", since=date(2026, 1, 2))

    def seconds(starts: object) -> float:
        began = perf_counter()
        for _ in range(50):
            assert next(iter(starts(date(2026, 6, 1), date(2026, 7, 1))))  # type: ignore[operator]
        return perf_counter() - began

    assert min(seconds(old) for _ in range(3)) < 5 * min(seconds(new) for _ in range(3))


RULES = st.builds(
    ";".join,
    st.tuples(
        st.sampled_from(
            [
                *("FREQ=DAILY", "FREQ=DAILY;BYDAY=MO,WE,SU", "FREQ=DAILY;BYMONTHDAY=1,15,-1", "FREQ=DAILY;BYMONTH=2,8"),
                *("FREQ=WEEKLY", "FREQ=WEEKLY;BYDAY=TU,SU", "FREQ=WEEKLY;BYDAY=TU,SU;WKST=SU"),
                *("FREQ=MONTHLY", "FREQ=MONTHLY;BYDAY=2TU", "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1"),
                *("FREQ=MONTHLY;BYMONTHDAY=31", "FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13"),
                *("FREQ=YEARLY", "FREQ=YEARLY;BYDAY=20MO", "FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO", "FREQ=YEARLY;BYYEARDAY=-1,100"),
                *("FREQ=YEARLY;BYMONTH=3;BYDAY=TH", "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29"),
            ]
        ),
        st.integers(1, 7).map("INTERVAL={}".format),
        st.sampled_from(["UNTIL=20400101", "UNTIL=20270315", "COUNT=25", "COUNT=3"]),
    ),
)  # fmt: skip


@given(RULES, st.dates(date(2015, 1, 1), date(2026, 12, 31)), st.dates(date(2016, 1, 1), date(2029, 1, 1)))
def test_moving_an_rrule_forward_changes_none_of_its_dates(rule: str, since: date, first: date) -> None:
    last = first + timedelta(days=800)
    walked = rrulestr(rule, dtstart=datetime.combine(since, datetime.min.time()))

    found = [start.date() for start in SOURCES.rrule(rule, since=since)(first, last)]

    assert found == [each.date() for each in walked if first <= each.date() <= last]


def test_an_rrule_whose_week_begins_before_its_first_date_chooses_among_the_whole_week() -> None:
    """RFC 5545: BYSETPOS counts within the period, also where DTSTART lies in its midst."""
    starts = SOURCES.rrule("FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1", since=date(2026, 1, 7))

    assert texts(starts(date(2026, 1, 1), date(2026, 1, 20))) == ["2026-01-09 00:00", "2026-01-16 00:00"]


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        ("", "is no part of a rule"),
        ("BYDAY=MO", "FREQ is missing"),
        ("FREQ=FORTNIGHTLY", "FREQ is FORTNIGHTLY. Write one of FREQ=DAILY"),
        ("FREQ=DAILY;FREQ=DAILY", "FREQ stands there twice"),
        ("FREQ=DAILY;COUNT=3;UNTIL=20300101", "Keep one of them"),
        ("FREQ=DAILY;COUNT=100000", "COUNT=100000 is out of range. Write 1 to 1000"),
        ("FREQ=DAILY;INTERVAL=0", "INTERVAL=0 is out of range"),
        ("FREQ=MONTHLY;BYMONTHDAY=32", "BYMONTHDAY=32 is out of range. Write 1 to 31, or -1 for the last"),
        ("FREQ=YEARLY;BYMONTH=-1", "BYMONTH=-1 is out of range. Write 1 to 12"),
        ("FREQ=MONTHLY;BYDAY=XX", "BYDAY=XX is no weekday"),
        ("FREQ=MONTHLY;BYDAY=0MO", "BYDAY=0MO is no weekday"),
        ("FREQ=MONTHLY;BYWEEKNO=3", "BYWEEKNO goes with FREQ=YEARLY only"),
        ("FREQ=WEEKLY;BYMONTHDAY=3", "BYMONTHDAY does not go with FREQ=WEEKLY"),
        ("FREQ=MONTHLY;BYSETPOS=1", "BYSETPOS chooses among the days of another part"),
        ("FREQ=DAILY;WKST=XX", "WKST=XX is no weekday"),
        ("FREQ=DAILY;UNTIL=soon", "UNTIL=SOON is no date"),
        ("FREQ=DAILY;BYEASTER=0", "BYEASTER is not known here"),
        ("FREQ=DAILY;RSCALE=GREGORIAN", "RSCALE is not known here"),
    ],
)
def test_an_rrule_that_cannot_be_read_is_refused_with_the_way_out(rule: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        SOURCES.rrule(rule, since=date(2026, 1, 1))


def test_the_holidays_of_a_country_and_of_a_part_of_it() -> None:
    germany, berlin = SOURCES.holidays("DE", None), SOURCES.holidays("DE", "BE")
    march = (date(2026, 3, 1), date(2026, 3, 31))

    assert list(germany(*march)) == []
    assert list(berlin(*march)) == [date(2026, 3, 8)]
    assert sorted(berlin(date(2026, 12, 24), date(2027, 1, 1)))[-1] == date(2027, 1, 1)


def test_without_the_extra_it_is_told_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "holidays", None)

    with pytest.raises(ValueError, match="is not installed here") as told:
        SOURCES.holidays("DE", None)

    assert str(told.value) == INSTALL
    assert "pip install 'wellkept[holidays]'" in INSTALL
