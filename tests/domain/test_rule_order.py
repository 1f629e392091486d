"""The whole language of dates: what each key does, and the order in which they do it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.domain.time.days import count_matches, parse_day
from runner.domain.time.freeze import Freeze
from runner.domain.time.occurrence import next_opening, openings
from runner.domain.time.recurrence import ever_occurs, named_dates, rule_dates
from runner.domain.time.splay import splayed
from runner.domain.time.window import MaintenanceWindow, OtherRule
from runner.domain.time.workdays import Calendar, Holidays
from tests.domain.windows import a_window, berlin, day, days, landing, slow_landing, walk

XMAS = Calendar("xmas", dates=days("2026-12-24", "2026-12-25", "2026-12-31", "2027-01-01"))


def test_the_sunday_after_patch_tuesday_may_lie_in_the_next_month() -> None:
    window = a_window("second tuesday", offset_days=5)

    assert landing(window, "2026-08-01", "2026-10-31") == ["2026-08-16", "2026-09-13", "2026-10-18"]
    assert landing(a_window("last tuesday", offset_days=5), "2026-09-01", "2026-09-30") == []
    assert landing(a_window("last tuesday", offset_days=5), "2026-10-01", "2026-10-31") == ["2026-10-04"]


def test_an_offset_may_be_negative() -> None:
    assert landing(a_window("day 1", offset_days=-2), "2026-02-01", "2026-03-31") == ["2026-02-27", "2026-03-30"]


def test_months_are_those_of_the_rules_own_date() -> None:
    window = a_window("last tuesday", months=[9], offset_days=5)

    assert landing(window, "2026-01-01", "2026-12-31") == ["2026-10-04"]


def test_the_last_workday_of_december_is_before_its_holidays() -> None:
    assert landing(a_window("last workday", calendar=XMAS), "2026-12-01", "2026-12-31") == ["2026-12-30"]
    assert landing(a_window("first workday", calendar=XMAS), "2027-01-01", "2027-01-31") == ["2027-01-04"]


def test_a_fortnight_counts_from_its_first_date() -> None:
    window = a_window("saturday", interval=2, since="2026-01-01")

    assert landing(window, "2026-01-01", "2026-02-15") == ["2026-01-03", "2026-01-17", "2026-01-31", "2026-02-14"]
    assert landing(window, "2025-12-01", "2026-01-04") == ["2026-01-03"]


def test_skipped_dates_are_counted() -> None:
    window = a_window("saturday", interval=2, since="2026-01-03", exdate=["2026-01-17"])

    assert landing(window, "2026-01-01", "2026-02-15") == ["2026-01-03", "2026-01-31", "2026-02-14"]


@pytest.mark.parametrize(
    ("roll", "lands"),
    [
        ("none", ["2026-10-31"]),
        ("next_workday", ["2026-11-02"]),
        ("previous_workday", ["2026-10-30"]),
        ("skip", []),
    ],
)
def test_a_day_that_is_not_worked_rolls_also_out_of_its_month(roll: str, lands: list[str]) -> None:
    window = a_window("last day", months=[10], calendar=XMAS, roll=roll)

    assert landing(window, "2026-10-01", "2026-11-30") == lands


def test_what_rolls_onto_one_day_opens_once_and_belongs_to_the_first() -> None:
    window = a_window(["sat", "sun"], calendar=XMAS, roll="next_workday")

    found = list(rule_dates(window, first=day("2026-10-05"), last=day("2026-10-05")))

    assert [(each.named, each.lands) for each in found] == [(day("2026-10-03"), day("2026-10-05"))]


def test_a_calendar_without_a_workday_for_a_year_leaves_dates_out() -> None:
    never = Calendar("never", dates=tuple(walk(day("2025-01-01"), day("2029-01-01"))))

    assert landing(a_window("day 1", calendar=never, roll="next_workday"), "2026-01-01", "2026-12-31") == []


def test_exdate_and_rdate_mean_where_it_lands() -> None:
    window = a_window("second tuesday", offset_days=5, exdate=["2026-09-13"], rdate=["2026-09-20"])

    assert landing(window, "2026-09-01", "2026-09-30") == ["2026-09-20"]


def test_exdate_wins_over_rdate() -> None:
    assert landing(a_window("day 1", exdate=["2026-09-20"], rdate=["2026-09-20"]), "2026-09-02", "2026-09-30") == []


def test_an_added_date_that_is_there_already_opens_once() -> None:
    assert landing(a_window("day 1", rdate=["2026-09-01"]), "2026-09-01", "2026-09-30") == ["2026-09-01"]


def test_an_added_date_that_names_another_opening_is_the_second_of_its_date() -> None:
    """The second Tuesday lands on Sunday; the same Tuesday is added by itself."""
    window = a_window("second tuesday", offset_days=5, rdate=["2026-09-08"])

    found = list(rule_dates(window, first=day("2026-09-01"), last=day("2026-09-30")))

    assert [(each.named.day, each.lands.day, each.ordinal) for each in found] == [(8, 8, 2), (8, 13, 1)]


def test_a_missing_start_may_be_left_out() -> None:
    window = a_window(start="02:30", duration="1h", dst="skip")

    found = openings(window, [], from_=berlin("2026-03-28 00:00"), to=berlin("2026-03-31 00:00"))

    assert [opening.rule_date.day for opening in found] == [28, 30]


def test_a_start_in_the_missing_and_in_the_doubled_hour_of_berlin() -> None:
    window = a_window(start="02:30", duration="1h")

    spring = list(openings(window, [], from_=berlin("2026-03-29 00:00"), to=berlin("2026-03-30 00:00")))
    autumn = list(openings(window, [], from_=berlin("2026-10-25 00:00"), to=berlin("2026-10-26 00:00")))

    assert [opening.opens for opening in spring] == [datetime(2026, 3, 29, 1, 0, tzinfo=UTC)]
    assert [opening.opens for opening in autumn] == [datetime(2026, 10, 25, 0, 30, tzinfo=UTC)]


def a_freeze(starts: str, ends: str) -> Freeze:
    return Freeze("launch", starts=berlin(starts), ends=berlin(ends))


def test_a_window_may_be_given_up_when_a_freeze_touches_it() -> None:
    window = a_window(start="22:00", duration="4h", freeze="skip")
    freeze = a_freeze("2026-05-04 20:00", "2026-05-04 22:10")

    found = next(openings(window, [freeze], from_=berlin("2026-05-04 22:00"), to=berlin("2026-05-05 00:00")))

    assert found.is_frozen
    assert found.frozen_by == ("launch",)


@pytest.mark.parametrize(("least", "frozen"), [("3h", False), ("3h1m", True)])
def test_what_a_freeze_leaves_counts_only_when_it_is_long_enough(least: str, frozen: bool) -> None:
    window = a_window(start="22:00", duration="4h", min_usable=least)
    freeze = a_freeze("2026-05-01 00:00", "2026-05-04 23:00")

    found = next(openings(window, [freeze], from_=berlin("2026-05-04 22:00"), to=berlin("2026-05-05 00:00")))

    assert found.is_frozen is frozen


def test_without_a_freeze_the_least_usable_part_asks_nothing() -> None:
    window = a_window(start="22:00", until="04:00", min_usable="6h")

    short = next(openings(window, [], from_=berlin("2026-03-28 22:00"), to=berlin("2026-03-28 23:00")))

    assert not short.is_frozen


def test_splay_is_the_same_each_time_and_differs_between_schedules() -> None:
    window = a_window(start="22:00", duration="4h", cutoff="45m", splay="30m")
    opening = next(openings(window, [], from_=berlin("2026-05-04 22:00"), to=berlin("2026-05-05 00:00")))

    once, again = (splayed(opening, window, schedule="patch-web") for _ in range(2))
    starts = {splayed(opening, window, schedule=f"patch-{number}").usable_from for number in range(50)}

    assert once == again
    assert len(starts) > 40
    assert all(opening.opens <= start <= opening.opens + timedelta(minutes=30) for start in starts)
    assert once.notes[-1].startswith("splay: patch-web begins ")
    assert (once.opens, once.last_start, once.usable_until) == (opening.opens, opening.last_start, opening.usable_until)


def test_splay_always_leaves_time_to_start_in() -> None:
    window = a_window(start="22:00", duration="4h", cutoff="45m", splay="3h")
    freeze = a_freeze("2026-05-01 00:00", "2026-05-05 01:00")
    cut = next(openings(window, [freeze], from_=berlin("2026-05-04 22:00"), to=berlin("2026-05-05 00:00")))

    for number in range(50):
        mine = splayed(cut, window, schedule=f"patch-{number}")
        assert cut.usable_from <= mine.usable_from <= cut.usable_from + (cut.last_start - cut.usable_from) / 2


def test_splay_does_nothing_to_an_opening_that_is_frozen() -> None:
    window = a_window(start="22:00", duration="4h", splay="1h")
    frozen = next(
        openings(
            window,
            [a_freeze("2026-05-01 00:00", "2026-05-09 00:00")],
            from_=berlin("2026-05-04 22:00"),
            to=berlin("2026-05-05 00:00"),
        )
    )

    assert splayed(frozen, window, schedule="patch-web") == frozen


def test_rules_that_say_the_same_are_the_same_whoever_reads_them() -> None:
    one, other = (OtherRule("cron: 0 2 * * 6", has_times=True, starts=lambda first, last: ()) for _ in range(2))
    holidays = [Holidays("DE/BE", lambda first, last: ()) for _ in range(2)]

    assert MaintenanceWindow("w", rule=one) == MaintenanceWindow("w", rule=other)
    assert hash(holidays[0]) == hash(holidays[1])
    assert MaintenanceWindow("w", rule=one) != MaintenanceWindow("w", rule=replace(other, text="cron: 0 3 * * 6"))


def test_holidays_that_are_looked_up_are_not_worked() -> None:
    calendar = Calendar("c", holidays=Holidays("x", lambda first, last: [found for found in days("2026-10-30") if first <= found <= last]))  # fmt: skip

    assert landing(a_window("last workday", calendar=calendar), "2026-10-01", "2026-10-31") == ["2026-10-29"]


def test_starts_of_another_rule_on_one_date_are_numbered() -> None:
    clocks = [datetime(2026, 5, 4, 2), datetime(2026, 5, 4, 14)]  # noqa: DTZ001  wall clocks
    rule = OtherRule("twice", has_times=True, starts=lambda first, last: [each for each in clocks if first <= each.date() <= last])  # fmt: skip
    window = MaintenanceWindow("w", timezone="Europe/Berlin", rule=rule, duration=timedelta(hours=1))

    found = list(openings(window, [], from_=berlin("2026-05-04 00:00"), to=berlin("2026-05-05 00:00")))

    assert [(each.rule_date.day, each.ordinal, each.opens) for each in found] == [
        (4, 1, berlin("2026-05-04 02:00")),
        (4, 2, berlin("2026-05-04 14:00")),
    ]


def test_what_is_left_out_for_ever_never_occurs() -> None:
    window = a_window("day 1", months=[1], roll="skip", calendar=Calendar("c", dates=tuple(date(year, 1, 1) for year in range(2026, 2070))))  # fmt: skip

    assert not ever_occurs(window, since=day("2026-01-15"))


RULES = st.one_of(
    st.sampled_from(["daily", "weekdays", "last day", "monday", "sunday", "first workday", "last workday"]),
    st.sampled_from([["sat", "sun"], ["mon", "wed", "fri"]]),
    st.integers(1, 31).map("day {}".format),
    st.tuples(st.sampled_from(["first", "second", "fifth", "last"]), st.sampled_from(["tue", "fri", "sun"])).map(
        " ".join
    ),
)
CALENDARS = st.builds(
    lambda workdays, holidays: Calendar("c", tuple(sorted(workdays)), tuple(sorted(holidays))),
    st.sets(st.integers(0, 6), min_size=1),
    st.sets(st.dates(date(2025, 1, 1), date(2027, 12, 31)), max_size=12),
)
WINDOWS = st.builds(
    a_window,
    day=RULES,
    months=st.sets(st.integers(1, 12), max_size=4).map(lambda months: tuple(sorted(months))),
    interval=st.integers(1, 5),
    since=st.dates(date(2024, 1, 1), date(2026, 6, 1)).map(date.isoformat),
    offset_days=st.integers(-40, 40),
    calendar=CALENDARS,
    roll=st.sampled_from(["none", "next_workday", "previous_workday", "skip"]),
    exdate=st.sets(st.dates(date(2026, 1, 1), date(2026, 12, 31)).map(date.isoformat), max_size=20),
    rdate=st.sets(st.dates(date(2026, 1, 1), date(2026, 12, 31)).map(date.isoformat), max_size=5),
)
DATES = st.dates(date(2026, 1, 1), date(2026, 12, 1))


@given(WINDOWS, DATES, st.integers(0, 70))
def test_the_order_of_evaluation_is_that_of_the_rules_read_aloud(
    window: MaintenanceWindow, first: date, span: int
) -> None:
    last = first + timedelta(days=span)

    found = [(each.named, each.lands) for each in rule_dates(window, first=first, last=last)]

    assert found == slow_landing(window, first=first, last=last, far=timedelta(days=420))


@given(WINDOWS, DATES)
def test_no_date_is_landed_on_twice_and_no_identity_is_borne_twice(window: MaintenanceWindow, first: date) -> None:
    found = list(rule_dates(window, first=first, last=first + timedelta(days=120)))

    assert all(one.lands < other.lands for one, other in pairwise(found))
    assert len({(each.named, each.ordinal) for each in found}) == len(found)


@given(WINDOWS, DATES, st.integers(0, 60), st.integers(0, 60))
def test_dates_and_their_identities_do_not_depend_on_the_span_that_is_asked_for(
    window: MaintenanceWindow, first: date, head: int, tail: int
) -> None:
    middle, last = first + timedelta(days=head), first + timedelta(days=head + tail)

    in_two = [
        *rule_dates(window, first=first, last=middle),
        *rule_dates(window, first=middle + timedelta(days=1), last=last),
    ]

    assert list(rule_dates(window, first=first, last=last)) == in_two


@given(RULES, st.sets(st.integers(1, 12), max_size=5), CALENDARS, st.dates(date(2000, 1, 1), date(2026, 1, 1)), st.integers(0, 3000))  # fmt: skip
def test_matches_are_reckoned_as_they_would_be_counted(
    rule: str, months: set[int], calendar: Calendar, first: date, span: int
) -> None:
    before, months_ = first + timedelta(days=span), tuple(sorted(months))
    window = replace(a_window(rule, months=months_), calendar=calendar)

    counted = sum(1 for _ in named_dates(window, first=first, last=before - timedelta(days=1)))

    assert count_matches(parse_day(rule), months_, calendar, first=first, before=before) == counted


ZONES = st.sampled_from(
    [
        *("Europe/Berlin", "America/New_York", "Africa/Cairo", "Australia/Lord_Howe", "UTC", "Asia/Kathmandu"),
        *("America/St_Johns", "Pacific/Apia", "Africa/Casablanca", "America/Santiago"),
    ]
)


@given(
    st.builds(
        a_window,
        day=st.sampled_from(["daily", "saturday", "last sunday"]),
        start=st.sampled_from(["00:00", "00:30", "01:30", "02:15", "02:30", "22:00", "23:59"]),
        duration=st.sampled_from(["30m", "4h", "1d", "25h"]),
        until=st.sampled_from([None, None, "04:00", "22:00"]),
        timezone=ZONES,
        dst=st.sampled_from(["shift", "skip"]),
    ),
    st.datetimes(datetime(2024, 1, 1), datetime(2027, 1, 1)).map(lambda naive: naive.replace(tzinfo=UTC)),  # noqa: DTZ001
)
def test_a_window_is_open_from_its_start_up_to_its_end(window: MaintenanceWindow, instant: datetime) -> None:
    following = next_opening(window, [], after=instant)

    assert following is not None
    for moment, inside in [
        (following.opens, True),
        (following.closes - timedelta.resolution, True),
        (following.opens - timedelta.resolution, False),
        (following.closes, False),
    ]:
        around = openings(window, [], from_=moment, to=moment + timedelta.resolution)
        assert (following in list(around)) is inside
