"""Two of everything at once: real threads and real processes, and exactly one winner."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from runner.domain.execution.run import SlotState, Stage, Trigger, Verdict
from runner.domain.record.record import INSTALLATION
from runner.store import counters
from runner.store.database import Store
from runner.store.execution import debts, pieces, places, runs
from runner.store.record import log
from runner.store.time import ledger, slots
from tests.store.conftest import Place
from tests.store.making import (
    LEASE,
    NOON,
    a_claimed_piece,
    a_kept_run,
    a_plan,
    a_planned_piece,
    a_result,
    a_run,
    an_opening,
    an_owner,
)

ROOT = Path(__file__).parents[2]
THREADS = 6
PROCESSES = 3
END = {"results": {"web1": a_result()}, "problem": None, "unmatched": (), "complete": True, "at": NOON}


def all_at_once(*actions: Callable[[], Any]) -> list[Any]:
    """Do everything at the same time, each in its own thread; what each gave, in order."""
    start = threading.Barrier(len(actions), timeout=60)
    results: list[Any] = [None] * len(actions)

    def do(place: int, action: Callable[[], Any]) -> None:
        start.wait()
        results[place] = action()

    threads = [threading.Thread(target=do, args=each) for each in enumerate(actions)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


@contextmanager
def contestants(place: Place, what: str, about: str, count: int = PROCESSES) -> Iterator[list[subprocess.Popen[str]]]:
    """Processes that have opened the store and wait for the word; whatever is left of them is ended."""
    command = [sys.executable, "-m", "tests.store.contestant", place.url, str(place.state_dir), what, about]
    started = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT)
        for _ in range(count)
    ]
    try:
        for process in started:
            assert process.stdout
            assert process.stdout.readline() == "ready\n"
        yield started
    finally:
        for process in started:
            process.kill()
            process.communicate()


def results_of(started: list[subprocess.Popen[str]]) -> list[Any]:
    for process in started:
        assert process.stdin
        process.stdin.write("go\n")
        process.stdin.flush()
    return [json.loads(process.communicate(timeout=120)[0]) for process in started]


def a_due_slot(store: Store) -> str:
    store.write(lambda c: ledger.write_ahead(c, "patch-web", [an_opening()], definition="d", now=NOON))
    (slot,) = store.write(lambda c: slots.mark_due(c, now=an_opening().opens))
    return slot.id


def test_of_many_threads_one_claims_the_slot(store: Store) -> None:
    slot = a_due_slot(store)

    def claim() -> str | None:
        return store.write(lambda c: slots.claim(c, slot, a_run(trigger=Trigger.SLOT)))

    won = [run for run in all_at_once(*[claim] * THREADS) if run]

    assert len(won) == 1
    assert [run.id for run in store.read(runs.live)] == won
    assert store.read(lambda c: slots.get(c, slot)).run_id == won[0]


def test_of_many_processes_one_claims_the_slot(store: Store, place: Place) -> None:
    slot = a_due_slot(store)

    with contestants(place, "claim_slot", slot) as started:
        won = [run for run in results_of(started) if run]

    assert len(won) == 1
    assert [run.id for run in store.read(runs.live)] == won


def test_of_many_threads_one_claims_the_piece(store: Store) -> None:
    piece = a_planned_piece(store, a_kept_run(store))

    def claim(pid: int) -> Callable[[], int | None]:
        return lambda: store.write(
            lambda c: pieces.claim(c, piece, owner=an_owner(pid), inventory="production", lease=LEASE)
        )

    fences = all_at_once(*[claim(pid) for pid in range(THREADS)])

    assert sorted(fence is not None for fence in fences) == [False] * (THREADS - 1) + [True]
    (claimed,) = store.read(pieces.claimed)
    assert claimed.owner is not None
    assert fences[claimed.owner.pid] == claimed.fence


def test_of_many_processes_one_claims_the_piece(store: Store, place: Place) -> None:
    piece = a_planned_piece(store, a_kept_run(store))

    with contestants(place, "claim_piece", piece) as started:
        fences = results_of(started)
        winners = [process.pid for process, fence in zip(started, fences, strict=True) if fence is not None]

    (claimed,) = store.read(pieces.claimed)
    assert claimed.owner is not None
    assert winners == [claimed.owner.pid]


def test_of_two_runs_that_want_the_same_hosts_in_opposite_order_one_gets_them_all(store: Store) -> None:
    hosts = ("web1", "web2", "web3", "web4")
    wanted = [a_planned_piece(store, a_kept_run(store), hosts=order) for order in (hosts, hosts[::-1]) * 2]

    def claim(piece: str) -> Callable[[], int | None]:
        return lambda: store.write(
            lambda c: pieces.claim(c, piece, owner=an_owner(), inventory="production", lease=LEASE)
        )

    fences = all_at_once(*[claim(piece) for piece in wanted])

    assert sum(fence is not None for fence in fences) == 1
    assert len(store.read(pieces.planned)) == len(wanted) - 1


def test_of_many_threads_one_plans_the_piece(store: Store) -> None:
    run = a_kept_run(store)
    wanted = {"wave": 1, "batch": 1, "stage": Stage.APPLY, "step": 0, "attempt": 1, "hosts": ("web1",)}

    planned = all_at_once(*[lambda: store.write(lambda c: pieces.plan(c, run=run, **wanted))] * THREADS)

    assert sum(piece is not None for piece in planned) == 1
    assert len(store.read(pieces.planned)) == 1


def test_the_owner_s_end_and_the_settler_s_loss_do_not_both_count(store: Store) -> None:
    piece, fence = a_claimed_piece(store, a_kept_run(store))

    ended = all_at_once(
        lambda: store.write(lambda c: pieces.finish(c, piece, fence=fence, **END)),
        lambda: store.write(lambda c: pieces.lose(c, piece, fence=fence, results={}, at=NOON)),
    )

    assert sorted(ended) == [False, True]


def test_of_many_threads_one_settles_the_run_and_one_the_slot(store: Store) -> None:
    slot = a_due_slot(store)
    run = a_kept_run(store)

    of_run = all_at_once(
        *[lambda: store.write(lambda c: runs.settle(c, run, verdict=Verdict.SUCCEEDED, reason="", at=NOON))] * THREADS
    )
    of_slot = all_at_once(
        *[lambda: store.write(lambda c: slots.settle(c, slot, outcome="x", reason="", was=SlotState.DUE, at=NOON))]
        * THREADS
    )

    assert sum(of_run) == sum(of_slot) == 1


def test_threads_that_write_the_same_ledger_write_it_once(store: Store) -> None:
    openings = [an_opening(day) for day in range(2, 20)]

    def write() -> ledger.LedgerChange:
        return store.write(lambda c: ledger.write_ahead(c, "patch-web", openings, definition="d", now=NOON))

    changes = all_at_once(*[write] * THREADS)

    assert sorted(len(change.added) for change in changes) == [0] * (THREADS - 1) + [len(openings)]


def test_processes_that_append_to_the_installation_make_one_chain(store: Store, place: Place) -> None:
    with contestants(place, "append", "20") as started:
        results_of(started)

    kept = store.read(lambda c: list(log.entries(c, INSTALLATION)))
    assert [entry.seq for entry in kept] == list(range(1, 20 * PROCESSES + 1))
    assert all(entry.is_sound for entry in kept)
    assert all(after.prev == before.hash for before, after in itertools.pairwise(kept))


def test_processes_that_start_runs_never_share_a_number(store: Store, place: Place) -> None:
    with contestants(place, "insert_runs", "10") as started:
        results_of(started)

    assert [run.number for run in store.read(runs.live)] == list(range(1, 10 * PROCESSES + 1))


def test_threads_that_note_the_same_debt_count_one_window(store: Store) -> None:
    def owe() -> None:
        store.write(lambda c: debts.owe(c, "production", "patch-web", ["web1", "web2"], run="r1", at=NOON))

    all_at_once(*[owe] * THREADS)

    assert [debt.windows for debt in store.read(debts.every)] == [1, 1]


def test_numbers_are_given_out_once_each(store: Store) -> None:
    given = all_at_once(*[lambda: store.write(lambda c: counters.following(c, "x"))] * THREADS)

    assert sorted(given) == list(range(1, THREADS + 1))


def test_a_writer_that_is_killed_inside_a_transaction_leaves_nothing_and_hinders_nobody(
    store: Store, place: Place
) -> None:
    before = a_kept_run(store)

    with contestants(place, "stay_inside", "run:x", count=1) as (process,):
        assert process.stdin
        assert process.stdout
        process.stdin.write("go\n")
        process.stdin.flush()
        assert process.stdout.readline() == "inside\n"
        process.kill()
        process.wait()

    after = a_kept_run(store)
    assert [run.id for run in store.read(runs.live)] == [before, after]
    assert store.read(lambda c: runs.get(c, after)).number == 2
    assert store.read(log.streams) == []


@pytest.mark.parametrize("killed", [1, 2])
def test_after_a_kill_the_file_is_whole(sqlite_place: Place, killed: int) -> None:
    for _ in range(killed):
        with contestants(sqlite_place, "stay_inside", "run:x", count=1) as (process,):
            assert process.stdin
            assert process.stdout
            process.stdin.write("go\n")
            process.stdin.flush()
            process.stdout.readline()

    store = sqlite_place.open()
    assert store.read(lambda c: c.exec_driver_sql("pragma integrity_check").scalar()) == "ok"
    assert store.read(runs.live) == []


def test_a_file_that_may_not_grow_is_unavailable_and_nothing_is_half_written(sqlite_place: Place) -> None:
    with contestants(sqlite_place, "fill", "1500000", count=1) as started:
        (told,) = results_of(started)

    store = sqlite_place.open()
    assert told["told"]
    assert 0 < told["kept"] < 10_000
    assert store.read(lambda c: log.head(c, "run:1")).seq == told["kept"]
    assert store.read(lambda c: c.exec_driver_sql("pragma integrity_check").scalar()) == "ok"
    assert a_kept_run(store)


def test_of_many_batches_at_once_only_as_many_begin_as_there_are_places(store: Store) -> None:
    plans = [a_plan(hosts=(f"web{n}", f"db{n}"), schedule=f"patch-{n}") for n in range(THREADS)]
    planned = [a_planned_piece(store, a_kept_run(store, plan=plan), hosts=plan.hosts) for plan in plans]

    def claim(connection: Any, piece_id: str) -> int | None:
        if not places.are_left(connection, pieces.get(connection, piece_id), most=5):
            return None
        return pieces.claim(connection, piece_id, owner=an_owner(), inventory="production", lease=LEASE)

    won = all_at_once(*(lambda piece=piece: store.write(lambda c: claim(c, piece)) for piece in planned))

    assert len([fence for fence in won if fence]) == 2
    assert store.read(lambda c: places.taken(c, besides="")) == 4
