from collections.abc import Sequence
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.domain.time.days import parse_day, parse_month
from runner.domain.time.recurrence import ever_occurs, rule_dates
from runner.domain.time.window import MaintenanceWindow


def a_rule(rule: str | list[str], months: Sequence[int] = ()) -> MaintenanceWindow:
    return MaintenanceWindow("night", day=parse_day(rule), months=tuple(months))


def dates(rule: str | list[str], first: str, last: str, months: Sequence[int] = ()) -> list[str]:
    found = rule_dates(a_rule(rule, months), first=date.fromisoformat(first), last=date.fromisoformat(last))
    return [day.lands.isoformat() for day in found]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("second tuesday", ["2026-01-13", "2026-02-10", "2026-03-10"]),
        ("Second  Tuesday", ["2026-01-13", "2026-02-10", "2026-03-10"]),
        ("last friday", ["2026-01-30", "2026-02-27", "2026-03-27"]),
        ("first sun", ["2026-01-04", "2026-02-01", "2026-03-01"]),
        ("fifth saturday", ["2026-01-31"]),
        ("day 15", ["2026-01-15", "2026-02-15", "2026-03-15"]),
        ("day 31", ["2026-01-31", "2026-03-31"]),
        ("last day", ["2026-01-31", "2026-02-28", "2026-03-31"]),
        ("first workday", ["2026-01-01", "2026-02-02", "2026-03-02"]),
        ("Last workday", ["2026-01-30", "2026-02-27", "2026-03-31"]),
    ],
)
def test_a_rule_names_its_dates_in_each_month(rule: str, expected: list[str]) -> None:
    assert dates(rule, "2026-01-01", "2026-03-31") == expected


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("saturday", [3]),
        (["sat", "sun"], [3, 4]),
        (["sun", "sat", "sat"], [3, 4]),
        ("weekdays", [1, 2, 5, 6, 7]),
        ("daily", [1, 2, 3, 4, 5, 6, 7]),
    ],
)
def test_a_rule_names_its_days_in_each_week(rule: str | list[str], expected: list[int]) -> None:
    found = dates(rule, "2026-01-01", "2026-01-07")

    assert found == [f"2026-01-0{day}" for day in expected]


def test_months_limit_the_dates() -> None:
    found = dates("day 15", "2026-01-01", "2027-06-30", months=[1, 3])

    assert found == ["2026-01-15", "2026-03-15", "2027-01-15", "2027-03-15"]


def test_the_last_day_of_february_is_the_29th_in_a_leap_year() -> None:
    assert dates("last day", "2028-02-01", "2028-02-29") == ["2028-02-29"]


@pytest.mark.parametrize(
    ("rule", "months", "occurs"),
    [
        ("day 31", [2], False),
        ("day 30", [2], False),
        ("day 31", [4, 6, 9, 11], False),
        ("day 29", [2], True),
        ("day 31", [], True),
        ("fifth sunday", [2], True),
    ],
)
def test_a_rule_that_never_occurs_is_found(rule: str, months: list[int], occurs: bool) -> None:
    assert ever_occurs(a_rule(rule, months), since=date(2096, 3, 1)) is occurs


@pytest.mark.parametrize(
    "rule",
    [
        "",
        "blursday",
        "sixth monday",
        "second",
        "second tues day",
        "day",
        "day 0",
        "day 32",
        "day 15 of may",
        "sa",
        [],
        ["sat", "no"],
    ],
)
def test_what_names_no_day_is_refused(rule: str | list[str]) -> None:
    with pytest.raises(ValueError, match="day"):
        parse_day(rule)


@pytest.mark.parametrize(("text", "month"), [("jan", 1), ("January", 1), ("sept", 9), ("Dec", 12), ("may", 5)])
def test_months_have_short_and_long_names(text: str, month: int) -> None:
    assert parse_month(text) == month


@pytest.mark.parametrize("text", ["", "ja", "janus", "13", "maybe"])
def test_what_is_no_month_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="Months are jan, feb"):
        parse_month(text)


RULES = st.one_of(
    st.sampled_from(["daily", "weekdays", "last day", "monday", "sunday"]),
    st.integers(1, 31).map("day {}".format),
    st.tuples(st.sampled_from(["first", "third", "fifth", "last"]), st.sampled_from(["mon", "wed", "sun"])).map(
        " ".join
    ),
)


@given(RULES, st.dates(date(1990, 1, 1), date(2090, 1, 1)), st.integers(0, 400), st.integers(0, 400))
def test_dates_do_not_depend_on_where_one_starts_to_look(rule: str, first: date, head: int, tail: int) -> None:
    middle, last = first + timedelta(days=head), first + timedelta(days=head + tail)
    window = a_rule(rule)

    in_one = list(rule_dates(window, first=first, last=last))
    in_two = [
        *rule_dates(window, first=first, last=middle),
        *rule_dates(window, first=middle + timedelta(days=1), last=last),
    ]

    assert in_one == in_two
    assert in_one == sorted(set(in_one), key=lambda found: found.lands)


@given(
    st.sampled_from(range(1, 6)), st.sampled_from(["mon", "thu", "sun"]), st.dates(date(1990, 1, 1), date(2090, 1, 1))
)
def test_an_nth_weekday_lies_in_its_week_of_the_month(ordinal: int, weekday: str, first: date) -> None:
    words = ("first", "second", "third", "fourth", "fifth")[ordinal - 1]

    found = list(rule_dates(a_rule(f"{words} {weekday}"), first=first, last=first + timedelta(days=200)))

    assert all((day.lands.day - 1) // 7 + 1 == ordinal for day in found)
    assert all(f"{day.lands:%a}".lower() == weekday for day in found)
