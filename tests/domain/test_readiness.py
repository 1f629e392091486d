"""What a readiness run says about a slot, and how such a run goes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.domain.execution.next_step import Finish, Stop
from runner.domain.execution.outcome import HostResult, NotRun, Result
from runner.domain.execution.readiness import ReadinessSeen, hold_for_readiness, looking_ahead
from runner.domain.execution.run import Stage, StopReason, Verdict
from runner.domain.execution.verdict import outcomes_of, verdict_of
from tests.domain.runs import READINESS, START, World, a_plan, a_record, answering, bad, hosts

NOON = datetime(2026, 3, 20, 12, 0, tzinfo=UTC)
FIT = HostResult("web-01", Result.OK, touched=False)
NOT_FIT = HostResult("web-02", Result.NOT_RUN, touched=False, reason=NotRun.PRE_CHECK, cause="disk_full")
NOT_REACHED = HostResult("web-03", Result.UNREACHABLE, touched=False)
NOT_LOOKED_AT = HostResult("web-04", Result.NOT_RUN, touched=False, reason=NotRun.CUTOFF)
AHEAD = looking_ahead(a_plan(5), (READINESS,), until=None)


def seen(*results: HostResult, verdict: Verdict | None = Verdict.DEGRADED) -> ReadinessSeen:
    return ReadinessSeen(12, NOON, verdict, "why not", {result.host: result for result in results})


def test_when_every_host_is_not_ready_the_slot_is_held_and_each_is_named_with_its_cause() -> None:
    hold = hold_for_readiness("patch", seen(NOT_FIT, NOT_REACHED, verdict=Verdict.HALTED))

    assert hold is not None
    assert hold.reason == (
        "readiness run 12 found no host ready (web-02: disk full; web-03: not reached). "
        "Mend that, then look again: wellkept run patch --readiness"
    )


@pytest.mark.parametrize(
    "found",
    [
        None,
        seen(verdict=None),
        seen(FIT, NOT_FIT),
        seen(NOT_FIT, NOT_LOOKED_AT, verdict=Verdict.CANCELLED),
        seen(verdict=Verdict.SUCCEEDED),
    ],
)
def test_what_is_not_known_to_be_hopeless_holds_nothing(found: ReadinessSeen | None) -> None:
    assert hold_for_readiness("patch", found) is None


def test_a_look_that_could_not_be_made_holds() -> None:
    hold = hold_for_readiness("patch", seen(verdict=Verdict.MISCONFIGURED))

    assert hold is not None
    assert hold.reason.startswith("readiness run 12 could not be made: why not. ")


def test_a_look_goes_through_the_checks_and_ends() -> None:
    world = World(a_record(AHEAD))

    ended = world.run()

    assert ended == Finish()
    assert {step.stage for step in world.done} == {Stage.PRE_CHECK}
    assert set(outcomes_of(world.record, None).values()) == {
        HostResult(host, Result.OK, touched=False) for host in hosts(5)
    }
    assert verdict_of(world.record, None) is Verdict.SUCCEEDED


def test_a_host_that_is_not_fit_keeps_no_other_from_being_looked_at() -> None:
    world = World(a_record(replace(AHEAD, concurrency=1)), answering({(Stage.PRE_CHECK, "web-01"): bad("web-01")}))

    world.run()

    outcomes = outcomes_of(world.record, None)
    assert [result.result for result in outcomes.values()] == [Result.NOT_RUN, *[Result.OK] * 4]
    assert verdict_of(world.record, None) is Verdict.DEGRADED


def test_no_host_is_looked_at_any_more_once_the_slot_has_opened() -> None:
    world = World(a_record(replace(AHEAD, concurrency=1, last_start=START + 3 * World(a_record()).duration)))

    ended = world.run()

    assert ended == Stop(StopReason.CUTOFF)
    assert [result.result for result in outcomes_of(world.record, StopReason.CUTOFF).values()].count(Result.OK) == 1


@given(st.sets(st.sampled_from(hosts(5))), st.integers(1, 5))
def test_nothing_but_checks_is_ever_begun(broken: set[str], concurrency: int) -> None:
    answers = answering({(Stage.PRE_CHECK, host): bad(host) for host in broken})
    world = World(a_record(replace(AHEAD, concurrency=concurrency)), answers)

    world.run()

    ready = {host for host, result in outcomes_of(world.record, None).items() if result.result is Result.OK}
    assert {step.stage for step in world.done} == {Stage.PRE_CHECK}
    assert ready == set(hosts(5)) - broken
