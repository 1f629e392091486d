"""Crontabs as cron reads them, and the days that a window can say."""

from __future__ import annotations

from contextlib import suppress
from datetime import date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.adapters.calendars import Calendars
from runner.domain.adoption.cron_rule import CronRule, NoPlainWords, fields_of, rate_of, rule_of
from runner.domain.adoption.crontab import DayTest, Unsayable, entries

TUESDAY = DayTest(weekdays=frozenset({1}))


@pytest.mark.parametrize(
    ("when", "rule"),
    [
        ("0 3 * * 0", CronRule("sunday", "03:00")),
        ("0 3 * * 7", CronRule("sunday", "03:00")),
        ("@weekly", CronRule("sunday", "00:00")),
        ("@daily", CronRule("daily", "00:00")),
        ("30 22 * * 1-5", CronRule("weekdays", "22:30")),
        ("30 22 * * Sat,SUN", CronRule(("saturday", "sunday"), "22:30")),
        ("5 4 15 * *", CronRule("day 15", "04:05")),
        ("5 4 15 1,jul *", CronRule("day 15", "04:05", ("jan", "jul"))),
        ("0 2 */100,1-7 * MON", CronRule("first monday", "02:00")),
        ("0 2 8-14 * */7", CronRule("second sunday", "02:00")),
        ("0 2 29-31 * */7", CronRule("fifth sunday", "02:00")),
        ("0 2 1-31 * 2", CronRule("daily", "02:00")),
    ],
)
def test_what_cron_means_in_the_words_of_a_window(when: str, rule: CronRule) -> None:
    assert rule_of(when) == rule


def test_two_restricted_day_fields_are_an_or_and_a_trap() -> None:
    with pytest.raises(NoPlainWords, match=r"either matches: on days 8 to 14.*every Tuesday.*day: second tuesday"):
        rule_of("30 2 8-14 * 2")


@pytest.mark.parametrize(
    ("when", "reason"),
    [
        ("*/15 * * * *", "96 times a day"),
        ("0 2,14 * * *", "2 times a day"),
        ("0 2 8-14 * *", "no single rule"),
    ],
)
def test_what_only_a_cron_expression_says_is_told_apart_from_what_nothing_does(when: str, reason: str) -> None:
    with pytest.raises(NoPlainWords, match=reason):
        rule_of(when)


def test_a_test_of_the_date_in_the_command_has_no_place_in_a_cron_expression() -> None:
    with pytest.raises(Unsayable, match="2 times a day") as told:
        rule_of("0 2,14 * * *", TUESDAY)

    assert not isinstance(told.value, NoPlainWords)


@pytest.mark.parametrize(
    ("when", "reason"),
    [
        ("@reboot", "no time of day"),
        ("0 2 5-5/3 * *", "every cron reads the same way"),
        ("0 2 5/3 * *", "every cron reads the same way"),
        ("0 25 * * *", "every cron reads the same way"),
        ("0~30 2 * * *", "every cron reads the same way"),
    ],
)
def test_what_no_window_can_say_is_refused_with_the_reason(when: str, reason: str) -> None:
    with pytest.raises(Unsayable, match=reason) as told:
        rule_of(when)

    assert not isinstance(told.value, NoPlainWords)


@pytest.mark.parametrize(
    ("when", "per_year", "gap"),
    [
        ("0 2,14 * * *", 732, "12:00:00"),
        ("0 22,2 * * 6", 106, "20:00:00"),
        ("0 22 * * 6,0", 106, "1 day, 0:00:00"),
        ("30 2 8-14 * 2", 124, "1 day, 0:00:00"),
        ("50 23,0 * * *", 732, "1:00:00"),
        ("0 2 29 2 *", 1, "365 days, 0:00:00"),
    ],
)
def test_how_often_and_how_close_together_a_line_runs(when: str, per_year: int, gap: str) -> None:
    rate = rate_of(fields_of(when))

    assert (rate.per_year, str(rate.shortest_gap)) == (per_year, gap)


def one_of(low: int, high: int) -> st.SearchStrategy[str]:
    """A field: everything, a number, a list, a range, or a step."""
    number = st.integers(low, high)
    spans = st.tuples(number, number).map(sorted)
    return st.one_of(
        st.just("*"),
        st.lists(number, min_size=1, max_size=3).map(lambda several: ",".join(map(str, several))),
        spans.map(lambda span: f"{span[0]}-{span[1]}"),
        st.integers(2, 9).map(lambda step: f"*/{step}"),
        st.tuples(spans.filter(lambda span: span[0] < span[1]), st.integers(1, 4)).map(
            lambda both: f"{both[0][0]}-{both[0][1]}/{both[1]}"
        ),
    )


@given(one_of(1, 31), one_of(1, 12), one_of(0, 6), st.dates(date(2026, 1, 1), date(2027, 12, 1)))
def test_our_reading_of_the_fields_is_that_of_the_window_that_is_written(
    day: str, month: str, weekday: str, first: date
) -> None:
    when = f"30 2 {day} {month} {weekday}"
    days = [first + timedelta(days=number) for number in range(60)]

    expected = [datetime.combine(each, time(2, 30)) for each in days if fields_of(when).matches(each)]

    assert list(Calendars().cron(when)(days[0], days[-1])) == expected


def test_a_command_that_asks_for_the_weekday_makes_it_the_nth() -> None:
    assert rule_of("15 4 8-14 * *", TUESDAY) == CronRule("second tuesday", "04:15")
    assert rule_of("15 4 28-31 * *", DayTest(last_day=True)) == CronRule("last day", "04:15")
    with pytest.raises(Unsayable, match="never runs"):
        rule_of("15 4 * * 0", TUESDAY)
    with pytest.raises(Unsayable, match="leaves out"):
        rule_of("15 4 31 * *", DayTest(last_day=True))


def test_entries_know_their_line_their_user_and_what_is_set_above_them() -> None:
    text = '# a comment\nMAILTO=ops\n\nCRON_TZ = "Europe/Berlin"\n0 3 * * 0 root echo 100\\% %fed\n@daily root true\n0 3 * *\n'

    first, second, third = entries(text, with_users=True)

    assert (first.line, first.when, first.user, first.command, first.has_input) == (
        5,
        "0 3 * * 0",
        "root",
        "echo 100%",
        True,
    )
    assert first.settings == {"MAILTO": "ops", "CRON_TZ": "Europe/Berlin"}
    assert (second.when, second.command, second.has_input) == ("@daily", "true", False)
    assert "too few fields" in third.problem


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused_in_words(text: str) -> None:
    for entry in entries(text, with_users=False):
        with suppress(Unsayable):
            assert rule_of(entry.when).start
        with suppress(Unsayable):
            assert rate_of(fields_of(entry.when)).shortest_gap
