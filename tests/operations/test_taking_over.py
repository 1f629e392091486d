"""Work that lost its owner: what it told is kept, its processes are ended first, its hosts are looked at before anything touches them again."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from runner.domain.execution.outcome import Event, HostResult, Result
from runner.domain.execution.run import PieceState, RunState, Stage, Verdict
from runner.domain.record.record import piece_stream
from runner.domain.who import Owner
from runner.operations.execution.advance_run import advance_run
from runner.operations.execution.run_piece import claim_piece
from runner.operations.execution.settle_runs import settle_runs
from runner.operations.execution.start_run import Wish, start_by_hand
from runner.ports import PieceOrder, Stray, Strays
from runner.store.execution import outcomes, pieces, runs
from runner.store.record import log
from runner.store.transaction import Transaction
from tests.operations.a_site import LOOK, Bench, ScriptedPiece, events_of


class NowhereDispatcher:
    """Carries pieces to nobody."""

    def dispatch(self, piece: str) -> None: ...

    def busy(self) -> bool:
        return False

    def drain(self, *, wait: float) -> bool:
        return True


def owner_like(bench: Bench, **changes: object) -> Owner:
    return replace(bench.site.owner, **changes)  # type: ignore[arg-type]


def gone(bench: Bench) -> Bench:
    """A process that had our pid and is no more."""
    return bench.but(owner=owner_like(bench, started="1"))


def elsewhere(bench: Bench) -> Bench:
    """A process in another container: whether it lives cannot be seen."""
    return bench.but(owner=owner_like(bench, pid_namespace="pid:[1]", started="1"))


def a_run_up_to_the_playbook(bench: Bench) -> tuple[str, pieces.Piece]:
    """A run whose canary has passed its pre-check; the playbook's piece is planned and nobody does it."""
    run_id = start_by_hand("patch", Wish(), site=bench.site)
    nowhere = NowhereDispatcher()
    while True:
        advance_run(run_id, site=bench.site, dispatcher=nowhere)
        piece = last_piece(bench, run_id)
        if piece.stage is Stage.APPLY:
            return run_id, piece
        assert piece.state is PieceState.PLANNED
        do_here(bench, piece)


def do_here(bench: Bench, piece: pieces.Piece) -> None:
    from runner.operations.execution.run_piece import run_piece

    run_piece(piece.id, site=bench.site)


def last_piece(bench: Bench, run_id: str) -> pieces.Piece:
    return bench.site.store.read(lambda c: pieces.of_run(c, run_id))[-1]


def piece_now(bench: Bench, piece: pieces.Piece) -> pieces.Piece:
    return bench.site.store.read(lambda c: pieces.get(c, piece.id))


def claimed_by(owner: Bench, piece: pieces.Piece, *, lapsed: bool = False) -> int:
    lease = timedelta(seconds=-1 if lapsed else 180)
    fence = owner.site.store.write(
        lambda c: pieces.claim(c, piece.id, owner=owner.site.owner, inventory="production", lease=lease)
    )
    assert fence is not None
    return fence


def told(bench: Bench, piece: pieces.Piece, fate: str, *, only: int | None = None) -> list[Event]:
    """What the piece had written to its spool before its owner went away."""
    order = replace(bench.ansible.orders[-1], piece=piece.id, playbook=bench.site.root / "patch.yml", limit=piece.hosts)
    script = bench.ansible.script
    bench.ansible.script = lambda _order, _host: fate
    events = events_of(order, bench.ansible)[:only]
    bench.ansible.script = script
    return events


def bodies(bench: Bench, stream: str) -> list[dict[str, object]]:
    return [json.loads(entry.body) for entry in bench.site.store.read(lambda c: list(log.entries(c, stream)))]


def test_a_piece_whose_owner_is_gone_is_taken_over_at_once_and_its_run_ends(bench: Bench) -> None:
    run_id, piece = a_run_up_to_the_playbook(bench)
    claimed_by(gone(bench), piece)

    settle_runs(site=bench.site, dispatcher=bench.dispatcher)
    bench.play_out(run_id)

    run = bench.site.store.read(lambda c: runs.get(c, run_id))
    assert piece_now(bench, piece).state is PieceState.LOST
    assert (run.state, run.verdict) == (RunState.SETTLED, Verdict.SUCCEEDED)
    assert run.record_incomplete


def test_a_host_in_doubt_is_looked_at_before_the_playbook_starts_there_again(bench: Bench) -> None:
    run_id, piece = a_run_up_to_the_playbook(bench)
    claimed_by(gone(bench), piece)
    bench.ansible.orders.clear()

    settle_runs(site=bench.site, dispatcher=bench.dispatcher)
    bench.play_out(run_id)

    order = [(order.playbook == LOOK, order.limit) for order in bench.ansible.orders]
    again = order.index((False, ("web-01",)))
    assert (True, ("web-01",)) in order[:again]


def test_what_a_lost_piece_had_told_is_kept_and_its_host_is_not_touched_again(bench: Bench) -> None:
    run_id, piece = a_run_up_to_the_playbook(bench)
    claimed_by(gone(bench), piece)
    bench.ansible.spooled[piece.id] = told(bench, piece, "changed")
    bench.ansible.orders.clear()

    settle_runs(site=bench.site, dispatcher=bench.dispatcher)
    bench.play_out(run_id)

    known = bench.site.store.read(lambda c: pieces.results_of_run(c, run_id))[piece.id]
    recorded = [body["action"] for body in bodies(bench, piece_stream(piece.id))]
    assert known["web-01"].result is Result.CHANGED
    assert recorded == ["host_ok", "stats", "end", "piece.lost"]
    assert ("web-01",) not in bench.ansible.played()


def test_what_a_lost_piece_had_told_is_judged_by_the_runs_own_rules(bench: Bench) -> None:
    rule = "causes: [{cause: memory, match: package nginx, example: package nginx}]\n"
    (bench.site.root / "schedules" / "causes.yml").write_text(rule)
    run_id, piece = a_run_up_to_the_playbook(bench)
    claimed_by(gone(bench), piece)
    bench.ansible.spooled[piece.id] = told(bench, piece, "failed")

    settle_runs(site=bench.site, dispatcher=NowhereDispatcher())

    known = bench.site.store.read(lambda c: pieces.results_of_run(c, run_id))[piece.id]["web-01"]
    assert known.cause == "memory"
    assert "+" in (known.cause_rules or "")


def test_events_that_were_recorded_before_are_not_recorded_twice(bench: Bench) -> None:
    run_id, piece = a_run_up_to_the_playbook(bench)
    fence = claimed_by(gone(bench), piece)
    bench.ansible.spooled[piece.id] = told(bench, piece, "changed")
    bench.site.store.write(lambda c: pieces.save_offset(c, piece.id, fence=fence, offset=100))

    settle_runs(site=bench.site, dispatcher=NowhereDispatcher())

    assert [body["action"] for body in bodies(bench, piece_stream(piece.id))] == ["stats", "end", "piece.lost"]
    assert (
        bench.site.store.read(lambda c: pieces.results_of_run(c, run_id))[piece.id]["web-01"].result is Result.CHANGED
    )


def test_a_failure_that_was_told_halfway_counts(bench: Bench) -> None:
    run_id, piece = a_run_up_to_the_playbook(bench)
    claimed_by(gone(bench), piece)
    bench.ansible.spooled[piece.id] = told(bench, piece, "failed", only=1)

    settle_runs(site=bench.site, dispatcher=bench.dispatcher)
    bench.play_out(run_id)

    rows = {row.host: row.result for row in bench.site.store.read(lambda c: outcomes.of_run(c, run_id))}
    assert rows["web-01"].result is Result.FAILED
    assert bench.site.store.read(lambda c: runs.get(c, run_id)).verdict is Verdict.HALTED


def what_is_left(bench: Bench, piece: pieces.Piece, known_by: str) -> Stray:
    """A process of this piece that could not be ended, by what is known of it."""
    known: dict[str, dict[str, Any]] = {
        "its piece": {"piece": piece.id},
        "its control path": {"control_path": bench.site.control_path(piece.run_id)},
        "nothing": {},
    }
    return Stray(4711, "ansible-playbook", **known[known_by])


@pytest.mark.parametrize("known_by", ["its piece", "its control path", "nothing"])
def test_while_its_processes_cannot_be_ended_a_piece_is_not_written_off(bench: Bench, known_by: str) -> None:
    _, piece = a_run_up_to_the_playbook(bench)
    claimed_by(gone(bench), piece)
    bench.ansible.strays = Strays(0, left=(what_is_left(bench, piece, known_by),))

    settle_runs(site=bench.site, dispatcher=bench.dispatcher)
    bench.settle()

    assert piece_now(bench, piece).state is PieceState.CLAIMED
    assert bench.ansible.played() == []


@pytest.mark.parametrize(
    ("known_by", "state"),
    [
        ("its piece", PieceState.LOST),
        ("its control path", PieceState.LOST),
        ("nothing", PieceState.CLAIMED),
    ],
)
def test_what_is_left_of_another_run_delays_a_piece_only_when_it_might_be_its_own(
    bench: Bench, known_by: str, state: PieceState
) -> None:
    _, piece = a_run_up_to_the_playbook(bench)
    claimed_by(gone(bench), piece)
    stuck = a_second_schedule_at_work(bench, owner=gone(bench))
    bench.ansible.strays = Strays(0, left=(what_is_left(bench, stuck, known_by),))

    settle_runs(site=bench.site, dispatcher=NowhereDispatcher())

    assert piece_now(bench, piece).state is state
    assert piece_now(bench, stuck).state is PieceState.CLAIMED


def test_it_is_written_off_as_soon_as_they_are_gone(bench: Bench) -> None:
    run_id, piece = a_run_up_to_the_playbook(bench)
    claimed_by(gone(bench), piece)
    bench.ansible.strays = Strays(0, left=(what_is_left(bench, piece, "its piece"),))
    settle_runs(site=bench.site, dispatcher=bench.dispatcher)

    bench.ansible.strays = Strays(1)
    settle_runs(site=bench.site, dispatcher=bench.dispatcher)
    bench.play_out(run_id)

    assert piece_now(bench, piece).state is PieceState.LOST


def test_the_orphans_own_mark_is_not_live_when_strays_are_ended_and_others_are(bench: Bench) -> None:
    _, piece = a_run_up_to_the_playbook(bench)
    claimed_by(gone(bench), piece)
    other = a_second_schedule_at_work(bench)

    settle_runs(site=bench.site, dispatcher=NowhereDispatcher())

    assert bench.ansible.live_at_sweep == {(other.id, 1)}


def a_second_schedule_at_work(bench: Bench, owner: Bench | None = None) -> pieces.Piece:
    """A piece of another run that a living process holds, or this owner."""
    text = (bench.site.root / "schedules" / "patch.yml").read_text().replace("schedule: patch", "schedule: other")
    (bench.site.root / "schedules" / "other.yml").write_text(text.replace("hosts: all", "hosts: db"))
    run_id = start_by_hand("other", Wish(), site=bench.site)
    advance_run(run_id, site=bench.site, dispatcher=NowhereDispatcher())
    piece = last_piece(bench, run_id)
    claimed_by(owner or bench, piece)
    return piece


def test_a_lease_in_another_container_is_respected_until_it_lapses(bench: Bench) -> None:
    _, piece = a_run_up_to_the_playbook(bench)
    claimed_by(elsewhere(bench), piece)

    settle_runs(site=bench.site, dispatcher=bench.dispatcher)

    assert piece_now(bench, piece).state is PieceState.CLAIMED


def test_a_lapsed_lease_is_taken_over_wherever_its_owner_was(bench: Bench) -> None:
    run_id, piece = a_run_up_to_the_playbook(bench)
    claimed_by(elsewhere(bench), piece, lapsed=True)

    settle_runs(site=bench.site, dispatcher=bench.dispatcher)
    bench.play_out(run_id)

    assert piece_now(bench, piece).state is PieceState.LOST
    assert bench.site.store.read(lambda c: runs.get(c, run_id)).verdict is Verdict.SUCCEEDED


def test_a_lapsed_piece_of_our_own_is_given_up_too(bench: Bench) -> None:
    run_id, piece = a_run_up_to_the_playbook(bench)
    claimed_by(bench, piece, lapsed=True)

    settle_runs(site=bench.site, dispatcher=bench.dispatcher)
    bench.play_out(run_id)

    assert piece_now(bench, piece).state is PieceState.LOST


def test_one_lost_piece_that_makes_trouble_keeps_no_other_run(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    _, piece = a_run_up_to_the_playbook(bench)
    claimed_by(gone(bench), piece)
    other = a_second_schedule_at_work(bench)
    bench.site.store.write(lambda c: finished(c, other, at=bench.time.now))

    def unreadable(*_: object, **__: object) -> None:
        raise OSError("the disk is gone")

    monkeypatch.setattr(bench.ansible, "drain", unreadable, raising=False)
    settle_runs(site=bench.site, dispatcher=bench.dispatcher)
    bench.play_out(other.run_id)

    assert bench.site.store.read(lambda c: runs.get(c, other.run_id)).verdict is Verdict.SUCCEEDED
    assert piece_now(bench, piece).state is PieceState.CLAIMED


def finished(connection: Transaction, piece: pieces.Piece, *, at: datetime) -> bool:
    results = {host: HostResult(host, Result.OK) for host in piece.hosts}
    return pieces.finish(
        connection, piece.id, fence=1, results=results, problem=None, unmatched=(), complete=True, at=at
    )


def test_a_piece_that_was_taken_over_while_it_ran_writes_nothing_more(bench: Bench) -> None:
    run_id, piece = a_run_up_to_the_playbook(bench)

    def somebody_takes_over(order: PieceOrder) -> None:
        bench.site.store.write(lambda c: pieces.lose(c, order.piece, fence=order.fence, results={}, at=bench.time.now))

    bench.ansible.before_start = somebody_takes_over
    do_here(bench, piece)

    assert [body["action"] for body in bodies(bench, piece_stream(piece.id))] == ["piece.started"]
    assert bench.site.store.read(lambda c: pieces.results_of_run(c, run_id)).get(piece.id) is None
    assert bench.ansible.pieces[-1].cancelled


def test_the_end_of_a_piece_that_was_taken_over_in_silence_is_refused(bench: Bench) -> None:
    _, piece = a_run_up_to_the_playbook(bench)

    def somebody_takes_over(running: ScriptedPiece) -> None:
        if running.told:
            return
        bench.site.store.write(
            lambda c: pieces.lose(c, running.order.piece, fence=running.order.fence, results={}, at=bench.time.now)
        )
        running.told = True  # it says nothing, and has ended

    bench.ansible.while_running = somebody_takes_over
    do_here(bench, piece)

    assert piece_now(bench, piece).state is PieceState.LOST
    assert [body["action"] for body in bodies(bench, piece_stream(piece.id))] == ["piece.started"]


def test_a_piece_that_is_no_longer_wanted_is_withdrawn_instead_of_claimed(bench: Bench) -> None:
    run_id, piece = a_run_up_to_the_playbook(bench)
    bench.site.store.write(lambda c: runs.request_stop(c, run_id, "finish", bench.site.actor))

    fence = claim_piece(piece, site=bench.site)

    assert fence is None
    assert piece_now(bench, piece).state is PieceState.WITHDRAWN


def test_a_piece_planned_before_a_crash_is_handed_over_again(bench: Bench) -> None:
    run_id, _ = a_run_up_to_the_playbook(bench)

    settle_runs(site=bench.site, dispatcher=bench.dispatcher)
    bench.play_out(run_id)

    assert bench.ansible.played()[0] == ("web-01",)
    assert bench.site.store.read(lambda c: runs.get(c, run_id)).verdict is Verdict.SUCCEEDED


@pytest.mark.parametrize("second", [lambda bench: bench, elsewhere], ids=["same-process", "another-process"])
def test_two_that_advance_one_run_at_once_do_each_piece_once(bench: Bench, second: Callable[[Bench], Bench]) -> None:
    run_id = start_by_hand("patch", Wish(), site=bench.site)
    benches = [bench, second(bench).but()]
    start = threading.Barrier(2)

    def beat(one: Bench) -> None:
        start.wait()
        for _ in range(60):
            settle_runs(site=one.site, dispatcher=one.dispatcher)
            one.settle()
            if one.site.store.read(lambda c: runs.get(c, run_id)).state is RunState.SETTLED:
                return

    threads = [threading.Thread(target=beat, args=(one,)) for one in benches]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    all_pieces = bench.site.store.read(lambda c: pieces.of_run(c, run_id))
    done = [order.piece for order in bench.ansible.orders]
    assert bench.site.store.read(lambda c: runs.get(c, run_id)).verdict is Verdict.SUCCEEDED
    assert len(done) == len(set(done))
    assert {piece.state for piece in all_pieces} <= {PieceState.FINISHED, PieceState.WITHDRAWN}
    assert sorted(host for hosts in bench.ansible.played() for host in hosts) == sorted({"web-01", "web-02", "web-03", "db-01", "db-02"})  # fmt: skip
