"""Hosts that may never be changed, or not while a window is open."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.domain.execution.boundaries import begins_to_hold, ended_by, hold_for_never
from runner.domain.execution.guards import Hold
from runner.domain.settings import Never
from runner.domain.time.window import DayKind, DayRule, MaintenanceWindow
from tests.domain.runs import START, a_plan, hosts

ALWAYS = MaintenanceWindow("always")
TRADING = MaintenanceWindow(
    "trading", day=DayRule(DayKind.WEEKDAYS, weekdays=(0, 1, 2, 3, 4)), start=time(8), until=time(18)
)
NEVER = Never("erp-db")
HOUR = timedelta(hours=1)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_a_host_that_may_never_be_changed_holds_for_ever() -> None:
    hold = hold_for_never(NEVER, ALWAYS, ("erp-db",), now=START)

    assert hold == Hold("boundary", "the boundary never: 'erp-db' forbids to change erp-db")


def test_a_run_without_such_a_host_is_not_held() -> None:
    assert hold_for_never(NEVER, ALWAYS, (), now=START) is None


def test_many_hosts_are_not_all_named() -> None:
    hold = hold_for_never(Never("web"), ALWAYS, hosts(6), now=START)

    assert hold is not None
    assert hold.reason.endswith("forbids to change web-01, web-02, web-03, web-04, web-05, …")


@pytest.mark.parametrize(
    ("moment", "held"),
    [("2026-03-20 07:59", False), ("2026-03-20 08:00", True), ("2026-03-20 17:59", True), ("2026-03-20 18:00", False)],
)
def test_a_boundary_of_a_window_holds_while_that_is_open(moment: str, held: bool) -> None:
    hold = hold_for_never(NEVER, TRADING, ("erp-db",), now=utc(moment))

    assert (hold is not None) is held


def test_a_boundary_of_a_window_holds_until_that_closes() -> None:
    hold = hold_for_never(NEVER, TRADING, ("erp-db",), now=utc("2026-03-20 12:00"))

    told = "the boundary never: 'erp-db' forbids to change erp-db during window 'trading'"
    assert hold == Hold("boundary", told, utc("2026-03-20 18:00"))


def test_a_boundary_begins_to_hold_when_its_window_opens_next() -> None:
    assert begins_to_hold(TRADING, ("erp-db",), now=utc("2026-03-20 19:00")) == utc("2026-03-23 08:00")


@pytest.mark.parametrize(("window", "named"), [(ALWAYS, ("erp-db",)), (TRADING, ())])
def test_what_holds_always_or_names_nobody_begins_at_no_time(window: MaintenanceWindow, named: tuple[str, ...]) -> None:
    assert begins_to_hold(window, named, now=START) is None


def test_a_run_without_an_end_gets_one_where_a_boundary_begins() -> None:
    run = ended_by(a_plan(), START + HOUR)

    assert (run.last_start, run.ends) == (START + HOUR, START + HOUR)


@given(
    st.none() | st.timedeltas(min_value=timedelta(0), max_value=9 * HOUR),
    st.none() | st.timedeltas(min_value=timedelta(0), max_value=9 * HOUR),
)
def test_a_run_ends_no_later_than_its_window_and_its_boundary(
    length: timedelta | None, boundary: timedelta | None
) -> None:
    ends = START + length if length is not None else None
    begins = START + boundary if boundary is not None else None
    run = ended_by(a_plan(ends=ends, last_start=ends), begins)

    known = [each for each in (ends, begins) if each is not None]
    assert run.ends == min(known, default=None)
    assert run.last_start == run.ends
