"""How a run ended: first match wins, and never a false green."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.domain.execution.next_step import StartPiece
from runner.domain.execution.outcome import HostResult, NotRun, Result
from runner.domain.execution.run import PieceRecord, PieceState, RunRecord, Stage, StopReason, Verdict
from runner.domain.execution.verdict import outcomes_of, spends, verdict_of
from tests.domain.runs import ALL, UNREACHABLE, World, a_plan, a_record, answering, bad, hosts, piece_from

APPLY, PRE, POST = Stage.APPLY, Stage.PRE_CHECK, Stage.POST_CHECK


def applied(number: int, host: str, **changes: object) -> PieceRecord:
    step = StartPiece(0, number, APPLY, 0, 1, (host,))
    piece = piece_from(step, {host: HostResult(host, Result.CHANGED)})
    return replace(piece, **changes)  # type: ignore[arg-type]


def record_of(*pieces: PieceRecord) -> RunRecord:
    return a_record(a_plan(len(pieces), waves=ALL, concurrency=1), pieces=pieces)


def test_a_play_that_matched_nobody_in_any_call_makes_the_run_degraded() -> None:
    record = record_of(
        applied(1, "web-01", unmatched=("Databases", "Web")), applied(2, "web-02", unmatched=("Databases",))
    )

    assert verdict_of(record, None) is Verdict.DEGRADED


def test_a_play_whose_hosts_were_in_another_batch_is_no_trouble() -> None:
    record = record_of(applied(1, "web-01", unmatched=("Databases",)), applied(2, "web-02", unmatched=("Web",)))

    assert verdict_of(record, None) is Verdict.SUCCEEDED


def test_a_check_whose_plays_match_nobody_is_no_trouble() -> None:
    check = piece_from(StartPiece(0, 1, PRE, 1, 1, ("web-01",)), {"web-01": HostResult("web-01", Result.OK)})
    record = record_of(applied(1, "web-01"))
    record = replace(record, pieces=(replace(check, unmatched=("Databases",)), *record.pieces))

    assert verdict_of(record, None) is Verdict.SUCCEEDED


def test_a_lost_call_tells_nothing_about_plays() -> None:
    lost = applied(1, "web-01", state=PieceState.LOST)
    record = record_of(lost, applied(2, "web-02", unmatched=("Databases",)))

    assert verdict_of(record, None) is Verdict.DEGRADED


@pytest.mark.parametrize(
    ("stopped", "verdict"),
    [
        (StopReason.EXPIRED, Verdict.EXPIRED),
        (StopReason.CANCELLED, Verdict.CANCELLED),
        (StopReason.CONFIGURATION, Verdict.MISCONFIGURED),
        (StopReason.BUDGET, Verdict.HALTED),
        (StopReason.CANARY, Verdict.HALTED),
        (StopReason.NONE_QUALIFIED, Verdict.HALTED),
    ],
)
def test_some_reasons_to_stop_are_the_verdict(stopped: StopReason, verdict: Verdict) -> None:
    refused = piece_from(StartPiece(0, 1, PRE, 0, 1, ("web-01",)), {"web-01": bad("web-01")})

    assert verdict_of(record_of(refused), stopped) is verdict


def test_hosts_left_for_lack_of_time_make_a_run_degraded() -> None:
    record = a_record(a_plan(2, waves=ALL), pieces=(applied(1, "web-01"),))

    assert verdict_of(record, StopReason.CUTOFF) is Verdict.DEGRADED
    assert outcomes_of(record, StopReason.CUTOFF)["web-02"].reason is NotRun.CUTOFF


def test_a_paused_host_is_not_run_for_that_and_the_run_is_degraded() -> None:
    world = World(a_record(a_plan(3, waves=ALL), paused=frozenset({"web-02"})))

    world.run()

    assert outcomes_of(world.record, None)["web-02"].reason is NotRun.PAUSED
    assert "web-02" not in world.applied()
    assert verdict_of(world.record, None) is Verdict.DEGRADED


def test_no_host_well_and_one_failed_is_a_failed_run() -> None:
    world = World(a_record(a_plan(1, waves=ALL, budget=1)), answers=answering({(APPLY, "web-01"): bad("web-01")}))

    world.run()

    assert verdict_of(world.record, None) is Verdict.FAILED


def test_only_what_was_touched_and_ended_badly_spends_the_budget() -> None:
    untouched = HostResult("web-01", **UNREACHABLE)  # type: ignore[arg-type]

    assert not spends(untouched)
    assert spends(replace(untouched, touched=True))
    assert spends(bad("web-01"))
    assert spends(HostResult("web-01", Result.IN_DOUBT))
    assert not spends(HostResult("web-01", Result.NOT_RUN, reason=NotRun.BUDGET))


def unable(number: int, stage: Stage, host: str) -> PieceRecord:
    return replace(piece_from(StartPiece(0, number, stage, 0, 1, (host,)), {}), problem="the role was not found")


def test_instructions_that_turn_out_wrong_on_the_way_leave_what_was_done_before() -> None:
    record = record_of(applied(1, "web-01"), unable(2, PRE, "web-02"))

    outcomes = outcomes_of(record, StopReason.CONFIGURATION)

    assert outcomes["web-01"].result is Result.CHANGED
    assert outcomes["web-02"].reason is NotRun.CONFIGURATION
    assert verdict_of(record, StopReason.CONFIGURATION) is Verdict.DEGRADED


def test_a_playbook_that_could_not_be_run_at_all_leaves_nobody_in_doubt() -> None:
    record = record_of(unable(1, APPLY, "web-01"))

    assert outcomes_of(record, StopReason.CONFIGURATION)["web-01"].reason is NotRun.CONFIGURATION
    assert verdict_of(record, StopReason.CONFIGURATION) is Verdict.MISCONFIGURED


def test_a_last_post_check_that_could_not_be_run_fails_the_run_or_halts_it() -> None:
    within_budget = a_record(
        a_plan(2, waves=ALL, budget=1), pieces=(applied(1, "web-01"), applied(2, "web-02"), unable(2, POST, "web-02"))
    )
    beyond = replace(within_budget, plan=replace(within_budget.plan, budget=0))

    assert verdict_of(within_budget, StopReason.CONFIGURATION) is Verdict.FAILED
    assert verdict_of(beyond, StopReason.CONFIGURATION) is Verdict.HALTED


RESULTS = st.one_of(
    st.none(),
    st.sampled_from([Result.OK, Result.CHANGED, Result.FAILED, Result.UNREACHABLE, Result.IN_DOUBT]),
)


@given(st.lists(RESULTS, min_size=1, max_size=5), st.sampled_from([None, *StopReason]))
def test_succeeded_means_that_every_planned_host_ended_well(
    ends: list[Result | None], stopped: StopReason | None
) -> None:
    names = hosts(len(ends))
    told = {name: HostResult(name, end) for name, end in zip(names, ends, strict=True) if end}
    piece = piece_from(StartPiece(0, 1, APPLY, 0, 1, names), told, lost=len(told) < len(names))
    record = a_record(a_plan(len(ends), waves=ALL), pieces=(piece,))

    outcomes = outcomes_of(record, stopped)

    assert set(outcomes) == set(names)
    if verdict_of(record, stopped) is Verdict.SUCCEEDED:
        assert all(end in {Result.OK, Result.CHANGED} for end in ends)
