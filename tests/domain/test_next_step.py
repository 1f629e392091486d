"""What happens next in a run, one rule at a time."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.domain.execution.guards import Hold
from runner.domain.execution.next_step import Finish, NextStep, StartPiece, Stop, Wait, next_step
from runner.domain.execution.outcome import HostResult, NotRun, Result
from runner.domain.execution.plan import PlannedWave
from runner.domain.execution.run import Interruption, PieceState, Stage, StopReason, Verdict
from runner.domain.execution.schedule import Split
from runner.domain.execution.verdict import failures, outcomes_of, verdict_of
from tests.domain.runs import (
    ALL,
    START,
    UNREACHABLE,
    WITH_CHECKS,
    World,
    a_plan,
    a_record,
    answering,
    bad,
    hosts,
    piece_from,
    stages,
)

PRE, APPLY, POST = Stage.PRE_CHECK, Stage.APPLY, Stage.POST_CHECK


def test_a_run_begins_with_a_look_at_the_canary() -> None:
    step = next_step(a_record(), now=START)

    assert step == StartPiece(wave=0, batch=1, stage=PRE, step=0, attempt=1, hosts=("web-01",))


def test_where_the_clock_was_set_back_no_playbook_begins_before_the_window_opens() -> None:
    plan = a_plan(1, opens=START, waves=(PlannedWave("all"),))
    look = next_step(a_record(plan), now=START)
    assert isinstance(look, StartPiece)
    record = a_record(plan, pieces=(piece_from(look, {"web-01": HostResult("web-01", Result.OK)}),))

    early = next_step(record, now=START - timedelta(hours=1))
    in_time = next_step(record, now=START)

    assert early == Wait(START)
    assert isinstance(in_time, StartPiece)
    assert in_time.stage is APPLY


def test_the_canary_goes_through_all_stages_before_the_rest_begins() -> None:
    world = World(a_record(a_plan(3, **WITH_CHECKS)))

    ended = world.run()

    rest = ("web-02", "web-03")
    assert ended == Finish()
    assert stages(world.done) == [
        ("pre_check", 0, ("web-01",)),
        ("pre_check", 1, ("web-01",)),
        ("apply", 0, ("web-01",)),
        ("post_check", 0, ("web-01",)),
        ("post_check", 1, ("web-01",)),
        ("pre_check", 0, rest),
        ("pre_check", 1, rest),
        ("apply", 0, rest),
        ("post_check", 0, rest),
        ("post_check", 1, rest),
    ]
    assert verdict_of(world.record, None) is Verdict.SUCCEEDED


def test_a_batch_is_no_larger_than_concurrency() -> None:
    world = World(a_record(a_plan(7, waves=ALL, concurrency=3)))

    world.run()

    assert [step.hosts for step in world.done if step.stage is APPLY] == [hosts(3), hosts(6)[3:], hosts(7)[6:]]


def test_nothing_is_started_while_a_piece_is_in_flight() -> None:
    first = next_step(a_record(), now=START)
    assert isinstance(first, StartPiece)
    going = replace(piece_from(first, {}), state=PieceState.CLAIMED, ended=None)

    step = next_step(a_record(pieces=(going,)), now=START)

    assert step == Wait(None)


def test_a_failed_canary_halts_the_run_after_its_post_check() -> None:
    world = World(a_record(a_plan(5, budget=3)), answering({(APPLY, "web-01"): bad("web-01")}))

    ended = world.run()

    assert ended == Stop(StopReason.CANARY)
    assert stages(world.done)[-1] == ("post_check", 0, ("web-01",))
    assert world.applied() == ["web-01"]
    assert verdict_of(world.record, StopReason.CANARY) is Verdict.HALTED
    assert outcomes_of(world.record, StopReason.CANARY)["web-05"].reason is NotRun.BUDGET


def test_a_canary_wave_that_tolerates_one_goes_on_within_the_budget() -> None:
    waves = (PlannedWave("canary", size=2, is_canary=True, tolerates=1), PlannedWave("rest"))
    world = World(a_record(a_plan(5, budget=1, waves=waves)), answering({(APPLY, "web-01"): bad("web-01")}))

    ended = world.run()

    assert ended == Finish()
    assert verdict_of(world.record, None) is Verdict.DEGRADED


def test_a_canary_that_its_pre_check_refuses_is_replaced_by_the_next_host() -> None:
    world = World(a_record(), answering({(PRE, "web-01"): bad("web-01")}))

    ended = world.run()

    assert ended == Finish()
    assert world.applied()[0] == "web-02"
    assert next(step.hosts for step in world.done if step.stage is APPLY) == ("web-02",)
    refused = outcomes_of(world.record, None)["web-01"]
    assert (refused.result, refused.reason) == (Result.NOT_RUN, NotRun.PRE_CHECK)


def test_canaries_that_passed_but_were_not_needed_go_back_to_the_pool() -> None:
    world = World(a_record(), answering({(PRE, "web-01"): bad("web-01")}))

    world.run()

    assert sorted(world.applied()) == list(hosts(5)[1:])


def test_when_no_host_qualifies_nobody_is_touched() -> None:
    refused = {(PRE, host): bad(host) for host in hosts(5)}
    world = World(a_record(), answering(refused))

    ended = world.run()

    assert ended == Stop(StopReason.NONE_QUALIFIED)
    assert world.applied() == []
    assert verdict_of(world.record, StopReason.NONE_QUALIFIED) is Verdict.HALTED
    assert {outcome.reason for outcome in outcomes_of(world.record, StopReason.NONE_QUALIFIED).values()} == {
        NotRun.PRE_CHECK
    }


def test_a_host_that_cannot_be_reached_before_anything_was_done_spends_no_budget() -> None:
    world = World(a_record(a_plan(3, waves=ALL)), answering({(PRE, "web-02"): bad("web-02", **UNREACHABLE)}))

    ended = world.run()

    assert ended == Finish()
    assert sorted(world.applied()) == ["web-01", "web-03"]
    assert outcomes_of(world.record, None)["web-02"].result is Result.UNREACHABLE
    assert verdict_of(world.record, None) is Verdict.DEGRADED


def test_a_host_lost_after_it_was_touched_spends_the_budget() -> None:
    lost = bad("web-01", result=Result.UNREACHABLE, touched=True)
    world = World(a_record(a_plan(3, waves=ALL, concurrency=1)), answering({(APPLY, "web-01"): lost}))

    ended = world.run()

    assert ended == Stop(StopReason.BUDGET)
    assert world.applied() == ["web-01"]


def test_a_failed_post_check_fails_its_host_and_spends_the_budget() -> None:
    world = World(
        a_record(a_plan(3, waves=ALL, concurrency=1)), answering({(POST, "web-01"): bad("web-01", text="no answer")})
    )

    ended = world.run()

    outcome = outcomes_of(world.record, StopReason.BUDGET)["web-01"]
    assert ended == Stop(StopReason.BUDGET)
    assert (outcome.result, outcome.cause, outcome.text) == (Result.FAILED, "post_check_failed", "no answer")


def test_hosts_that_fail_together_in_a_batch_are_all_counted() -> None:
    failing = {(APPLY, host): bad(host) for host in hosts(3)}
    world = World(a_record(a_plan(9, waves=ALL, concurrency=3, budget=2)), answering(failing))

    ended = world.run()

    assert ended == Stop(StopReason.BUDGET)
    assert sorted(world.applied()) == list(hosts(3))


def test_no_host_starts_at_or_after_the_last_start() -> None:
    plan = a_plan(5, waves=ALL, concurrency=2, last_start=START + timedelta(minutes=4), ends=START + timedelta(hours=1))
    world = World(a_record(plan))

    ended = world.run()

    assert ended == Stop(StopReason.CUTOFF)
    assert world.applied() == ["web-01", "web-02"]
    assert outcomes_of(world.record, StopReason.CUTOFF)["web-05"].reason is NotRun.CUTOFF
    assert verdict_of(world.record, StopReason.CUTOFF) is Verdict.DEGRADED


def test_hosts_already_touched_get_their_post_check_past_the_end() -> None:
    plan = a_plan(1, waves=ALL, last_start=START + timedelta(minutes=2), ends=START + timedelta(minutes=2))
    world = World(a_record(plan), duration=timedelta(minutes=1))

    ended = world.run()

    assert ended == Finish()
    assert stages(world.done)[-1] == ("post_check", 0, ("web-01",))


def test_a_host_that_usually_takes_longer_than_is_left_is_not_started() -> None:
    plan = a_plan(
        2, waves=ALL, concurrency=1, ends=START + timedelta(minutes=30), last_start=START + timedelta(minutes=30)
    )
    world = World(a_record(plan, estimates={"web-02": timedelta(hours=1)}, reserve=timedelta(minutes=1)))

    ended = world.run()

    assert ended == Stop(StopReason.NO_ROOM)
    assert world.applied() == ["web-01"]
    assert outcomes_of(world.record, StopReason.NO_ROOM)["web-02"].reason is NotRun.NO_ROOM


@pytest.mark.parametrize(
    ("interruption", "reason", "because"),
    [
        (Interruption.FROZEN, StopReason.FROZEN, NotRun.FROZEN),
        (Interruption.PAUSED, StopReason.PAUSED, NotRun.PAUSED),
        (Interruption.CANCELLED, StopReason.CANCELLED, NotRun.CANCELLED),
    ],
)
def test_an_interruption_stops_before_the_next_host(
    interruption: Interruption, reason: StopReason, because: NotRun
) -> None:
    world = World(a_record(a_plan(3, waves=ALL, concurrency=1)))
    for _ in range(2):
        world.step()
    world.record = replace(world.record, interruption=interruption)

    ended = world.run()

    assert ended == Stop(reason)
    assert stages(world.done)[-1] == ("post_check", 0, ("web-01",))
    assert outcomes_of(world.record, reason)["web-03"].reason is because


def test_a_wave_soaks_before_the_next_one_starts() -> None:
    waves = (PlannedWave("canary", size=1, is_canary=True, soak=timedelta(minutes=10)), PlannedWave("rest"))
    world = World(a_record(a_plan(3, waves=waves)))
    for _ in range(3):
        world.step()
    ended_at = world.now

    step = next_step(world.record, now=world.now)

    assert step == Wait(ended_at + timedelta(minutes=10))
    assert told(step) == (
        "the hosts of wave 'canary' are watched before the next wave",
        ended_at + timedelta(minutes=10),
    )


def told(step: NextStep) -> tuple[str, datetime | None]:
    assert isinstance(step, Wait)
    assert step.told is not None
    return step.told.reason, step.told.until


def test_a_run_whose_hosts_are_locked_names_them_and_promises_no_end() -> None:
    record = a_record(a_plan(7, waves=ALL), locked=frozenset(hosts(7)))

    reason, until = told(next_step(record, now=START))

    assert reason.startswith("another run is at work on web-01, web-02, web-03, web-04, web-05 and 2 more")
    assert until is None


def test_carried_hosts_come_right_after_the_canary_and_are_no_canaries() -> None:
    world = World(a_record(a_plan(5, carried=("web-01", "web-05"), concurrency=2)))

    world.run()

    assert world.applied() == ["web-02", "web-01", "web-05", "web-03", "web-04"]


def test_when_every_host_carries_a_debt_canaries_are_drawn_from_all() -> None:
    world = World(a_record(a_plan(5, carried=hosts(5))))

    world.run()

    assert world.applied()[0] == "web-01"


def test_a_dead_carried_host_does_not_stop_the_fleet() -> None:
    world = World(a_record(a_plan(5, carried=("web-01",))), answering({(PRE, "web-01"): bad("web-01", **UNREACHABLE)}))

    ended = world.run()

    assert ended == Finish()
    assert sorted(world.applied()) == list(hosts(5)[1:])


def test_a_wave_that_names_its_hosts_draws_only_those() -> None:
    waves = (PlannedWave("canary", hosts=("web-04",), is_canary=True), PlannedWave("rest"))
    world = World(a_record(a_plan(5, waves=waves)))

    world.run()

    assert [step.hosts for step in world.done if step.stage is APPLY] == [
        ("web-04",),
        ("web-01", "web-02", "web-03", "web-05"),
    ]


def test_a_locked_host_is_waited_for_while_the_others_go_on() -> None:
    world = World(a_record(a_plan(3, waves=ALL, concurrency=1), locked=frozenset({"web-01"})))
    for _ in range(6):
        world.step()

    step = next_step(world.record, now=world.now)

    assert world.applied() == ["web-02", "web-03"]
    assert isinstance(step, Wait)


def test_a_host_still_locked_at_the_last_start_was_not_run_for_its_lock() -> None:
    plan = a_plan(2, waves=ALL, last_start=START + timedelta(minutes=20), ends=START + timedelta(minutes=20))
    world = World(a_record(plan, locked=frozenset({"web-01"})))

    ended = world.run()

    assert ended == Stop(StopReason.CUTOFF)
    assert outcomes_of(world.record, StopReason.CUTOFF)["web-01"].reason is NotRun.LOCK


def test_a_host_in_doubt_is_looked_at_before_it_is_touched_again() -> None:
    world = World(a_record(a_plan(1, waves=ALL)))
    world.step()
    world.answers = answering({(APPLY, "web-01"): None})
    world.step()
    world.answers = answering({})

    ended = world.run()

    assert ended == Finish()
    assert [(str(step.stage), step.attempt) for step in world.done] == [
        ("pre_check", 1),
        ("apply", 1),
        ("pre_check", 2),
        ("apply", 2),
        ("post_check", 1),
    ]


def test_a_host_in_doubt_waits_while_a_package_manager_is_at_work_there() -> None:
    busy = HostResult("web-01", Result.IN_DOUBT, text="dpkg is at work")
    world = World(a_record(a_plan(1, waves=ALL)))
    world.step()
    world.answers = answering({(APPLY, "web-01"): None, (PRE, "web-01"): busy})
    world.step()
    world.step()

    step = next_step(world.record, now=world.now)

    assert isinstance(step, Wait)
    assert step.until is not None
    assert step.until > world.now


def test_a_playbook_that_never_tells_its_end_is_started_three_times_at_most() -> None:
    world = World(a_record(a_plan(2, waves=ALL, concurrency=1)), answering({(APPLY, "web-01"): None}))

    ended = world.run()

    assert ended == Stop(StopReason.BUDGET)
    assert world.applied() == ["web-01"] * 3
    assert outcomes_of(world.record, StopReason.BUDGET)["web-01"].result is Result.IN_DOUBT


def test_a_run_whose_end_was_never_heard_has_expired() -> None:
    plan = a_plan(2, waves=ALL, last_start=START + timedelta(hours=1), ends=START + timedelta(hours=1))
    world = World(a_record(plan), answering({(APPLY, host): None for host in hosts(2)}))
    world.step()
    world.step()
    world.now = START + timedelta(hours=2)

    ended = world.run()

    assert ended == Stop(StopReason.EXPIRED)
    assert verdict_of(world.record, StopReason.EXPIRED) is Verdict.EXPIRED


def test_a_playbook_that_cannot_be_run_is_a_configuration_error_and_no_host_failure() -> None:
    first = next_step(a_record(), now=START)
    assert isinstance(first, StartPiece)
    broken = replace(piece_from(first, {}), problem="the playbook could not be found")

    step = next_step(a_record(pieces=(broken,)), now=START)

    assert step == Stop(StopReason.CONFIGURATION)


def test_a_post_check_that_cannot_be_run_fails_the_touched_hosts_and_nobody_else_is_touched() -> None:
    world = World(a_record(a_plan(3, waves=ALL, concurrency=2, budget=3, **WITH_CHECKS)))
    world.problem_of = lambda step: "the role was not found" if (step.stage, step.step) == (POST, 0) else None

    ended = world.run()

    outcomes = outcomes_of(world.record, StopReason.CONFIGURATION)
    assert ended == Stop(StopReason.CONFIGURATION)
    assert [step for step in stages(world.done) if step[0] == "post_check"] == [
        ("post_check", 0, hosts(2)),
        ("post_check", 1, hosts(2)),
    ], "it is not tried again, and what else is checked afterwards still is"
    assert {(outcomes[host].result, outcomes[host].cause) for host in hosts(2)} == {(Result.FAILED, "check_not_run")}
    assert outcomes["web-01"].text == "the check after the playbook could not be run: the role was not found"
    assert outcomes["web-03"].reason is NotRun.CONFIGURATION
    assert set(failures(world.record)) == set(hosts(2))


def test_a_host_that_failed_before_its_post_check_could_not_be_run_keeps_its_own_failure() -> None:
    world = World(a_record(a_plan(1, waves=ALL)), answering({(APPLY, "web-01"): bad("web-01")}))
    world.problem_of = lambda step: "the role was not found" if step.stage is POST else None

    world.run()

    assert outcomes_of(world.record, StopReason.CONFIGURATION)["web-01"].text == "it broke"


def test_a_playbook_that_cannot_be_run_is_followed_by_no_post_check() -> None:
    world = World(a_record(a_plan(1, waves=ALL)))
    world.problem_of = lambda step: "the role was not found" if step.stage is APPLY else None

    ended = world.run()

    assert ended == Stop(StopReason.CONFIGURATION)
    assert stages(world.done)[-1] == ("apply", 0, ("web-01",))


def test_a_host_that_was_found_clear_after_a_lost_attempt_is_in_doubt_when_the_run_stops_there() -> None:
    world = World(a_record(a_plan(1, waves=ALL)), answering({(APPLY, "web-01"): None}))
    for _ in range(3):
        world.step()
    world.record = replace(world.record, interruption=Interruption.FROZEN)

    ended = world.run()

    assert ended == Stop(StopReason.FROZEN)
    assert stages(world.done)[-2:] == [("pre_check", 0, ("web-01",)), ("post_check", 0, ("web-01",))]
    assert outcomes_of(world.record, StopReason.FROZEN)["web-01"].result is Result.IN_DOUBT


def test_a_run_without_hosts_is_a_configuration_error() -> None:
    assert next_step(a_record(a_plan(0)), now=START) == Stop(StopReason.CONFIGURATION)


def test_a_whole_run_is_one_call_for_all_hosts() -> None:
    world = World(a_record(a_plan(30, waves=ALL, split=Split.WHOLE)))

    world.run()

    assert [len(step.hosts) for step in world.done if step.stage is APPLY] == [30]


def test_a_whole_run_touches_nobody_when_one_host_is_not_fit() -> None:
    world = World(a_record(a_plan(3, waves=ALL, split=Split.WHOLE)), answering({(PRE, "web-02"): bad("web-02")}))

    ended = world.run()

    assert ended == Stop(StopReason.NONE_QUALIFIED)
    assert world.applied() == []


def test_a_vanished_host_is_left_out_and_named() -> None:
    world = World(a_record(a_plan(3, waves=ALL), vanished=frozenset({"web-02"})))

    world.run()

    assert sorted(world.applied()) == ["web-01", "web-03"]
    assert outcomes_of(world.record, None)["web-02"].reason is NotRun.VANISHED


def test_a_withdrawn_piece_leaves_no_trace_but_its_number() -> None:
    first = next_step(a_record(), now=START)
    assert isinstance(first, StartPiece)
    withdrawn = replace(piece_from(first, {}), state=PieceState.WITHDRAWN)

    step = next_step(a_record(pieces=(withdrawn,)), now=START)

    assert step == replace(first, batch=2)


def test_a_failed_post_check_at_the_very_end_fails_the_run() -> None:
    world = World(a_record(a_plan(5, waves=ALL, concurrency=1, budget=2)), answering({(POST, "web-05"): bad("web-05")}))

    ended = world.run()

    assert ended == Finish()
    assert verdict_of(world.record, None) is Verdict.FAILED


def test_a_pre_check_that_never_tells_how_a_host_is_refuses_it_at_the_third_attempt() -> None:
    world = World(a_record(a_plan(2, waves=ALL)), answering({(PRE, "web-01"): None}))

    ended = world.run()

    assert ended == Finish()
    assert world.applied() == ["web-02"]
    assert outcomes_of(world.record, None)["web-01"].reason is NotRun.PRE_CHECK


def test_a_post_check_that_never_tells_how_a_host_is_fails_it() -> None:
    world = World(a_record(a_plan(1, waves=ALL)), answering({(POST, "web-01"): None}))

    ended = world.run()

    assert ended == Stop(StopReason.BUDGET)
    assert outcomes_of(world.record, StopReason.BUDGET)["web-01"].result is Result.FAILED


GATE = Hold("alerts", "alerts fire for its hosts: HostDown (web-01)")


def test_while_a_gate_is_shut_nobody_is_drawn_and_the_step_says_why() -> None:
    record = a_record(gate=GATE)

    assert next_step(record, now=START) == Wait(START + timedelta(seconds=15), GATE)


def test_a_batch_that_was_drawn_goes_through_its_stages_also_behind_a_gate() -> None:
    world = World(a_record(a_plan(3, waves=ALL)))
    world.step()
    world.record = replace(world.record, gate=GATE)

    steps = [world.step() for _ in range(3)]

    assert [step.stage for step in steps[:2] if isinstance(step, StartPiece)] == [Stage.APPLY, Stage.POST_CHECK]
    assert steps[2] == Finish()


def test_behind_a_gate_the_last_start_still_comes() -> None:
    record = a_record(a_plan(last_start=START, ends=START + timedelta(hours=1)), gate=GATE)

    assert next_step(record, now=START) == Stop(StopReason.CUTOFF)


def test_a_run_that_is_through_is_kept_by_no_gate() -> None:
    world = World(a_record(a_plan(2, waves=ALL)))
    while not isinstance(world.step(), Finish):
        pass

    assert next_step(replace(world.record, gate=GATE, places=0), now=world.now) == Finish()


@given(st.integers(0, 12), st.integers(1, 12), st.integers(1, 12))
def test_a_run_never_draws_more_hosts_than_it_has_places_and_ends_all_the_same(
    places: int, number: int, concurrency: int
) -> None:
    ends = START + timedelta(hours=3)
    plan = a_plan(number, concurrency=concurrency, last_start=ends - timedelta(hours=1), ends=ends)
    world = World(a_record(plan, places=places))

    while not isinstance(world.step(), Stop | Finish):
        pass

    assert all(len(step.hosts) <= places for step in world.done)
    assert places == 0 or {host for step in world.done for host in step.hosts} == set(plan.hosts)
