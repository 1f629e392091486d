from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.domain.time.freeze import EMERGENCY, FEBRUARY_29, READ_ONLY, Freeze, YearlySpan, binding, longest_free
from runner.domain.time.workdays import Calendar

YEAR_END = Freeze("year-end", every_year=YearlySpan((12, 20), (1, 6)), timezone="Europe/Berlin")


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("instant", "frozen"),
    [
        ("2026-12-19 22:59", False),
        ("2026-12-19 23:00", True),
        ("2026-12-31 23:30", True),
        ("2027-01-06 22:59", True),
        ("2027-01-06 23:00", False),
        ("2026-01-05 12:00", True),
        ("2026-07-01 12:00", False),
    ],
)
def test_a_freeze_over_new_year_covers_whole_local_days_with_both_ends(instant: str, frozen: bool) -> None:
    assert YEAR_END.covers(utc(instant)) is frozen


def test_a_freeze_over_new_year_is_one_span() -> None:
    spans = list(YEAR_END.spans(utc("2026-12-31 00:00"), utc("2027-01-02 00:00")))

    assert spans == [(utc("2026-12-19 23:00"), utc("2027-01-06 23:00"))]


CHRISTMAS = Calendar("office", dates=(date(2026, 12, 24), date(2026, 12, 25), date(2026, 12, 26), date(2027, 1, 1)))
HOLIDAYS = Freeze("holidays", calendar=CHRISTMAS, timezone="Europe/Berlin")


@pytest.mark.parametrize(
    ("instant", "frozen"),
    [
        ("2026-12-23 22:59", False),
        ("2026-12-23 23:00", True),
        ("2026-12-26 22:59", True),
        ("2026-12-26 23:00", False),
        ("2026-12-27 12:00", False),  # a Sunday is no holiday
        ("2027-01-01 12:00", True),
    ],
)
def test_a_freeze_on_holidays_covers_each_from_midnight_to_midnight_of_its_zone(instant: str, frozen: bool) -> None:
    assert HOLIDAYS.covers(utc(instant)) is frozen


def test_holidays_that_follow_one_another_are_one_span() -> None:
    spans = list(HOLIDAYS.spans(utc("2026-12-25 00:00"), utc("2027-02-01 00:00")))

    assert spans == [
        (utc("2026-12-23 23:00"), utc("2026-12-26 23:00")),
        (utc("2026-12-31 23:00"), utc("2027-01-01 23:00")),
    ]
    assert HOLIDAYS.until(utc("2026-12-24 12:00")) == utc("2026-12-26 23:00")


@given(
    st.sets(st.dates(date(2026, 3, 1), date(2026, 4, 30)), max_size=20),
    st.timedeltas(timedelta(0), timedelta(days=70)),
)
def test_an_instant_is_frozen_exactly_when_its_local_day_is_a_holiday(days: set[date], later: timedelta) -> None:
    instant = utc("2026-02-25 00:00") + later
    freeze = Freeze("holidays", calendar=Calendar("c", dates=tuple(days)), timezone="Europe/Berlin")

    assert freeze.covers(instant) is (instant.astimezone(ZoneInfo("Europe/Berlin")).date() in days)


def test_a_freeze_between_instants_is_half_open() -> None:
    launch = Freeze("launch", starts=utc("2026-11-27 17:00"), ends=utc("2026-11-30 08:00"))

    assert [launch.covers(utc(f"2026-11-{moment}")) for moment in ("27 16:59", "27 17:00", "30 07:59", "30 08:00")] == [
        False,
        True,
        True,
        False,
    ]
    assert launch.until(utc("2026-11-28 00:00")) == utc("2026-11-30 08:00")


@pytest.mark.parametrize(
    ("span", "year", "days"),
    [
        (YearlySpan(FEBRUARY_29, (3, 2)), 2027, 2),
        (YearlySpan(FEBRUARY_29, (3, 2)), 2028, 3),
        (YearlySpan((2, 27), FEBRUARY_29), 2027, 2),
        (YearlySpan((2, 27), FEBRUARY_29), 2028, 3),
        (YearlySpan(FEBRUARY_29, FEBRUARY_29), 2027, 0),
        (YearlySpan(FEBRUARY_29, FEBRUARY_29), 2028, 1),
        (YearlySpan((5, 1), (5, 1)), 2027, 1),
        (YearlySpan((12, 31), (1, 1)), 2027, 2),
    ],
)
def test_yearly_spans_know_leap_years(span: YearlySpan, year: int, days: int) -> None:
    first, after = span.in_year(year)

    assert (after - first).days == days


def test_a_freeze_that_names_nothing_means_everything() -> None:
    assert Freeze("all").applies_to(schedule="patch", window="night")


def test_a_freeze_means_what_bears_one_of_its_names() -> None:
    freeze = Freeze("some", services=("web-shop",), schedules=("patch-db",), windows=("office",))

    assert freeze.applies_to(schedule="patch-web", window="night", services=["web-shop", "mail"])
    assert freeze.applies_to(schedule="patch-db", window="night")
    assert freeze.applies_to(schedule="patch-web", window="office")
    assert not freeze.applies_to(schedule="patch-web", window="night", services=["mail"])


def test_read_only_work_passes_a_freeze_unless_allow_leaves_it_out() -> None:
    usual, strict = Freeze("usual"), Freeze("strict", allow=(EMERGENCY,))

    assert usual.allows(effect=READ_ONLY, change="standard")
    assert not strict.allows(effect=READ_ONLY, change="standard")
    assert not usual.allows(effect="change", change=EMERGENCY)
    assert strict.allows(effect="reboot", change=EMERGENCY)


def test_only_freezes_that_mean_the_work_and_do_not_let_it_pass_bind_it() -> None:
    freezes = [Freeze("all"), Freeze("other", schedules=("x",)), Freeze("emergencies pass", allow=(EMERGENCY,))]

    found = binding(freezes, schedule="patch", window="night", effect="change", change=EMERGENCY)

    assert [freeze.name for freeze in found] == ["all"]


MOMENTS = st.integers(0, 600).map(lambda minutes: utc("2026-03-01 00:00") + timedelta(minutes=minutes))
PARTS = (
    st.tuples(MOMENTS, MOMENTS).map(sorted).filter(lambda part: part[0] < part[1]).map(lambda part: (part[0], part[1]))
)


@given(PARTS, st.lists(PARTS, max_size=6))
def test_the_longest_free_part_lies_inside_touches_no_freeze_and_is_not_beaten(
    window: tuple[datetime, datetime], frozen: list[tuple[datetime, datetime]]
) -> None:
    opens, closes = window
    minute = timedelta(minutes=1)
    free = [
        not any(start <= opens + minute * number < end for start, end in frozen)
        for number in range((closes - opens) // minute)
    ]
    runs = "".join("x" if moment else " " for moment in free).split()
    longest = max(map(len, runs), default=0)

    start, end = longest_free(opens, closes, frozen)

    assert opens <= start <= end <= closes
    assert (end - start) // minute == longest
    assert not any(start < frozen_end and frozen_start < end for frozen_start, frozen_end in frozen) or start == end


def test_the_first_of_two_equal_parts_is_taken() -> None:
    opens, closes = utc("2026-03-01 22:00"), utc("2026-03-02 04:00")
    middle = (utc("2026-03-02 00:00"), utc("2026-03-02 02:00"))

    assert longest_free(opens, closes, [middle]) == (opens, middle[0])
