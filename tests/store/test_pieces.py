from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import update

from runner.domain.execution.outcome import NotRun, Result
from runner.domain.execution.run import PieceState, Stage, Verdict
from runner.errors import NotFound
from runner.store.columns import database_now
from runner.store.database import Store
from runner.store.execution import locks, pieces, runs
from runner.store.schema import pieces as rows
from tests.store.making import LEASE, NOON, a_claimed_piece, a_kept_run, a_planned_piece, a_result, an_owner

END = {"results": {}, "problem": None, "unmatched": (), "complete": True, "at": NOON}


def claim(store: Store, piece: str, pid: int = 200) -> int | None:
    return store.write(lambda c: pieces.claim(c, piece, owner=an_owner(pid), inventory="production", lease=LEASE))


def let_lapse(store: Store, piece: str) -> None:
    store.write(lambda c: c.execute(update(rows).where(rows.c.id == piece).values(lease_until=database_now(-1))))


def test_a_piece_is_planned_once(store: Store) -> None:
    run = a_kept_run(store)
    wanted = {"run": run, "wave": 1, "batch": 1, "stage": Stage.PRE_CHECK, "step": 0, "attempt": 1, "hosts": ("web1",)}

    first = store.write(lambda c: pieces.plan(c, **wanted))
    second = store.write(lambda c: pieces.plan(c, **wanted))
    other = store.write(lambda c: pieces.plan(c, **{**wanted, "attempt": 2}))

    assert second is None
    assert [piece.id for piece in store.read(pieces.planned)] == [first, other]


def test_an_ended_run_gets_no_further_piece(store: Store) -> None:
    run = a_kept_run(store)
    waiting = a_planned_piece(store, run)
    store.write(lambda c: runs.settle(c, run, verdict=Verdict.CANCELLED, reason="", at=NOON))

    planned = store.write(
        lambda c: pieces.plan(c, run=run, wave=1, batch=2, stage=Stage.APPLY, step=0, attempt=1, hosts=("web1",))
    )

    assert planned is None
    assert claim(store, waiting) is None


def test_a_claimed_piece_has_an_owner_a_fence_a_lease_and_its_hosts(store: Store) -> None:
    run = a_kept_run(store)

    piece, fence = a_claimed_piece(store, run)

    (kept,) = store.read(pieces.claimed)
    assert (kept.id, kept.owner, kept.fence, kept.state) == (piece, an_owner(), fence, PieceState.CLAIMED)
    assert kept.lease_until - kept.started_at >= LEASE - timedelta(seconds=1)
    assert not kept.lapsed
    assert store.read(lambda c: locks.held(c, "production")) == {"web1": run, "web2": run}
    assert store.read(pieces.live_marks) == {(piece, fence)}


def test_a_piece_is_claimed_once(store: Store) -> None:
    piece, _fence = a_claimed_piece(store, a_kept_run(store))

    assert claim(store, piece) is None
    assert store.read(pieces.claimed)[0].owner == an_owner()


def test_a_piece_whose_host_another_run_holds_stays_planned_and_locks_nothing(store: Store) -> None:
    a_claimed_piece(store, a_kept_run(store), hosts=("web2",))
    waiting = a_planned_piece(store, a_kept_run(store), hosts=("web1", "web2", "web3"))

    fence = claim(store, waiting)

    assert fence is None
    assert [piece.id for piece in store.read(pieces.planned)] == [waiting]
    assert set(store.read(lambda c: locks.held(c, "production"))) == {"web2"}


def test_the_same_name_in_another_inventory_is_another_host(store: Store) -> None:
    a_claimed_piece(store, a_kept_run(store), hosts=("web1",))
    piece = a_planned_piece(store, a_kept_run(store), hosts=("web1",))

    fence = store.write(lambda c: pieces.claim(c, piece, owner=an_owner(), inventory="staging", lease=LEASE))

    assert fence is not None


def test_a_run_keeps_its_hosts_over_its_pieces_until_they_are_released(store: Store) -> None:
    run, other = a_kept_run(store), a_kept_run(store)
    first, fence = a_claimed_piece(store, run)
    store.write(lambda c: pieces.finish(c, first, fence=fence, **END))
    waiting = a_planned_piece(store, other, hosts=("web1",))

    second, _ = a_claimed_piece(store, run, stage=Stage.POST_CHECK)
    refused = claim(store, waiting)
    some = store.write(lambda c: locks.release(c, run, ["web1", "elsewhere"]))
    granted = claim(store, waiting)
    rest = store.write(lambda c: locks.release(c, run))

    assert second
    assert refused is None
    assert granted is not None
    assert (some, rest) == (1, 1)


def test_a_lease_is_prolonged_by_the_fence_that_holds_it_only(store: Store) -> None:
    piece, fence = a_claimed_piece(store, a_kept_run(store), lease=timedelta(seconds=30))
    before = store.read(pieces.claimed)[0].lease_until

    stale = store.write(lambda c: pieces.renew(c, piece, fence=fence - 1, lease=LEASE))
    unchanged = store.read(pieces.claimed)[0].lease_until
    renewed = store.write(lambda c: pieces.renew(c, piece, fence=fence, lease=LEASE))

    assert (stale, renewed) == (False, True)
    assert unchanged == before
    assert store.read(pieces.claimed)[0].lease_until - before > timedelta(seconds=140)


def test_a_lease_that_is_over_shows_as_lapsed_and_cannot_be_prolonged(store: Store) -> None:
    piece, fence = a_claimed_piece(store, a_kept_run(store))
    let_lapse(store, piece)

    renewed = store.write(lambda c: pieces.renew(c, piece, fence=fence, lease=LEASE))

    assert not renewed
    assert store.read(pieces.claimed)[0].lapsed
    assert store.read(pieces.live_marks) == set()


def test_a_piece_whose_lease_lapsed_while_nobody_took_it_can_still_tell_its_end(store: Store) -> None:
    piece, fence = a_claimed_piece(store, a_kept_run(store))
    let_lapse(store, piece)

    assert store.write(lambda c: pieces.finish(c, piece, fence=fence, **END))


def test_a_finished_piece_keeps_its_results(store: Store) -> None:
    piece, fence = a_claimed_piece(store, a_kept_run(store))
    results = {
        "web1": a_result("web1", Result.CHANGED, started=NOON, ended=NOON + timedelta(seconds=9), task="upgrade"),
        "web2": a_result(
            "web2", Result.NOT_RUN, touched=False, reason=NotRun.PRE_CHECK, text="busy\0", signature="busy"
        ),
    }
    end = {**END, "results": results, "problem": "p", "unmatched": ("x", "y"), "complete": False}

    finished = store.write(lambda c: pieces.finish(c, piece, fence=fence, **end))

    kept = store.read(lambda c: pieces.records(c, store.read(lambda d: pieces.get(d, piece)).run_id))[0]
    assert finished
    assert kept.results["web1"] == results["web1"]
    assert kept.results["web2"].text == "busy\N{REPLACEMENT CHARACTER}"
    assert (kept.state, kept.problem, kept.unmatched, kept.complete, kept.ended) == (
        PieceState.FINISHED,
        "p",
        ("x", "y"),
        False,
        NOON,
    )


@pytest.mark.parametrize("ending", ["finish", "lose"])
def test_after_its_end_a_piece_takes_no_further_word_and_nothing_is_written(store: Store, ending: str) -> None:
    piece, fence = a_claimed_piece(store, a_kept_run(store))
    if ending == "finish":
        store.write(lambda c: pieces.finish(c, piece, fence=fence, **END))
    else:
        store.write(
            lambda c: pieces.lose(c, piece, fence=fence, results={"web1": a_result(result=Result.IN_DOUBT)}, at=NOON)
        )
    before = store.read(lambda c: (pieces.get(c, piece), pieces.results_of_run(c, pieces.get(c, piece).run_id)))
    late = {**END, "results": {"web1": a_result(), "web2": a_result("web2")}}

    words = [
        store.write(lambda c: pieces.finish(c, piece, fence=fence, **late)),
        store.write(lambda c: pieces.lose(c, piece, fence=fence, results=late["results"], at=NOON)),
        store.write(lambda c: pieces.save_offset(c, piece, fence=fence, offset=9)),
        store.write(lambda c: pieces.renew(c, piece, fence=fence, lease=LEASE)),
        store.write(lambda c: pieces.withdraw(c, piece)),
        claim(store, piece) is not None,
    ]

    assert words == [False] * 6
    assert store.read(lambda c: (pieces.get(c, piece), pieces.results_of_run(c, pieces.get(c, piece).run_id))) == before


@pytest.mark.parametrize("wrong", [-1, 1])
def test_a_stale_fence_is_refused_everywhere(store: Store, wrong: int) -> None:
    piece, fence = a_claimed_piece(store, a_kept_run(store))
    before = store.read(lambda c: pieces.get(c, piece))

    words = [
        store.write(lambda c: pieces.finish(c, piece, fence=fence + wrong, **{**END, "results": {"web1": a_result()}})),
        store.write(lambda c: pieces.lose(c, piece, fence=fence + wrong, results={"web1": a_result()}, at=NOON)),
        store.write(lambda c: pieces.save_offset(c, piece, fence=fence + wrong, offset=9)),
        store.write(lambda c: pieces.renew(c, piece, fence=fence + wrong, lease=LEASE)),
    ]

    assert words == [False] * 4
    assert store.read(lambda c: pieces.get(c, piece)) == before
    assert store.read(lambda c: pieces.results_of_run(c, before.run_id)) == {}


def test_the_spool_s_offset_is_kept_beyond_32_bits(store: Store) -> None:
    piece, fence = a_claimed_piece(store, a_kept_run(store))

    store.write(lambda c: pieces.save_offset(c, piece, fence=fence, offset=5_000_000_000))

    assert store.read(lambda c: pieces.get(c, piece)).spool_offset == 5_000_000_000


def test_only_a_planned_piece_can_be_withdrawn(store: Store) -> None:
    run = a_kept_run(store)
    waiting = a_planned_piece(store, run)

    first = store.write(lambda c: pieces.withdraw(c, waiting))
    second = store.write(lambda c: pieces.withdraw(c, waiting))

    assert (first, second) == (True, False)
    assert claim(store, waiting) is None
    assert store.read(lambda c: pieces.of_run(c, run))[0].state is PieceState.WITHDRAWN


def test_a_closing_hash_is_kept_once_and_for_ended_pieces_only(store: Store) -> None:
    piece, fence = a_claimed_piece(store, a_kept_run(store))

    too_early = store.write(lambda c: pieces.set_closing_hash(c, piece, "a" * 64))
    store.write(lambda c: pieces.finish(c, piece, fence=fence, **END))
    first = store.write(lambda c: pieces.set_closing_hash(c, piece, "b" * 64))
    second = store.write(lambda c: pieces.set_closing_hash(c, piece, "c" * 64))

    assert (too_early, first, second) == (False, True, False)
    assert store.read(lambda c: pieces.get(c, piece)).closing_hash == "b" * 64


def test_an_unknown_piece_is_not_found(store: Store) -> None:
    with pytest.raises(NotFound):
        store.read(lambda c: pieces.get(c, "nothing"))


def test_a_batch_of_a_thousand_hosts_is_locked_and_released(store: Store) -> None:
    run = a_kept_run(store)
    hosts = tuple(f"host{n:04}" for n in range(1200))

    a_claimed_piece(store, run, hosts=hosts)
    held = store.read(lambda c: locks.held(c, "production"))
    released = store.write(lambda c: locks.release(c, run, hosts[:1100]))

    assert len(held) == 1200
    assert released == 1100
