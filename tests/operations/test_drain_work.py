"""Draining: what has begun is finished, nothing else begins, and what waits goes on afterwards."""

from __future__ import annotations

from datetime import timedelta

import pytest

from runner.domain.execution.run import PieceState, RunState, Verdict
from runner.domain.record.record import INSTALLATION
from runner.errors import Held, UsageError
from runner.operations.drain_work import InFlight, drain_work, end_drain, in_flight, wait_for_rest
from runner.operations.execution.advance_run import advance_run
from runner.operations.execution.start_run import Wish, start_by_hand
from runner.ports import PieceOrder
from runner.store.execution import pieces, runs
from runner.store.record import log
from runner.store.time import slots
from tests.operations.a_site import LOOK, SATURDAY_NIGHT, SCHEDULE, Bench
from tests.operations.conftest import Lay

REASON = "reboot of this machine"


def drain(bench: Bench) -> bool:
    return drain_work(REASON, by=bench.site.actor, store=bench.site.store, clock=bench.time)


def end(bench: Bench) -> None:
    end_drain(by=bench.site.actor, store=bench.site.store, clock=bench.time)


def rest(bench: Bench, told: list[tuple[InFlight, ...]], *, seconds: float | None = None) -> bool:
    site, asleep = bench.site, bench.time.pass_by
    return wait_for_rest(
        store=site.store,
        monotonic=bench.time.monotonic,
        sleep=lambda seconds: asleep(timedelta(seconds=seconds)),
        seconds=seconds,
        tell=told.append,
    )


def drained_at_the_canary(bench: Bench) -> str:
    """A run that is drained while its canary is being worked on."""

    def hook(order: PieceOrder) -> None:
        if order.playbook != LOOK and not bench.ansible.played():
            drain(bench)

    bench.ansible.before_start = hook
    run_id = start_by_hand("patch", Wish(), site=bench.site)
    advance_run(run_id, site=bench.site, dispatcher=bench.dispatcher)
    bench.settle()
    return run_id


def state_of(bench: Bench, run_id: str) -> runs.Run:
    return bench.site.store.read(lambda c: runs.get(c, run_id))


def told(bench: Bench) -> list[object]:
    return [entry.content["action"] for entry in bench.site.store.read(lambda c: list(log.entries(c, INSTALLATION)))]


def test_nothing_begins_while_it_is_drained_not_even_what_only_reads(lay: Lay) -> None:
    bench = lay(schedule=SCHEDULE + "effect: read_only\n")
    drain(bench)

    with pytest.raises(Held, match=f"drained by ana: {REASON}"):
        start_by_hand("patch", Wish(check_mode=True), site=bench.site)

    assert bench.ansible.orders == []


def test_no_override_lifts_a_drain(bench: Bench) -> None:
    drain(bench)
    until = bench.time.now + timedelta(hours=1)

    with pytest.raises(Held, match=REASON):
        start_by_hand("patch", Wish(override="I want it", until=until), site=bench.site)


def test_what_is_in_flight_is_finished_and_its_run_stays_alive(bench: Bench) -> None:
    run_id = drained_at_the_canary(bench)
    step = advance_run(run_id, site=bench.site, dispatcher=bench.dispatcher)
    bench.settle()

    assert bench.ansible.played() == [("web-01",)]
    assert bench.ansible.orders[-1].playbook != LOOK, "the checks after it wait, too"
    assert step is not None
    assert state_of(bench, run_id).state is RunState.RUNNING


def test_a_run_goes_on_when_the_drain_is_ended(bench: Bench) -> None:
    run_id = drained_at_the_canary(bench)

    end(bench)
    bench.play_out(run_id)

    assert state_of(bench, run_id).verdict is Verdict.SUCCEEDED
    assert sorted(host for hosts in bench.ansible.played() for host in hosts) == ["db-01", "db-02", "web-01", "web-02", "web-03"]  # fmt: skip


def test_a_run_whose_window_closes_meanwhile_is_settled_without_touching_anything_more(bench: Bench) -> None:
    run_id = drained_at_the_canary(bench)
    bench.time.now = SATURDAY_NIGHT + timedelta(hours=6)

    end(bench)
    bench.play_out(run_id)

    assert state_of(bench, run_id).verdict is Verdict.DEGRADED
    assert bench.ansible.played() == [("web-01",)]


def test_a_piece_that_was_planned_already_waits_and_is_done_afterwards(bench: Bench) -> None:
    run_id = start_by_hand("patch", Wish(), site=bench.site)
    bench.dispatcher.drain(wait=0)  # planned, and nobody does it
    advance_run(run_id, site=bench.site, dispatcher=bench.dispatcher)
    drain(bench)
    another = bench.but()

    another.dispatcher.dispatch(bench.site.store.read(lambda c: pieces.of_run(c, run_id))[0].id)
    another.settle()
    waited = [piece.state for piece in bench.site.store.read(lambda c: pieces.of_run(c, run_id))]
    end(bench)
    advance_run(run_id, site=another.site, dispatcher=another.dispatcher)
    another.play_out(run_id)

    assert waited == [PieceState.PLANNED]
    assert state_of(bench, run_id).verdict is Verdict.SUCCEEDED


def test_a_slot_that_opens_meanwhile_is_held_and_starts_afterwards(bench: Bench) -> None:
    bench.time.now = SATURDAY_NIGHT - timedelta(hours=1)
    bench.tick()
    drain(bench)
    bench.time.now = SATURDAY_NIGHT
    bench.tick()
    held = bench.site.store.read(slots.due)

    end(bench)
    bench.time.pass_by(timedelta(minutes=1))
    bench.tick()

    assert len(held) == 1
    assert bench.ansible.orders != []


def test_a_slot_that_was_drained_to_its_last_start_is_held_with_the_reason(bench: Bench) -> None:
    bench.time.now = SATURDAY_NIGHT - timedelta(hours=1)
    bench.tick()
    drain(bench)
    for minutes in range(0, 400, 2):
        bench.time.now = SATURDAY_NIGHT + timedelta(minutes=minutes)
        bench.tick()

    (settled,) = bench.site.store.read(lambda c: slots.between(c, SATURDAY_NIGHT - timedelta(hours=1), SATURDAY_NIGHT))
    assert (settled.outcome, settled.reason) == ("held", f"drained by ana: {REASON}")


def test_waiting_tells_what_is_still_going_on_once(bench: Bench) -> None:
    heard: list[tuple[InFlight, ...]] = []
    answers: list[bool] = []

    def hook(order: PieceOrder) -> None:
        if order.playbook != LOOK and not answers:
            answers.append(rest(bench, heard, seconds=0.05))

    bench.ansible.before_start = hook
    start_by_hand("patch", Wish(), site=bench.site)
    bench.tick()

    assert answers == [False]
    assert [(each.run, each.schedule, each.hosts) for (each,) in heard] == [(1, "patch", ("web-01",))]
    assert bench.site.store.read(in_flight) == ()
    assert rest(bench, heard)


def test_a_second_order_changes_nothing_and_both_orders_need_a_reason(bench: Bench) -> None:
    assert drain(bench)
    assert not drain(bench)
    with pytest.raises(UsageError, match="Say why"):
        drain_work(" ", by=bench.site.actor, store=bench.site.store, clock=bench.time)
    end(bench)
    end(bench)

    assert told(bench) == ["drain.started", "drain.ended"]
