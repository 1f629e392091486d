"""What holds for every run, whatever its hosts answer and whatever dies on the way."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from runner.domain.execution.again import awaits_retry, rollbacks_of
from runner.domain.execution.next_step import Finish, StartPiece, Stop, next_step, reason_to_stop
from runner.domain.execution.outcome import HostResult, NotRun, Result
from runner.domain.execution.plan import PlannedWave, RunPlan, rollback_steps
from runner.domain.execution.progress import batches_of
from runner.domain.execution.run import Interruption, PieceState, RunRecord, Stage, Verdict
from runner.domain.execution.verdict import outcomes_of, spends, verdict_of
from tests.domain.runs import ALL, CANARY_THEN_REST, START, UNREACHABLE, World, a_plan, a_record, bad, hosts

TOUCHING = {Stage.PRE_CHECK, Stage.APPLY}
GROUPS = st.sampled_from([("rack=a",), ("rack=b",), ("rack=b", "zone=1")])
KINDS = st.sampled_from(["ok"] * 6 + ["failed", "locked", "unreachable", "lost", "died"])


@st.composite
def plans(draw: st.DrawFn) -> RunPlan:
    number = draw(st.integers(1, 12))
    sized = (
        PlannedWave("canary", size=draw(st.integers(1, 3)), is_canary=True),
        PlannedWave("early", size=draw(st.integers(1, 4))),
        PlannedWave("rest"),
    )
    named = (PlannedWave("canary", hosts=hosts(1), is_canary=True), PlannedWave("rest"))
    last_start = draw(st.none() | st.integers(0, 60).map(lambda minutes: START + timedelta(minutes=minutes)))
    return a_plan(
        number,
        waves=draw(st.sampled_from([ALL, CANARY_THEN_REST, sized, named])),
        concurrency=draw(st.integers(1, 4)),
        budget=draw(st.integers(0, 3)),
        carried=tuple(draw(st.sets(st.sampled_from(hosts(number))))),
        last_start=last_start,
        ends=last_start + timedelta(minutes=draw(st.integers(0, 30))) if last_start else None,
        groups=draw(st.dictionaries(st.sampled_from(hosts(number)), GROUPS, max_size=6)),
        retries=draw(st.integers(0, 2)),
        retry_after=timedelta(minutes=draw(st.integers(0, 5))),
        rollback=draw(st.sampled_from([(), rollback_steps("playbooks/rollback.yml")])),
    )


def result_of(kind: str, host: str) -> HostResult | None:
    match kind:
        case "failed":
            return bad(host)
        case "locked":
            return bad(host, cause="package_lock")
        case "unreachable":
            return bad(host, **UNREACHABLE)
        case "lost":
            return bad(host, result=Result.UNREACHABLE, touched=True, cause="unreachable")
        case "died":
            return None
        case _:
            return HostResult(host, Result.CHANGED)


@st.composite
def worlds(draw: st.DrawFn) -> World:
    fates: dict[tuple[Stage, int, str, int], str] = {}

    def answers(stage: Stage, step: int, host: str, attempt: int) -> HostResult | None:
        kind = fates.setdefault((stage, step, host, attempt), draw(KINDS))
        return result_of("ok" if attempt > 6 and kind == "died" else kind, host)

    return World(a_record(draw(plans())), answers)


@given(worlds())
@settings(max_examples=150, deadline=None)
def test_every_run_ends_and_gives_every_planned_host_exactly_one_outcome(world: World) -> None:
    ended = world.run()

    stopped = ended.reason if isinstance(ended, Stop) else None
    outcomes = outcomes_of(world.record, stopped)
    assert tuple(outcomes) == world.record.plan.hosts
    assert all((outcome.reason is not None) == (outcome.result is Result.NOT_RUN) for outcome in outcomes.values())
    assert verdict_of(world.record, stopped)


@given(worlds())
@settings(max_examples=150, deadline=None)
def test_no_more_hosts_fail_than_the_budget_and_one_batch(world: World) -> None:
    ended = world.run()

    plan = world.record.plan
    stopped = ended.reason if isinstance(ended, Stop) else None
    spent = [outcome for outcome in outcomes_of(world.record, stopped).values() if spends(outcome)]
    assert len(spent) <= plan.budget + plan.concurrency


@given(worlds())
@settings(max_examples=150, deadline=None)
def test_the_playbook_is_started_again_only_where_its_end_is_not_known_or_a_retry_is_left(world: World) -> None:
    known: set[str] = set()
    tried: Counter[str] = Counter()
    retries = world.record.plan.retries

    for _ in range(2_000):
        step = world.step()
        if isinstance(step, StartPiece) and step.stage is Stage.APPLY:
            assert not known & set(step.hosts)
            results = world.record.pieces[-1].results
            passing = {host for host, result in results.items() if result.cause in {"package_lock", "unreachable"}}
            tried.update(passing)
            known |= set(results) - {host for host in passing if tried[host] <= retries}
        if isinstance(step, Stop) or type(step).__name__ == "Finish":
            break

    assert all(times <= 3 + retries for times in Counter(world.applied()).values())


@given(worlds(), st.integers(0, 30), st.sampled_from(list(Interruption)), st.integers(0, 90))
@settings(max_examples=150, deadline=None)
def test_no_further_host_is_touched_once_there_is_a_reason_to_stop(
    world: World, after: int, why: Interruption, minutes: int
) -> None:
    for _ in range(after):
        world.step()
    record, now = replace(world.record, interruption=why), START + timedelta(minutes=minutes)

    step = next_step(record, now=now)

    assert not (reason_to_stop(record, now=now) and isinstance(step, StartPiece) and step.stage in TOUCHING)


@given(worlds())
@settings(max_examples=100, deadline=None)
def test_no_host_is_touched_at_or_after_the_last_start(world: World) -> None:
    last_start = world.record.plan.last_start
    touched: list[datetime] = []

    for _ in range(2_000):
        at = world.now
        step = world.step()
        if isinstance(step, StartPiece) and step.stage in TOUCHING:
            touched.append(at)
        if isinstance(step, Stop) or type(step).__name__ == "Finish":
            break

    assert last_start is None or all(at < last_start for at in touched)


@given(worlds())
@settings(max_examples=100, deadline=None)
def test_hosts_that_were_touched_are_looked_at_afterwards(world: World) -> None:
    world.run()

    looked = {host for step in world.done if step.stage is Stage.POST_CHECK for host in step.hosts}
    answered = {
        host
        for piece in world.record.pieces
        if piece.stage is Stage.APPLY
        for host, result in piece.results.items()
        if result.touched and result.reason is not NotRun.NOT_IN_PLAYBOOK
    }
    assert answered <= looked


@given(worlds())
@settings(max_examples=150, deadline=None)
def test_no_further_host_is_begun_while_another_waits_for_its_retry(world: World) -> None:
    begun: set[str] = set()

    for _ in range(2_000):
        batches = batches_of(world.record)
        waits = batches and any(
            awaits_retry(track, world.record) for track in batches[-1].tracks.values() if track.started
        )
        step = world.step()
        if isinstance(step, StartPiece):
            assert not waits or set(step.hosts) <= begun
            begun |= set(step.hosts)
            assert max(len(piece.hosts) for piece in world.record.pieces) <= world.record.plan.concurrency
        if isinstance(step, Stop | Finish):
            break


@given(worlds())
@settings(max_examples=150, deadline=None)
def test_exactly_the_touched_hosts_that_did_not_end_well_are_rolled_back_and_looked_at(world: World) -> None:
    ended = world.run()

    plan = world.record.plan
    outcomes = outcomes_of(world.record, ended.reason if isinstance(ended, Stop) else None)
    wanted = {host for host, outcome in outcomes.items() if plan.rollback and outcome.touched and spends(outcome)}
    ended_as = rollbacks_of(batches_of(world.record))
    assert set(ended_as) == wanted
    played = [host for step in world.done if (step.stage, step.step) == (Stage.ROLLBACK, 1) for host in step.hosts]
    looked = {host for step in world.done if (step.stage, step.step) == (Stage.ROLLBACK, 2) for host in step.hosts}
    assert looked <= set(played) <= wanted
    assert not any(ended_as[host].result.is_good for host in set(played) - looked), "not reached any more"


@given(worlds(), st.integers(0, 40))
@settings(max_examples=100, deadline=None)
def test_a_person_who_ends_it_now_ends_rollback_too(world: World, after: int) -> None:
    for _ in range(after):
        world.step()
    world.record = replace(world.record, interruption=Interruption.CANCELLED, ended_now=True)
    before = len(world.done)

    world.run()

    assert all(step.stage is not Stage.ROLLBACK for step in world.done[before:])


@given(worlds())
@settings(max_examples=150, deadline=None)
def test_hosts_of_one_group_are_never_in_one_batch(world: World) -> None:
    world.run()

    for step in world.done:
        own = [group for host in step.hosts for group in world.record.plan.groups.get(host, ())]
        assert len(own) == len(set(own))


@st.composite
def interrupted(draw: st.DrawFn) -> World:
    """A world in which a piece may be one that cannot be run at all, and in which something else may come between."""
    world = draw(worlds())
    unable: dict[StartPiece, bool] = {}
    world.problem_of = lambda step: "broken" if unable.setdefault(step, draw(st.integers(0, 7)) == 0) else None
    for _ in range(draw(st.integers(0, 12))):
        if isinstance(world.step(), Stop | Finish):
            break
    paused = draw(st.sets(st.sampled_from(world.record.plan.hosts)))
    interruption = draw(st.none() | st.sampled_from(list(Interruption)))
    world.record = replace(world.record, interruption=interruption, paused=frozenset(paused))
    return world


def may_have_been_touched(record: RunRecord) -> set[str]:
    return {
        host
        for piece in record.pieces
        if piece.stage is Stage.APPLY and not piece.problem
        for host in piece.hosts
        if (
            piece.results[host].touched and piece.results[host].result is not Result.NOT_RUN
            if host in piece.results
            else piece.state is PieceState.LOST
        )
    }


@given(interrupted())
@settings(max_examples=300, deadline=None)
def test_a_host_that_was_touched_is_never_told_as_not_run(world: World) -> None:
    ended = world.run()

    outcomes = outcomes_of(world.record, ended.reason if isinstance(ended, Stop) else None)
    touched = may_have_been_touched(world.record)
    assert {host for host in touched if outcomes[host].result is Result.NOT_RUN} == set()


@given(interrupted())
@settings(max_examples=150, deadline=None)
def test_the_instructions_are_the_verdict_only_where_nothing_was_touched(world: World) -> None:
    ended = world.run()

    verdict = verdict_of(world.record, ended.reason if isinstance(ended, Stop) else None)
    assert verdict is not Verdict.MISCONFIGURED or not may_have_been_touched(world.record)


@given(worlds(), st.integers(0, 40))
@settings(max_examples=100, deadline=None)
def test_the_same_rows_always_give_the_same_step(world: World, after: int) -> None:
    for _ in range(after):
        world.step()

    assert next_step(world.record, now=world.now) == next_step(world.record, now=world.now)
