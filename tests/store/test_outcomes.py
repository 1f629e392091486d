from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from runner.domain.execution.outcome import HostResult, NotRun, Result
from runner.domain.execution.run import Stage, Verdict
from runner.store.database import Store
from runner.store.execution import locks, outcomes, pieces, runs
from runner.store.execution.outcomes import percentile
from tests.store.making import NOON, a_claimed_piece, a_kept_run, a_plan, a_result

MINUTE = timedelta(minutes=1)


def save(store: Store, run: str, *results: HostResult, **more: object) -> None:
    kept = {result.host: result for result in results}
    store.write(lambda c: outcomes.save(c, run, inventory="production", schedule="patch-web", outcomes=kept, **more))


def a_past_run(store: Store, host: str, minutes: dict[Stage, int], result: Result = Result.OK, **more: object) -> None:
    run = a_kept_run(store, **{"plan": a_plan((host,)), **more})
    for stage, taken in minutes.items():
        piece, fence = a_claimed_piece(store, run, stage=stage, hosts=(host,))
        results = {host: a_result(host, started=NOON, ended=NOON + taken * MINUTE)}
        end = {"results": results, "problem": None, "unmatched": (), "complete": True, "at": NOON}
        store.write(lambda c, piece=piece, fence=fence, end=end: pieces.finish(c, piece, fence=fence, **end))
    save(store, run, a_result(host, result))
    store.write(lambda c: runs.settle(c, run, verdict=Verdict.SUCCEEDED, reason="", at=NOON))
    store.write(lambda c: locks.release(c, run))


def durations(store: Store, *hosts: str) -> dict[str, timedelta]:
    return store.read(lambda c: outcomes.durations(c, "patch-web", "production", hosts, playbook="patch.yml"))


def test_an_outcome_is_kept_with_what_really_changed(store: Store) -> None:
    run = a_kept_run(store)
    good = a_result("web1", Result.CHANGED, started=NOON, ended=NOON + MINUTE)
    late = a_result("web2", Result.NOT_RUN, touched=False, reason=NotRun.NO_ROOM)
    packages = {"web1": [{"name": "nginx", "before": "1.22", "after": "1.24"}]}

    save(
        store,
        run,
        good,
        late,
        packages=packages,
        reboots={"web1": {"done": True}},
        machine_ids={"web1": "m1", "web2": ""},
    )

    first, second = store.read(lambda c: outcomes.of_run(c, run))
    assert (first.result, first.packages, first.reboot, first.machine_id) == (
        good,
        packages["web1"],
        {"done": True},
        "m1",
    )
    assert (second.result, second.packages, second.reboot, second.machine_id) == (late, [], None, None)


def test_saving_again_replaces(store: Store) -> None:
    run = a_kept_run(store)
    save(store, run, a_result("web1", Result.FAILED))

    save(store, run, a_result("web1", Result.OK))

    assert [kept.result.result for kept in store.read(lambda c: outcomes.of_run(c, run))] == [Result.OK]


def test_a_host_s_latest_outcomes_come_newest_first(store: Store) -> None:
    made = [a_kept_run(store) for _ in range(3)]
    for run in made:
        save(store, run, a_result("web1"), a_result("web2"))

    latest = store.read(lambda c: outcomes.last_of_host(c, "production", "web1", 2))

    assert [kept.run_id for kept in latest] == [made[2], made[1]]
    assert {kept.host for kept in latest} == {"web1"}


def test_outcomes_are_listed_by_the_time_of_their_runs(store: Store) -> None:
    made = [a_kept_run(store, created_at=NOON + hour * timedelta(hours=1)) for hour in range(3)]
    for run in made:
        save(store, run, a_result("web1"))

    found = store.read(lambda c: outcomes.between(c, NOON, NOON + timedelta(hours=2)))

    assert [kept.run_id for kept in found] == made[:2]


def test_a_host_takes_as_long_as_its_checks_and_its_change_together(store: Store) -> None:
    a_past_run(store, "web1", {Stage.PRE_CHECK: 1, Stage.APPLY: 10, Stage.POST_CHECK: 2})

    assert durations(store, "web1", "web2") == {"web1": 13 * MINUTE}


def test_failed_runs_rollbacks_and_check_mode_say_nothing_about_how_long_it_takes(store: Store) -> None:
    a_past_run(store, "web1", {Stage.APPLY: 1}, Result.FAILED)
    a_past_run(store, "web1", {Stage.APPLY: 2}, check_mode=True)
    a_past_run(store, "web2", {Stage.APPLY: 5, Stage.ROLLBACK: 50})

    assert durations(store, "web1", "web2") == {"web2": 5 * MINUTE}


def test_runs_of_another_playbook_say_nothing_about_how_long_it_takes(store: Store) -> None:
    a_past_run(
        store, "web1", {Stage.APPLY: 50}, plan=a_plan(("web1",), playbook="upgrade.yml", title='"playbook":"patch.yml"')
    )
    a_past_run(store, "web1", {Stage.APPLY: 5})

    assert durations(store, "web1") == {"web1": 5 * MINUTE}


def test_nine_of_ten_past_runs_took_no_longer_than_the_estimate(store: Store) -> None:
    for minutes in range(1, 11):
        a_past_run(store, "web1", {Stage.APPLY: minutes})

    assert durations(store, "web1") == {"web1": 9 * MINUTE}


@given(st.lists(st.timedeltas(timedelta(0), timedelta(days=1)), min_size=1))
def test_a_percentile_is_one_of_the_spans_and_covers_its_share(spans: list[timedelta]) -> None:
    found = percentile(spans)

    assert found in spans
    assert sum(span <= found for span in spans) >= 0.9 * len(spans)
    assert sum(span < found for span in spans) < 0.9 * len(spans) + 1e-9
