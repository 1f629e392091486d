"""Hosts that failed: tried again where that may help, and rolled back where it was of no use."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from runner.domain.execution.again import attempts_of, rollbacks_of
from runner.domain.execution.next_step import Finish, Stop, Wait, next_step
from runner.domain.execution.outcome import HostResult, Result
from runner.domain.execution.plan import RunPlan, rollback_steps
from runner.domain.execution.progress import MAX_LOOKS, batches_of
from runner.domain.execution.run import Interruption, Stage, StopReason, Verdict
from runner.domain.execution.verdict import failures, outcomes_of, verdict_of
from tests.domain.runs import ALL, START, UNREACHABLE, Answers, World, a_plan, a_record, answering, bad, stages, well

PRE, APPLY, POST, BACK = Stage.PRE_CHECK, Stage.APPLY, Stage.POST_CHECK, Stage.ROLLBACK
LOCKED = {"cause": "package_lock", "text": "Could not get lock /var/lib/dpkg/lock-frontend"}
LOST = {"result": Result.UNREACHABLE, "touched": True, "cause": "unreachable"}
ROLLBACK = rollback_steps("playbooks/rollback.yml")


def retrying(number: int = 1, **changes: object) -> RunPlan:
    return a_plan(number, **{"waves": ALL, "retries": 1, "retry_after": timedelta(minutes=2), **changes})


def in_turn(stage: Stage, host: str, *results: HostResult | None) -> Answers:
    """The answers of one host in one stage, one after the other; everything else goes well."""
    left = list(results)

    def answer(at: Stage, step: int, who: str, attempt: int) -> HostResult | None:
        return left.pop(0) if left and (at, who) == (stage, host) and step != 2 else well(at, step, who, attempt)

    return answer


def what(world: World) -> list[tuple[str, int, tuple[str, ...]]]:
    return stages(world.done)


def test_a_transient_failure_is_tried_again_after_a_while_and_a_look() -> None:
    world = World(a_record(retrying()), in_turn(APPLY, "web-01", bad("web-01", **LOCKED)))

    waited = [step for _ in range(20) if isinstance(step := world.step(), Wait)]

    one = ("web-01",)
    assert what(world) == [
        ("pre_check", 0, one), ("apply", 0, one), ("pre_check", 0, one), ("apply", 0, one), ("post_check", 0, one),
    ]  # fmt: skip
    assert [step.until for step in waited] == [START + timedelta(minutes=4)], "two minutes after its end"
    assert outcomes_of(world.record, None)["web-01"].result is Result.CHANGED
    assert verdict_of(world.record, None) is Verdict.SUCCEEDED
    assert attempts_of(batches_of(world.record)) == {"web-01": 2}


def test_a_failure_that_somebody_has_to_mend_is_not_tried_again() -> None:
    world = World(a_record(retrying(budget=1)), in_turn(APPLY, "web-01", bad("web-01", cause="package_broken")))

    world.run()

    assert world.applied() == ["web-01"]


def test_only_the_last_attempt_counts_and_all_are_kept() -> None:
    locked = bad("web-01", **LOCKED)
    world = World(a_record(retrying()), in_turn(APPLY, "web-01", locked, bad("web-01", cause="disk_full")))

    ended = world.run()

    assert ended == Stop(StopReason.BUDGET) or verdict_of(world.record, None) is Verdict.HALTED
    assert outcomes_of(world.record, StopReason.BUDGET)["web-01"].cause == "disk_full"
    tries = [piece.results["web-01"].cause for piece in world.record.pieces if piece.stage is APPLY]
    assert tries == ["package_lock", "disk_full"]


def test_a_failure_spends_nothing_while_its_retry_is_open() -> None:
    world = World(a_record(retrying(3, concurrency=1)), in_turn(APPLY, "web-01", bad("web-01", **LOCKED)))

    world.step()
    world.step()
    open_retry = failures(world.record)
    ended = world.run()

    assert open_retry == {}
    assert ended == Finish()
    assert world.applied() == ["web-01", "web-01", "web-02", "web-03"], "it holds its place until then"


def test_a_host_of_the_batch_that_went_well_is_checked_while_another_waits() -> None:
    world = World(a_record(retrying(2)), in_turn(APPLY, "web-01", bad("web-01", **LOCKED)))

    world.run()

    assert what(world)[2:5] == [
        ("post_check", 0, ("web-02",)),
        ("pre_check", 0, ("web-01",)),
        ("apply", 0, ("web-01",)),
    ]


def test_no_retry_starts_at_or_after_the_last_start() -> None:
    plan = retrying(budget=1, last_start=START + timedelta(minutes=4), ends=START + timedelta(hours=1))
    world = World(a_record(plan), in_turn(APPLY, "web-01", bad("web-01", **LOCKED)))

    ended = world.run()

    assert ended == Finish()
    assert world.applied() == ["web-01"]
    assert failures(world.record) == {"web-01": 0}


def test_no_retry_starts_without_room_before_the_end() -> None:
    plan = retrying(budget=1, last_start=START + timedelta(hours=1), ends=START + timedelta(hours=1))
    record = a_record(plan, estimates={"web-01": timedelta(minutes=57)})
    world = World(record, in_turn(APPLY, "web-01", bad("web-01", **LOCKED)))

    world.run()

    assert world.applied() == ["web-01"]


def test_a_stop_ends_the_waiting_and_the_failure_counts() -> None:
    world = World(a_record(retrying(budget=1)), in_turn(APPLY, "web-01", bad("web-01", **LOCKED)))
    world.step()
    world.step()
    world.record = replace(world.record, interruption=Interruption.FROZEN)

    ended = world.run()

    assert ended == Finish(), "nothing was left to be stopped"
    assert what(world)[-1] == ("post_check", 0, ("web-01",))
    assert failures(world.record) == {"web-01": 0}


def test_a_host_that_could_not_be_reached_before_anything_was_done_is_looked_at_again() -> None:
    world = World(a_record(retrying()), in_turn(PRE, "web-01", bad("web-01", **UNREACHABLE)))

    ended = world.run()

    assert ended == Finish()
    assert what(world) == [
        ("pre_check", 0, ("web-01",)),
        ("pre_check", 0, ("web-01",)),
        ("apply", 0, ("web-01",)),
        ("post_check", 0, ("web-01",)),
    ]
    assert verdict_of(world.record, None) is Verdict.SUCCEEDED


def test_a_canary_is_replaced_only_when_its_retries_are_used_up() -> None:
    plan = a_plan(5, retries=1, retry_after=timedelta(minutes=2))
    world = World(a_record(plan), answering({(PRE, "web-01"): bad("web-01", **UNREACHABLE)}))

    world.run()

    assert what(world)[:3] == [
        ("pre_check", 0, ("web-01",)),
        ("pre_check", 0, ("web-01",)),
        ("pre_check", 0, ("web-02", "web-03", "web-04", "web-05")),
    ]
    assert next(iter(world.applied())) == "web-02"


def test_a_login_that_is_refused_is_not_tried_again() -> None:
    refused = bad("web-01", result=Result.UNREACHABLE, touched=False, cause="login_refused")
    world = World(a_record(retrying()), in_turn(PRE, "web-01", refused))

    world.run()

    assert world.applied() == []


def test_a_lost_host_where_something_is_still_at_work_is_not_touched_again() -> None:
    busy = bad("web-01", result=Result.IN_DOUBT, cause="package_lock", text="still at work there")
    lost = bad("web-01", **LOST)

    def answer(stage: Stage, step: int, host: str, attempt: int) -> HostResult | None:
        if stage is APPLY:
            return lost
        return busy if stage is PRE and attempt > 1 else well(stage, step, host, attempt)

    world = World(a_record(retrying(budget=1)), answer)

    world.run()

    assert world.applied() == ["web-01"]
    assert outcomes_of(world.record, None)["web-01"].result is Result.UNREACHABLE


def test_what_an_attempt_touched_stays_touched_when_the_next_reaches_nothing() -> None:
    answers = in_turn(APPLY, "web-01", bad("web-01", **LOCKED), bad("web-01", **UNREACHABLE))
    world = World(a_record(retrying(budget=1)), answers)

    world.run()

    assert outcomes_of(world.record, None)["web-01"].touched
    assert failures(world.record) == {"web-01": 0}


def undoing(number: int = 2, **changes: object) -> RunPlan:
    return a_plan(number, **{"waves": ALL, "rollback": ROLLBACK, "budget": 5, **changes})


def test_a_host_that_failed_is_rolled_back_after_its_post_check_and_looked_at_at_last() -> None:
    world = World(a_record(undoing()), in_turn(APPLY, "web-01", bad("web-01")))

    ended = world.run()

    assert ended == Finish()
    assert what(world)[2:] == [
        ("post_check", 0, ("web-01", "web-02")),
        ("rollback", 0, ("web-01",)),
        ("rollback", 1, ("web-01",)),
        ("rollback", 2, ("web-01",)),
    ]
    assert rollbacks_of(batches_of(world.record))["web-01"].result is Result.OK
    assert outcomes_of(world.record, None)["web-01"].result is Result.FAILED


def test_a_host_whose_post_check_failed_is_rolled_back() -> None:
    world = World(a_record(undoing()), in_turn(POST, "web-02", bad("web-02")))

    world.run()

    assert set(rollbacks_of(batches_of(world.record))) == {"web-02"}


def test_a_rollback_that_failed_is_told_and_looked_at() -> None:
    def answer(stage: Stage, step: int, host: str, attempt: int) -> HostResult | None:
        failed = stage is APPLY or (stage is BACK and step == 1)
        return bad(host, text="no old version") if failed else well(stage, step, host, attempt)

    world = World(a_record(undoing(1)), answer)

    world.run()

    told = rollbacks_of(batches_of(world.record))["web-01"]
    assert (told.result, told.text) == (Result.FAILED, "no old version")
    assert what(world)[-1] == ("rollback", 2, ("web-01",))


def test_a_host_that_was_not_touched_is_not_rolled_back() -> None:
    world = World(a_record(undoing()), in_turn(APPLY, "web-01", bad("web-01", **UNREACHABLE)))

    world.run()

    assert rollbacks_of(batches_of(world.record)) == {}


def test_a_check_that_could_not_be_run_is_no_reason_to_roll_back() -> None:
    world = World(a_record(undoing()))
    world.problem_of = lambda step: "no such role" if step.stage is POST else None

    world.run()

    assert rollbacks_of(batches_of(world.record)) == {}


def test_after_a_stop_and_past_the_end_failed_hosts_are_still_rolled_back() -> None:
    ends = START + timedelta(minutes=2)
    plan = undoing(5, concurrency=2, budget=0, last_start=ends, ends=ends)
    world = World(a_record(plan), in_turn(APPLY, "web-01", bad("web-01")))

    ended = world.run()

    assert ended == Stop(StopReason.BUDGET)
    assert world.now > ends
    assert rollbacks_of(batches_of(world.record))["web-01"].result.is_good


def test_a_person_who_ends_it_now_ends_rollback_too_and_one_who_lets_it_finish_does_not() -> None:
    world = World(a_record(undoing()), in_turn(APPLY, "web-01", bad("web-01")))
    for _ in range(3):
        world.step()
    rows = world.record

    ended = next_step(replace(rows, interruption=Interruption.CANCELLED, ended_now=True), now=world.now)
    finished = next_step(replace(rows, interruption=Interruption.CANCELLED), now=world.now)

    assert ended == Finish()
    assert getattr(finished, "stage", None) is BACK


def test_a_host_in_doubt_is_rolled_back_only_when_nothing_is_at_work_there_any_more() -> None:
    busy = bad("web-01", result=Result.IN_DOUBT, cause="package_lock")
    last = START + timedelta(minutes=2)
    looks = iter([busy, busy])

    def answer(stage: Stage, step: int, host: str, attempt: int) -> HostResult | None:
        if stage is APPLY:
            return None
        return (
            next(looks, None) or well(stage, step, host, attempt)
            if (stage, step) == (BACK, 0)
            else well(stage, step, host, attempt)
        )

    world = World(a_record(undoing(1, last_start=last, ends=last + timedelta(hours=1))), answer)

    world.run()

    assert [step for step in what(world) if step[0] == "rollback"] == [
        ("rollback", 0, ("web-01",)),
        ("rollback", 0, ("web-01",)),
        ("rollback", 0, ("web-01",)),
        ("rollback", 1, ("web-01",)),
        ("rollback", 2, ("web-01",)),
    ]


def test_the_looking_ends_and_says_why_nothing_was_rolled_back() -> None:
    busy = bad("web-01", result=Result.IN_DOUBT, text="still at work there: apt-get")

    def answer(stage: Stage, step: int, host: str, attempt: int) -> HostResult | None:
        if stage is APPLY:
            return bad(host)
        return busy if stage is BACK else well(stage, step, host, attempt)

    world = World(a_record(undoing(1)), answer)

    world.run()

    assert sum(1 for step in world.done if step.stage is BACK) == MAX_LOOKS
    assert rollbacks_of(batches_of(world.record))["web-01"].text == "the rollback failed: still at work there: apt-get"


def test_a_rollback_whose_end_was_not_heard_is_played_again_after_a_look() -> None:
    died = iter([None])

    def answer(stage: Stage, step: int, host: str, attempt: int) -> HostResult | None:
        if stage is APPLY:
            return bad(host)
        return (
            next(died, well(stage, step, host, attempt))
            if (stage, step) == (BACK, 1)
            else well(stage, step, host, attempt)
        )

    world = World(a_record(undoing(1)), answer)

    world.run()

    assert [step for stage, step, _ in what(world) if stage == "rollback"] == [0, 1, 0, 1, 2]
    assert rollbacks_of(batches_of(world.record))["web-01"].result.is_good


def test_a_rollback_that_cannot_be_run_stops_the_run_and_is_told() -> None:
    world = World(a_record(undoing(5, concurrency=1)), in_turn(APPLY, "web-01", bad("web-01")))
    world.problem_of = lambda step: "no such role" if (step.stage, step.step) == (BACK, 1) else None

    ended = world.run()

    assert ended == Stop(StopReason.CONFIGURATION)
    assert "no such role" in rollbacks_of(batches_of(world.record))["web-01"].text
    assert world.applied() == ["web-01"]
