"""Other programs as referees: GNU date for the wall clock, systemd for the days of rules, croniter for cron, cronsim for rules that cron has, too.

Where others differ by intent, the table says so:

| | ours | GNU date | systemd | cronsim | croniter | dateutil |
|---|---|---|---|---|---|---|
| a start in the missing hour | the first instant after, or left out | refused | left out | the first after | the first after | an instant that is none |
| a start in the doubled hour | the first, once | the first | the first, once | once | twice | once |
"""

from __future__ import annotations

import os
import subprocess
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from croniter import croniter
from cronsim import CronSim
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.adapters.calendars import Calendars
from runner.domain.time.occurrence import openings
from runner.domain.time.recurrence import rule_dates
from runner.domain.time.wallclock import Clocks, parse_clock, resolve
from tests.domain.windows import a_window, day

ZONES = [
    *("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/St_Johns", "Asia/Kathmandu"),
    *("America/Santiago", "Africa/Cairo", "Pacific/Chatham", "Asia/Tehran", "Europe/Dublin"),
]


def gnu_date(local: str, zone: str) -> datetime | None:
    """The instant of a wall clock by GNU date; None where it says that there is none."""
    asked = ["date", "--date", local, "+%s"]
    found = subprocess.run(asked, env={**os.environ, "TZ": zone}, capture_output=True, text=True, check=False)
    return datetime.fromtimestamp(int(found.stdout), UTC) if found.returncode == 0 else None


@pytest.mark.parametrize("zone", ZONES)
def test_a_wall_clock_is_the_instant_that_gnu_date_says(zone: str) -> None:
    """Four clocks on the days around the changes of 2025, whose rules no later edition of the zones changes any more."""
    for each in ("2025-03-30", "2025-10-26", "2025-03-09", "2025-11-02", "2025-04-06", "2025-09-07", "2025-07-01"):
        for clock in ("00:30", "01:30", "02:30", "22:00"):
            ours = resolve(date.fromisoformat(each), parse_clock(clock), ZoneInfo(zone))
            theirs = gnu_date(f"{each} {clock}", zone)
            if ours.shown is Clocks.NEVER:
                assert theirs is None, (zone, each, clock)
            elif ours.shown is Clocks.TWICE:
                assert theirs in {ours.instant, ours.instant + timedelta(hours=1), ours.instant + timedelta(minutes=30)}
            else:
                assert theirs == ours.instant, (zone, each, clock)


SYSTEMD_RULES = {
    "saturday": "Sat *-*-* 22:00",
    "weekdays": "Mon..Fri *-*-* 22:00",
    "daily": "*-*-* 22:00",
    "second tuesday": "Tue *-*-8..14 22:00",
    "last friday": "Fri *-*~1..7 22:00",
    "fifth sunday": "Sun *-*-29..31 22:00",
    "day 15": "*-*-15 22:00",
    "day 31": "*-*-31 22:00",
    "last day": "*-*~1 22:00",
}


def systemd_calendar(rule: str, *, after: datetime, number: int) -> list[datetime]:
    """The next times of a rule of systemd, in UTC."""
    asked = [
        "systemd-analyze",
        "calendar",
        f"--iterations={number}",
        f"--base-time={after:%Y-%m-%d %H:%M:%S} UTC",
        rule,
    ]
    told = subprocess.run(asked, capture_output=True, text=True, check=True, env={**os.environ, "TZ": "UTC"}).stdout
    found = [line.partition(": ")[2].strip() for line in told.splitlines() if line.strip().startswith(("Next elapse:", "Iteration #", "Iter. #"))]  # fmt: skip
    return [datetime.strptime(text, "%a %Y-%m-%d %H:%M:%S UTC").replace(tzinfo=UTC) for text in found]


@pytest.mark.parametrize("rule", SYSTEMD_RULES)
def test_a_rule_opens_when_systemd_says(rule: str) -> None:
    after = datetime(2026, 1, 10, tzinfo=UTC)
    window = a_window(rule, start="22:00", timezone="UTC")

    ours = [opening.opens for opening in openings(window, [], from_=after, to=after + timedelta(days=1500))]
    ours = [opens for opens in ours if opens > after]

    assert ours
    assert ours[:12] == systemd_calendar(SYSTEMD_RULES[rule], after=after, number=12)[: len(ours[:12])]


# Each rule in the two fields of cron: day of the month, and weekday.
CRON_RULES = {
    "saturday": ("*", "6"),
    "weekdays": ("*", "1-5"),
    "second tuesday": ("*", "2#2"),
    "fifth sunday": ("*", "0#5"),
    "last friday": ("*", "5L"),
    "day 31": ("31", "*"),
    "last day": ("L", "*"),
    "last workday": ("LW", "*"),
}


@pytest.mark.parametrize("rule", CRON_RULES)
@pytest.mark.parametrize("months", [(), (2, 4, 10)])
def test_a_rule_names_the_days_that_cronsim_says(rule: str, months: tuple[int, ...]) -> None:
    of_month, weekday = CRON_RULES[rule]
    expression = f"0 0 {of_month} {','.join(map(str, months)) or '*'} {weekday}"
    theirs = CronSim(expression, datetime(2025, 12, 31, 12))  # noqa: DTZ001  a wall clock

    ours = rule_dates(a_window(rule, months=months), first=day("2026-01-01"), last=day("2031-12-31"))

    assert [each.lands for each in ours] == [found.date() for found in until(theirs, date(2031, 12, 31))]


def until(found: CronSim, last: date) -> list[datetime]:
    several = []
    for each in found:
        if each.date() > last:
            break
        several.append(each)
    return several


FIELDS = st.tuples(
    st.sampled_from(["0", "30", "0,30", "15-45/15"]),
    st.sampled_from(["2", "2,14", "*/6", "22-23"]),
    st.sampled_from(["*", "1", "13", "1-7", "15,31", "L"]),
    st.sampled_from(["*", "2", "1,7", "*/5"]),
    st.sampled_from(["*", "6", "1-5", "0", "7", "sun", "5,6"]),
).map(" ".join)


@settings(max_examples=60)
@given(FIELDS, st.dates(date(2024, 1, 1), date(2030, 1, 1)))
def test_a_cron_expression_starts_when_croniter_says(expression: str, first: date) -> None:
    """On wall clocks: what changing clocks do to them is ours to say."""
    begins = datetime.combine(first, datetime.min.time())

    ours = Calendars().cron(expression)(first, first + timedelta(days=400))

    theirs = croniter(expression, begins - timedelta(seconds=1), ret_type=datetime)
    assert [start for start, _ in zip(ours, range(20), strict=False)] == [
        each for each in (theirs.get_next() for _ in range(20)) if each.date() <= first + timedelta(days=400)
    ]
