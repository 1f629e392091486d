from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from runner.domain.time.wallclock import Clocks, days_near_jumps, moved, parse_clock, resolve

ZONES = st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Cairo", "Asia/Kolkata"])
DAYS = st.dates(date(2000, 1, 1), date(2037, 12, 31))


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "day", "clock", "instant", "shown"),
    [
        ("Europe/Berlin", "2026-03-28", "02:30", "2026-03-28 01:30", Clocks.ONCE),
        ("Europe/Berlin", "2026-03-29", "02:30", "2026-03-29 01:00", Clocks.NEVER),
        ("Europe/Berlin", "2026-03-29", "03:00", "2026-03-29 01:00", Clocks.ONCE),
        ("Europe/Berlin", "2026-10-25", "02:30", "2026-10-25 00:30", Clocks.TWICE),
        ("Australia/Lord_Howe", "2026-10-04", "02:15", "2026-10-03 15:30", Clocks.NEVER),
        ("Africa/Cairo", "2026-04-24", "00:00", "2026-04-23 22:00", Clocks.NEVER),
        ("Pacific/Apia", "2011-12-30", "12:00", "2011-12-30 10:00", Clocks.NEVER),
    ],
)
def test_a_time_that_does_not_exist_is_shifted_and_one_that_occurs_twice_is_the_first(
    zone: str, day: str, clock: str, instant: str, shown: Clocks
) -> None:
    found = resolve(date.fromisoformat(day), parse_clock(clock), ZoneInfo(zone))

    assert (found.instant, found.shown) == (utc(instant), shown)


@given(ZONES, DAYS, st.times().map(lambda clock: clock.replace(microsecond=0)))
def test_an_instant_shows_its_time_or_the_first_one_after_it(zone: str, day: date, clock: time) -> None:
    place = ZoneInfo(zone)
    asked = datetime.combine(day, clock)

    found = resolve(day, clock, place)
    shown = found.instant.astimezone(place).replace(tzinfo=None)
    second_before = (found.instant - timedelta(seconds=1)).astimezone(place).replace(tzinfo=None)

    if found.shown is Clocks.NEVER:
        assert second_before < asked < shown
    else:
        assert shown == asked


@given(ZONES, DAYS, st.times(), st.times())
def test_a_later_time_is_never_an_earlier_instant(zone: str, day: date, one: time, other: time) -> None:
    place = ZoneInfo(zone)
    earlier, later = sorted([one, other])

    assert resolve(day, earlier, place).instant <= resolve(day, later, place).instant


@pytest.mark.parametrize("text", ["24:00", "9:30", "22", "22:60", "25:00", "22:00 ", "2200", "", "\uff12\uff12:00"])
def test_what_is_no_time_of_day_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match=r'Write .*"\d\d:\d\d"'):
        parse_clock(text)


def test_a_date_is_not_moved_past_the_ends_of_the_calendar() -> None:
    assert moved(date.max, timedelta(days=1)) == date(9998, 1, 1)
    assert moved(date.min, timedelta(days=-1)) == date(2, 1, 1)
    assert moved(date(2026, 12, 31), timedelta(days=1)) == date(2027, 1, 1)


def days_of(year: int) -> list[date]:
    return [date(year, 1, 1) + timedelta(days=number) for number in range(365)]


def gaps(days: Iterable[date], clock: time, zone: ZoneInfo) -> list[date]:
    return [day for day in days if resolve(day, clock, zone).shown is Clocks.NEVER]


@given(st.sampled_from(sorted(available_timezones())), st.integers(1970, 2036), st.times())
@example("Pacific/Apia", 2011, time(12))  # a whole day was left out
@example("America/Sao_Paulo", 2018, time(0, 30))  # the clocks jumped at midnight
@example("Australia/Lord_Howe", 2026, time(2, 15))  # by half an hour
@example("Africa/Casablanca", 2026, time(2, 30))  # by the moon
@example("Africa/Monrovia", 1972, time(0, 20))  # by 44 and a half minutes, at midnight
def test_every_time_that_does_not_exist_lies_on_a_day_near_a_jump(zone: str, year: int, clock: time) -> None:
    days = days_of(year)

    near = days_near_jumps(ZoneInfo(zone), days[0], days[-1])

    assert gaps(near, clock, ZoneInfo(zone)) == gaps(days, clock, ZoneInfo(zone))
    assert len(near) < 40, "few days are to be looked at"
