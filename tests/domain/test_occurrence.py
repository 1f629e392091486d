from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.domain.time.freeze import Freeze, YearlySpan
from runner.domain.time.occurrence import missing_starts, next_opening, opening_at, openings, overlapping
from runner.domain.time.window import ALWAYS, MaintenanceWindow, Opening
from tests.domain.windows import a_window, berlin


def a_freeze(starts: str, ends: str, name: str = "freeze") -> Freeze:
    return Freeze(name, starts=berlin(starts), ends=berlin(ends))


def the_opening(window: MaintenanceWindow, day: str, *freezes: Freeze) -> Opening:
    wanted = date.fromisoformat(day)
    around = openings(window, freezes, from_=berlin(f"{day} 00:00"), to=berlin(f"{day} 00:00") + timedelta(days=2))
    return next(opening for opening in around if opening.rule_date == wanted)


def test_a_saturday_night_window_is_open_on_sunday_morning_and_belongs_to_saturday() -> None:
    window = a_window("saturday", start="22:00", until="04:00")

    opening = opening_at(window, [], berlin("2026-03-22 03:00"))

    assert opening is not None
    assert (opening.opens, opening.closes) == (berlin("2026-03-21 22:00"), berlin("2026-03-22 04:00"))
    assert (opening.rule_date, opening.ordinal) == (date(2026, 3, 21), 1)


def test_a_saturday_night_window_is_closed_on_saturday_morning() -> None:
    window = a_window("saturday", start="22:00", until="04:00")

    assert opening_at(window, [], berlin("2026-03-21 03:00")) is None


def test_a_window_is_open_at_its_start_and_closed_at_its_end() -> None:
    window = a_window(start="22:00", until="04:00")

    assert opening_at(window, [], berlin("2026-03-21 22:00")) is not None
    assert opening_at(window, [], berlin("2026-03-22 04:00")) is None


def test_a_start_in_the_missing_hour_is_shifted_to_the_first_instant_after_it() -> None:
    window = a_window(start="02:30", duration="2h")

    opening = the_opening(window, "2026-03-29")

    assert (opening.opens, opening.closes) == (berlin("2026-03-29 03:00"), berlin("2026-03-29 05:00"))
    assert opening.notes == ("02:30 does not exist on this day; it opens when the clocks have changed",)


def test_a_start_in_the_doubled_hour_is_the_first_and_happens_once() -> None:
    window = a_window(start="02:30", duration="30m")

    found = list(openings(window, [], from_=berlin("2026-10-25 00:00"), to=berlin("2026-10-26 00:00")))

    assert [opening.opens for opening in found] == [datetime(2026, 10, 25, 0, 30, tzinfo=UTC)]
    assert found[0].notes == ("02:30 occurs twice on this day; it opens at the first",)


@pytest.mark.parametrize(
    ("length", "closes"),
    [
        ({"duration": "6h"}, "2026-03-29 05:00"),
        ({"until": "04:00"}, "2026-03-29 04:00"),
        ({"until": "02:30"}, "2026-03-29 03:00"),
        ({"duration": "1d"}, "2026-03-29 22:00"),
        ({"duration": "24h"}, "2026-03-29 23:00"),
        ({"duration": "1d2h"}, "2026-03-30 00:00"),
    ],
)
def test_hours_are_elapsed_and_days_and_until_follow_the_clock(length: dict[str, str], closes: str) -> None:
    window = a_window(start="22:00", **length)

    assert the_opening(window, "2026-03-28").closes == berlin(closes)


def test_an_opening_says_when_the_clocks_change_its_length() -> None:
    window = a_window(start="22:00", until="04:00")

    assert the_opening(window, "2026-03-28").notes == ("the clocks change: it lasts 5h instead of 6h",)


def test_nothing_is_left_of_a_window_that_lies_inside_the_missing_hour() -> None:
    window = a_window(start="02:15", until="02:45")

    found = openings(window, [], from_=berlin("2026-03-28 00:00"), to=berlin("2026-03-31 00:00"))

    assert [opening.rule_date.day for opening in found] == [28, 30]


def test_a_day_that_a_zone_left_out_does_not_open_twice() -> None:
    window = a_window(start="00:00", duration="1h", timezone="Pacific/Apia")

    found = openings(window, [], from_=datetime(2011, 12, 28, tzinfo=UTC), to=datetime(2012, 1, 1, tzinfo=UTC))
    starts = [opening.opens for opening in found]

    assert len(starts) == len(set(starts))


def test_a_freeze_that_ends_inside_a_window_leaves_the_rest() -> None:
    window = a_window(start="22:00", duration="4h", cutoff="45m")

    opening = the_opening(window, "2026-05-04", a_freeze("2026-05-01 00:00", "2026-05-04 23:00", "launch"))

    assert (opening.opens, opening.closes) == (berlin("2026-05-04 22:00"), berlin("2026-05-05 02:00"))
    assert (opening.usable_from, opening.usable_until) == (berlin("2026-05-04 23:00"), berlin("2026-05-05 02:00"))
    assert opening.last_start == berlin("2026-05-05 01:15")
    assert opening.frozen_by == ("launch",)


def test_a_freeze_that_begins_inside_a_window_moves_the_last_start() -> None:
    window = a_window(start="22:00", duration="4h", cutoff="45m")

    opening = the_opening(window, "2026-05-04", a_freeze("2026-05-05 01:00", "2026-05-09 00:00"))

    assert opening.last_start == berlin("2026-05-05 00:15")


def test_the_longest_part_between_two_freezes_is_used() -> None:
    window = a_window(start="22:00", duration="6h")
    freezes = [a_freeze("2026-05-04 22:30", "2026-05-04 23:00"), a_freeze("2026-05-05 02:00", "2026-05-05 03:30")]

    opening = the_opening(window, "2026-05-04", *freezes)

    assert (opening.usable_from, opening.usable_until) == (berlin("2026-05-04 23:00"), berlin("2026-05-05 02:00"))


def test_a_part_no_longer_than_the_cutoff_counts_as_frozen() -> None:
    window = a_window(start="22:00", duration="4h", cutoff="45m")

    opening = the_opening(window, "2026-05-04", a_freeze("2026-05-04 22:45", "2026-05-09 00:00"))

    assert opening.is_frozen
    assert opening.last_start == opening.usable_from == opening.usable_until == opening.opens


def test_windows_over_new_year_are_frozen_and_named() -> None:
    freeze = Freeze("year-end", every_year=YearlySpan((12, 20), (1, 6)), timezone="Europe/Berlin")
    window = a_window("saturday", start="22:00", until="04:00")

    found = list(openings(window, [freeze], from_=berlin("2026-12-10 00:00"), to=berlin("2027-01-12 00:00")))

    assert [(opening.rule_date.isoformat(), opening.is_frozen) for opening in found] == [
        ("2026-12-12", False),
        ("2026-12-19", False),
        ("2026-12-26", True),
        ("2027-01-02", True),
        ("2027-01-09", False),
    ]
    assert found[1].usable_until == berlin("2026-12-20 00:00")
    assert found[2].frozen_by == ("year-end",)


def test_the_next_opening_begins_later_and_may_be_frozen() -> None:
    window = a_window("saturday", start="22:00", until="04:00")
    freeze = a_freeze("2026-03-28 00:00", "2026-04-01 00:00")
    inside_one = berlin("2026-03-21 22:00")

    following = next_opening(window, [freeze], after=inside_one)
    usable = next_opening(window, [freeze], after=inside_one, usable=True)

    assert following is not None
    assert usable is not None
    assert (following.rule_date, following.is_frozen) == (date(2026, 3, 28), True)
    assert (usable.rule_date, usable.is_frozen) == (date(2026, 4, 4), False)


def test_a_window_that_never_occurs_has_no_next_opening() -> None:
    window = a_window("day 31", months=(2,), duration="1h")

    assert next_opening(window, [], after=berlin("2026-01-01 00:00")) is None


def test_a_window_that_is_always_frozen_has_no_usable_opening() -> None:
    everything = Freeze("for ever", every_year=YearlySpan((1, 1), (12, 31)), timezone="Europe/Berlin")

    assert next_opening(a_window(duration="1h"), [everything], after=berlin("2026-01-01 00:00"), usable=True) is None


def test_29_february_is_found_over_the_year_2100() -> None:
    window = a_window("day 29", months=(2,), duration="1h")

    opening = next_opening(window, [], after=berlin("2096-03-01 00:00"))

    assert opening is not None
    assert opening.rule_date == date(2104, 2, 29)


def test_the_window_always_is_open_until_the_next_freeze_and_has_no_openings_to_list() -> None:
    always, now = MaintenanceWindow(ALWAYS), berlin("2026-05-04 12:00")
    later, current = a_freeze("2026-05-06 00:00", "2026-05-07 00:00"), a_freeze("2026-05-04 00:00", "2026-05-05 00:00")

    free, frozen = opening_at(always, [later], now), opening_at(always, [current], now)
    chance = next_opening(always, [current], after=now, usable=True)

    assert free is not None
    assert frozen is not None
    assert chance is not None
    assert (free.usable_from, free.usable_until) == (now, berlin("2026-05-06 00:00"))
    assert frozen.is_frozen
    assert chance.usable_from == berlin("2026-05-05 00:00")
    assert list(openings(always, [], from_=now, to=now + timedelta(days=9))) == []


def test_starts_that_the_clocks_jump_over_are_named() -> None:
    window = a_window(start="02:30", duration="1h")

    found = list(missing_starts(window, first=date(2026, 1, 1), last=date(2027, 12, 31)))

    assert found == [date(2026, 3, 29), date(2027, 3, 28)]


def test_openings_that_overlap_are_found_as_pairs() -> None:
    window = a_window(start="22:00", duration="25h")

    found = list(overlapping(openings(window, [], from_=berlin("2026-05-04 00:00"), to=berlin("2026-05-06 00:00"))))

    assert [(one.rule_date.day, other.rule_date.day) for one, other in found] == [(3, 4), (4, 5)]


WINDOWS = st.builds(
    a_window,
    day=st.sampled_from(["daily", "saturday", "last sunday", "day 31", "last day", "weekdays"]),
    start=st.sampled_from(["00:00", "00:30", "02:00", "02:30", "03:00", "22:00", "23:59"]),
    duration=st.sampled_from(["30m", "4h", "1d", "24h", "30h", "1d1h"]),
    cutoff=st.sampled_from(["0m", "15m"]),
    timezone=st.sampled_from(["Europe/Berlin", "America/New_York", "Africa/Cairo", "Australia/Lord_Howe", "UTC"]),
)
INSTANTS = st.integers(0, 3 * 365 * 24 * 60).map(
    lambda minutes: datetime(2025, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
)
FREEZES = st.one_of(
    st.builds(
        lambda starts, hours: Freeze("span", starts=starts, ends=starts + timedelta(hours=hours)),
        INSTANTS,
        st.integers(1, 500),
    ),
    st.builds(
        lambda first, last: Freeze("yearly", every_year=YearlySpan((first.month, first.day), (last.month, last.day))),
        st.dates(),
        st.dates(),
    ),
)


@given(WINDOWS, st.lists(FREEZES, max_size=3), INSTANTS, st.integers(1, 40))
def test_openings_are_in_order_overlap_the_question_and_are_cut_by_every_freeze(
    window: MaintenanceWindow, freezes: list[Freeze], from_: datetime, days: int
) -> None:
    to = from_ + timedelta(days=days)

    found = list(openings(window, freezes, from_=from_, to=to))

    assert all(one.opens < other.opens for one, other in pairwise(found))
    for opening in found:
        assert opening.opens < to
        assert from_ < opening.closes
        assert opening.opens <= opening.usable_from <= opening.last_start <= opening.usable_until <= opening.closes
        assert opening.is_frozen or opening.last_start == opening.usable_until - window.cutoff
        assert opening.is_frozen or not any(
            freeze.covers(moment)
            for freeze in freezes
            for moment in (opening.usable_from, opening.usable_until - timedelta.resolution)
        )


@given(WINDOWS, INSTANTS, st.integers(1, 20), st.integers(1, 20))
def test_openings_are_the_same_whichever_span_is_asked_for(
    window: MaintenanceWindow, from_: datetime, head: int, tail: int
) -> None:
    middle, to = from_ + timedelta(days=head), from_ + timedelta(days=head + tail)

    in_one = list(openings(window, [], from_=from_, to=to))
    in_two = [*openings(window, [], from_=from_, to=middle), *openings(window, [], from_=middle, to=to)]

    assert in_one == list(dict.fromkeys(in_two))


@given(WINDOWS, INSTANTS)
def test_an_instant_is_open_exactly_when_an_opening_holds_it(window: MaintenanceWindow, instant: datetime) -> None:
    around = openings(window, [], from_=instant - timedelta(days=3), to=instant + timedelta(days=3))
    holding = [opening for opening in around if opening.opens <= instant < opening.closes]

    assert opening_at(window, [], instant) == (holding[0] if holding else None)


@given(WINDOWS, INSTANTS)
def test_the_next_opening_leaves_none_out(window: MaintenanceWindow, instant: datetime) -> None:
    following = next_opening(window, [], after=instant)

    assert following is not None
    between = openings(window, [], from_=instant, to=following.opens)
    assert all(opening.opens <= instant for opening in between)


@given(WINDOWS, INSTANTS)
def test_each_rule_date_opens_at_most_once(window: MaintenanceWindow, instant: datetime) -> None:
    found = list(openings(window, [], from_=instant, to=instant + timedelta(days=60)))

    assert len({(opening.rule_date, opening.ordinal) for opening in found}) == len(found)
