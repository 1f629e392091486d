"""A ring after a ring: the last whole run of the one before decides, and it must be old enough and not too old."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.domain.execution.guards import Hold
from runner.domain.execution.rings import RingRun, hold_for_ring
from runner.domain.execution.run import Verdict
from runner.domain.execution.schedule import Requirement, WantedVerdict

DAY = timedelta(days=1)
ENDED = datetime(2026, 3, 14, 23, 0, tzinfo=UTC)
RING = Requirement("patch-test", within=10 * DAY, at_least=3 * DAY)
TOLD = "it requires 'patch-test', and run 7 of it ended as {} at 2026-03-14 23:00 UTC"


def a_run(verdict: Verdict = Verdict.SUCCEEDED, *, incomplete: bool = False) -> RingRun:
    return RingRun("run 7", verdict, ENDED, incomplete)


def held(last: RingRun | None, after: timedelta = 5 * DAY, ring: Requirement = RING) -> Hold | None:
    return hold_for_ring(ring, last, now=ENDED + after)


def test_a_good_run_that_is_old_enough_clears_the_next_ring() -> None:
    assert held(a_run()) is None


def test_a_ring_that_was_never_through_holds() -> None:
    assert held(None) == Hold("requires", "it requires 'patch-test', which has not been through as a whole yet")


def test_a_ring_that_is_still_going_holds_whatever_came_before() -> None:
    assert held(RingRun("run 8")) == Hold("requires", "it requires 'patch-test', and run 8 of it is still going")


def test_a_run_that_has_just_ended_holds_until_it_has_been_over_for_long_enough() -> None:
    hold = held(a_run(), after=DAY)

    assert hold == Hold("requires", TOLD.format("succeeded") + "; it must have been over for 3d", ENDED + 3 * DAY)


def test_an_old_run_says_nothing_any_more() -> None:
    assert held(a_run(), after=11 * DAY) == Hold("requires", TOLD.format("succeeded") + ", which is more than 10d ago")


@pytest.mark.parametrize("verdict", sorted(set(Verdict) - {Verdict.SUCCEEDED}))
def test_any_other_verdict_holds_and_is_named(verdict: Verdict) -> None:
    assert held(a_run(verdict)) == Hold("requires", TOLD.format(verdict) + "; succeeded is wanted")


@pytest.mark.parametrize("verdict", sorted(Verdict))
def test_who_is_content_with_degraded_is_content_with_succeeded_and_with_nothing_less(verdict: Verdict) -> None:
    ring = Requirement("patch-test", WantedVerdict.DEGRADED)

    assert (held(a_run(verdict), ring=ring) is None) == (verdict in {Verdict.SUCCEEDED, Verdict.DEGRADED})


def test_a_green_run_with_a_hole_in_its_record_is_no_green_one() -> None:
    hold = held(a_run(incomplete=True))

    assert hold == Hold("requires", TOLD.format("succeeded with a hole in its record") + "; succeeded is wanted")
    assert held(a_run(incomplete=True), ring=Requirement("patch-test", WantedVerdict.DEGRADED)) is None


def test_a_missed_duty_is_told_as_missed() -> None:
    hold = held(RingRun("the last slot", Verdict.FAILED, ENDED, outcome="missed"))

    assert hold is not None
    assert hold.reason.endswith("the last slot of it ended as missed at 2026-03-14 23:00 UTC; succeeded is wanted")


@given(
    st.timedeltas(min_value=timedelta(0), max_value=30 * DAY),
    st.timedeltas(min_value=timedelta(0), max_value=30 * DAY),
    st.none() | st.timedeltas(min_value=timedelta(0), max_value=30 * DAY),
)
def test_a_good_run_clears_exactly_between_its_two_ages(
    age: timedelta, at_least: timedelta, within: timedelta | None
) -> None:
    hold = held(a_run(), after=age, ring=Requirement("patch-test", within=within, at_least=at_least))

    assert (hold is None) == (at_least <= age and (within is None or age <= within))


@given(
    st.timedeltas(min_value=timedelta(0), max_value=9 * DAY), st.timedeltas(min_value=timedelta(0), max_value=9 * DAY)
)
def test_a_hold_that_names_its_end_is_over_then(age: timedelta, at_least: timedelta) -> None:
    ring = Requirement("patch-test", within=10 * DAY, at_least=at_least)

    hold = held(a_run(), after=age, ring=ring)

    if hold is not None and hold.until is not None:
        assert hold_for_ring(ring, a_run(), now=hold.until) is None
