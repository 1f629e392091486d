"""All rows of a period, on both databases: what belongs to it, and what does not."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from runner.domain.execution.outcome import Result
from runner.domain.execution.run import Stage, Trigger, Verdict
from runner.domain.record.record import INSTALLATION
from runner.errors import UsageError
from runner.store.database import Store
from runner.store.execution import approvals, inventories, outcomes, overrides, pieces, runs
from runner.store.record import evidence, log, report_rows
from runner.store.record.period_rows import PeriodRows
from runner.store.time import ledger, slots
from tests.store.making import ANA, BOB, NOON, a_claimed_piece, a_kept_run, a_result, a_run, an_approval, an_opening

DAY = timedelta(days=1)
MARCH, APRIL = NOON.replace(day=1, hour=0), NOON.replace(month=4, day=1, hour=0)


def rows_of(store: Store, starts=MARCH, ends=APRIL) -> PeriodRows:
    return store.read(lambda c: report_rows.of_period(c, starts=starts, ends=ends))


def test_an_empty_database_has_no_rows(store: Store) -> None:
    rows = rows_of(store)

    assert (rows.slots, rows.runs, rows.outcomes, rows.withdrawn, rows.cut.first, rows.cut.head.seq) == (
        (),
        (),
        (),
        0,
        None,
        0,
    )


def test_a_period_holds_its_beginning_and_not_its_end(store: Store) -> None:
    first, last = a_kept_run(store, created_at=MARCH), a_kept_run(store, created_at=APRIL - timedelta.resolution)
    a_kept_run(store, created_at=APRIL)
    a_kept_run(store, created_at=MARCH - timedelta.resolution)

    assert [run.id for run in rows_of(store).runs] == [first, last]


def test_a_run_goes_with_its_slot_also_over_the_border(store: Store) -> None:
    opening = an_opening(31, hour=23)
    store.write(lambda c: ledger.write_ahead(c, "patch-web", [opening], definition="d", now=MARCH))
    (slot,) = store.write(lambda c: slots.mark_due(c, now=opening.opens))
    run = a_run(trigger=Trigger.SLOT, created_at=APRIL + timedelta(minutes=5))
    store.write(lambda c: slots.claim(c, slot.id, run))

    march, april = rows_of(store), rows_of(store, APRIL, APRIL + 30 * DAY)

    assert ([row.id for row in march.slots], [row.id for row in march.runs]) == ([slot.id], [run.id])
    assert (april.slots, april.runs) == ((), ())


def test_withdrawn_slots_are_counted_and_not_listed(store: Store) -> None:
    store.write(
        lambda c: ledger.write_ahead(c, "patch-web", [an_opening(10), an_opening(11)], definition="d", now=MARCH)
    )
    store.write(lambda c: ledger.write_ahead(c, "patch-web", [an_opening(11)], definition="d", now=MARCH))

    rows = rows_of(store)

    assert (len(rows.slots), rows.withdrawn) == (1, 1)


def test_everything_of_a_run_comes_with_it(store: Store) -> None:
    run_id = a_kept_run(store, approval_id="1")
    piece, fence = a_claimed_piece(store, run_id, stage=Stage.POST_CHECK)
    passed = {"web1": a_result("web1"), "web2": a_result("web2", Result.FAILED, text="no")}
    end = {"fence": fence, "results": passed, "problem": None, "unmatched": (), "complete": True, "at": NOON}
    store.write(lambda c: pieces.finish(c, piece, **end))
    store.write(lambda c: outcomes.save(c, run_id, inventory="production", schedule="patch-web", outcomes=passed))
    store.write(
        lambda c: evidence.add_text(c, run_id=run_id, piece_id=piece, host="web1", kind="look", text="x", at=NOON)
    )
    for name in ("1", "2"):
        store.write(lambda c, name=name: approvals.add(c, an_approval(name, slot_id=None)))
    tail = store.write(lambda c: log.append(c, f"run:{run_id}", [{"n": 1}, {"n": 2}], at=NOON))
    store.write(lambda c: runs.settle(c, run_id, verdict=Verdict.DEGRADED, reason="", at=NOON))

    rows = rows_of(store)

    assert [(row.host, row.result) for row in rows.outcomes] == [("web1", Result.OK), ("web2", Result.FAILED)]
    assert [(row.host, row.text) for row in rows.checks] == [("web1", ""), ("web2", "no")]
    assert [row.piece_id for row in rows.evidence] == [piece]
    assert [(row.id, row.by) for row in rows.approvals] == [("1", BOB)]
    assert [(row.count, row.last_seq, row.hash) for row in rows.streams] == [(2, 2, tail.hash)]


def test_overrides_come_with_their_time_or_with_their_run(store: Store) -> None:
    run_id = a_kept_run(store)
    given = {"schedule": "s", "reason": "r", "by": ANA, "guards": ("window",), "expires_at": APRIL}
    used = store.write(lambda c: overrides.add(c, **given, at=MARCH - DAY, run_id=run_id))
    unused = store.write(lambda c: overrides.add(c, **given, at=NOON))
    store.write(lambda c: overrides.add(c, **given, at=APRIL))

    assert [row.id for row in rows_of(store).overrides] == [used, unused]


def test_the_cut_names_the_period_s_first_and_last_entry_and_the_newest(store: Store) -> None:
    before = store.read(lambda c: log.head(c, INSTALLATION)).seq
    for at in (MARCH - DAY, MARCH, NOON + DAY, APRIL):
        store.write(lambda c, at=at: log.append(c, INSTALLATION, [{"action": "x"}], at=at))

    cut = rows_of(store).cut

    assert cut.first
    assert cut.last
    assert (cut.first.seq - before, cut.last.seq - before, cut.head.seq - before) == (2, 3, 4)


def test_reading_changes_nothing(store: Store) -> None:
    a_kept_run(store)
    store.write(lambda c: inventories.remember(c, "production", ("web1",), at=NOON))

    assert rows_of(store) == rows_of(store)


def test_more_outcomes_than_one_report_can_hold_are_refused_with_the_way_out(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = a_kept_run(store)
    ended = {host: replace(a_result(), host=host) for host in ("web1", "web2")}
    store.write(lambda c: outcomes.save(c, run_id, inventory="production", schedule="patch-web", outcomes=ended))
    monkeypatch.setattr(report_rows, "MOST_OUTCOMES", 1)

    with pytest.raises(UsageError, match=r"holds 2 host outcomes, more than the 1 .* Write reports of shorter periods"):
        rows_of(store)
