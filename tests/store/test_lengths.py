"""How long runs took, and when their last batch began."""

from __future__ import annotations

from datetime import timedelta

import pytest

from runner.domain.execution.run import Stage, Verdict
from runner.store.database import Store
from runner.store.execution import lengths, locks, pieces, runs
from tests.store.making import NOON, a_claimed_piece, a_kept_run, a_result

HOUR = timedelta(hours=1)


def a_run_of(store: Store, verdict: Verdict, *, took: timedelta = HOUR, batches: int = 2, **more: object) -> str:
    """A run with so many batches; its pieces are timed by the database's own clock."""
    run = a_kept_run(store, **more)
    store.write(lambda c: runs.start(c, run, at=NOON))
    for batch in range(1, batches + 1):
        for stage in (Stage.PRE_CHECK, Stage.APPLY):
            piece, fence = a_claimed_piece(store, run, batch=batch, stage=stage, hosts=("web1",))
            end = {"results": {"web1": a_result()}, "problem": None, "unmatched": (), "complete": True, "at": NOON}
            store.write(lambda c, p=piece, f=fence, e=end: pieces.finish(c, p, fence=f, **e))
    store.write(lambda c: runs.settle(c, run, verdict=verdict, reason="", at=NOON + took))
    store.write(lambda c: locks.release(c, run))
    return run


def since(store: Store, earliest: timedelta = -HOUR) -> list[lengths.Length]:
    return store.read(lambda c: lengths.since(c, NOON + earliest))


def test_a_run_tells_how_long_it_took_and_when_its_last_batch_began(store: Store) -> None:
    a_run_of(store, Verdict.SUCCEEDED, took=2 * HOUR)
    a_run_of(store, Verdict.DEGRADED, took=3 * HOUR, batches=1)

    later, earlier = since(store)

    assert [(each.schedule, each.took) for each in (later, earlier)] == [
        ("patch-web", 3 * HOUR),
        ("patch-web", 2 * HOUR),
    ]
    assert timedelta(0) <= later.last_batch_after <= earlier.last_batch_after + HOUR


@pytest.mark.parametrize("verdict", [Verdict.HALTED, Verdict.CANCELLED, Verdict.FAILED, Verdict.EXPIRED])
def test_a_run_that_did_not_go_through_its_hosts_tells_nothing(store: Store, verdict: Verdict) -> None:
    a_run_of(store, verdict)

    assert since(store) == []


def test_neither_do_check_mode_a_run_without_a_batch_and_one_of_before(store: Store) -> None:
    a_run_of(store, Verdict.SUCCEEDED, check_mode=True)
    a_run_of(store, Verdict.SUCCEEDED, batches=0)
    a_run_of(store, Verdict.SUCCEEDED)

    assert len(since(store)) == 1
    assert since(store, HOUR) == []
