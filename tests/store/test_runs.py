from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from runner.domain.execution.outcome import Result
from runner.domain.execution.run import Interruption, RunState, Trigger, Verdict
from runner.domain.who import Actor
from runner.errors import NotFound
from runner.store.database import Store
from runner.store.execution import pieces, runs, snapshots
from tests.store.making import ANA, NOON, a_claimed_piece, a_kept_run, a_plan, a_result, a_run


def test_a_run_is_kept_as_it_was_planned(store: Store) -> None:
    new = a_run(late_seconds=61.5, override_id="o1")

    store.write(lambda c: runs.insert(c, new))

    kept = store.read(lambda c: runs.get(c, new.id))
    assert (kept.plan, kept.late_seconds, kept.override_id) == (new.plan, 61.5, "o1")
    assert (kept.requested_by, kept.versions) == (ANA, {"wellkept": "0.1"})
    assert (kept.trigger, kept.state, kept.verdict, kept.number) == (Trigger.HAND, RunState.RUNNING, None, 1)


def test_runs_have_numbers_without_gaps_also_when_one_was_rolled_back(store: Store) -> None:
    a_kept_run(store)

    def insert_and_fail(connection) -> None:
        runs.insert(connection, a_run())
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        store.write(insert_and_fail)
    last = a_kept_run(store)

    assert store.read(lambda c: runs.get(c, last)).number == 2


def test_a_run_is_found_by_number_by_id_and_by_the_beginning_of_its_id(store: Store) -> None:
    first, second = a_kept_run(store), a_kept_run(store)

    by = {text: store.read(lambda c, text=text: runs.find(c, text)).id for text in ("1", "#2", second, second[:-1])}

    assert by == {"1": first, "#2": second, second: second, second[:-1]: second}


@pytest.mark.parametrize("text", ["7", "", "no such", "%", "999999999999999999999999", "²"])
def test_a_name_that_no_run_bears_is_not_found_and_the_last_one_is_named(store: Store, text: str) -> None:
    a_kept_run(store)

    with pytest.raises(NotFound, match="The last one is 1"):
        store.read(lambda c: runs.find(c, text))


def test_the_beginning_of_several_ids_is_refused(store: Store) -> None:
    run = a_kept_run(store)
    a_kept_run(store)

    with pytest.raises(NotFound, match="More than one"):
        store.read(lambda c: runs.find(c, run[:3]))


def test_the_latest_runs_come_newest_first(store: Store) -> None:
    web, database = a_kept_run(store), a_kept_run(store, plan=a_plan(schedule="patch-db"))

    assert [run.id for run in store.read(lambda c: runs.recent(c, 10))] == [database, web]
    assert [run.id for run in store.read(lambda c: runs.recent(c, 1))] == [database]
    assert [run.id for run in store.read(lambda c: runs.recent(c, 10, "patch-web"))] == [web]


def test_runs_are_listed_by_creation_from_the_first_instant_up_to_the_last(store: Store) -> None:
    at = [NOON + timedelta(hours=hour) for hour in range(3)]
    kept = [a_kept_run(store, created_at=instant) for instant in at]

    assert [run.id for run in store.read(lambda c: runs.between(c, at[0], at[2]))] == kept[:2]


def test_a_settled_run_is_no_longer_live(store: Store) -> None:
    run = a_kept_run(store)

    first = store.write(lambda c: runs.settle(c, run, verdict=Verdict.DEGRADED, reason="one failed", at=NOON))
    second = store.write(lambda c: runs.settle(c, run, verdict=Verdict.EXPIRED, reason="", at=NOON))

    kept = store.read(lambda c: runs.get(c, run))
    assert (first, second) == (True, False)
    assert (kept.state, kept.verdict, kept.reason, kept.ended_at) == (
        RunState.SETTLED,
        Verdict.DEGRADED,
        "one failed",
        NOON,
    )
    assert store.read(runs.live) == []
    assert store.read(lambda c: runs.live_of_schedule(c, "patch-web")) is None


def test_a_record_once_marked_incomplete_stays_so(store: Store) -> None:
    run = a_kept_run(store)

    store.write(lambda c: runs.mark_incomplete(c, run))
    store.write(lambda c: runs.settle(c, run, verdict=Verdict.SUCCEEDED, reason="", at=NOON, record_incomplete=False))

    assert store.read(lambda c: runs.get(c, run)).record_incomplete


def test_a_stop_may_grow_stronger_but_not_weaker(store: Store) -> None:
    run = a_kept_run(store)

    asked = [
        store.write(lambda c, how=how: runs.request_stop(c, run, how, ANA))
        for how in ("finish", "finish", "cancel", "finish")
    ]

    kept = store.read(lambda c: runs.get(c, run))
    assert asked == [True, False, True, False]
    assert (kept.stop_request, kept.stopped_by) == ("cancel", ANA)


def test_a_run_that_has_ended_cannot_be_stopped(store: Store) -> None:
    run = a_kept_run(store)
    store.write(lambda c: runs.settle(c, run, verdict=Verdict.SUCCEEDED, reason="", at=NOON))

    assert not store.write(lambda c: runs.request_stop(c, run, "cancel", Actor("bob")))


def test_the_start_of_a_run_is_kept_once(store: Store) -> None:
    run = a_kept_run(store)

    first = store.write(lambda c: runs.start(c, run, at=NOON))
    second = store.write(lambda c: runs.start(c, run, at=NOON + timedelta(hours=1)))

    assert (first, second) == (True, False)
    assert store.read(lambda c: runs.get(c, run)).started_at == NOON


def test_a_record_holds_the_run_s_pieces_with_what_is_known_per_host(store: Store) -> None:
    run = a_kept_run(store)
    piece, fence = a_claimed_piece(store, run)
    results = {"web1": a_result("web1"), "web2": a_result("web2", Result.FAILED, cause="disk_full", text="no space")}
    end = {"fence": fence, "results": results, "problem": None, "unmatched": ("play 2",), "complete": True, "at": NOON}
    store.write(lambda c: pieces.finish(c, piece, **end))

    record = store.read(lambda c: runs.record(c, run, interruption=Interruption.PAUSED, vanished=["web3"]))

    assert record.plan == a_plan()
    assert [kept.results for kept in record.pieces] == [results]
    assert record.pieces[0].unmatched == ("play 2",)
    assert (record.interruption, record.vanished) == (Interruption.PAUSED, {"web3"})


def test_a_record_names_planned_hosts_that_other_runs_hold(store: Store) -> None:
    run, other = a_kept_run(store), a_kept_run(store)
    a_claimed_piece(store, run, hosts=("web1",))
    a_claimed_piece(store, other, hosts=("web2", "elsewhere"))

    assert store.read(lambda c: runs.record(c, run)).locked == {"web2"}
    assert store.read(lambda c: runs.record(c, other)).locked == {"web1"}


def test_a_run_knows_the_folder_of_its_snapshot(store: Store) -> None:
    run = a_kept_run(store)
    kept = {
        "digest": "s" * 64,
        "path": "/var/lib/wellkept/snapshots/ss",
        "commit": "c" * 40,
        "dirty": False,
        "at": NOON,
    }

    with pytest.raises(NotFound, match="was not kept"):
        _ = store.read(lambda c: runs.get(c, run)).snapshot_path
    store.write(lambda c: snapshots.keep(c, **kept))

    assert store.read(lambda c: runs.get(c, run)).snapshot_path == Path("/var/lib/wellkept/snapshots/ss")


def test_writing_the_same_run_twice_is_noticed(store: Store) -> None:
    new = a_run()
    store.write(lambda c: runs.insert(c, new))

    with pytest.raises(Exception, match=r"(?i)unique"):
        store.write(lambda c: runs.insert(c, new))


def test_the_last_whole_run_of_a_schedule_is_found_behind_many_others(store: Store) -> None:
    a_kept_run(store)
    whole = a_kept_run(store)
    a_kept_run(store, plan=a_plan(schedule="another"))
    a_kept_run(store, check_mode=True)
    for _ in range(runs.PAGE):
        a_kept_run(store, plan=a_plan(limit="web1"))

    found = store.read(lambda c: runs.last_whole(c, "patch-web"))

    assert found is not None
    assert found.id == whole


def test_a_schedule_of_which_only_parts_have_run_has_no_last_whole_run(store: Store) -> None:
    a_kept_run(store, plan=a_plan(limit="web1"))

    assert store.read(lambda c: runs.last_whole(c, "patch-web")) is None
