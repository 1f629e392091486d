"""What stops a run that is going: pauses, freezes, the end of an override, the end of the window, and people."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from runner.domain.execution.fold import PieceFold
from runner.domain.execution.outcome import Event, EventKind, NotRun, Result
from runner.domain.execution.run import Interruption, Stage, Verdict
from runner.domain.record.record import piece_stream
from runner.domain.time.window import AtEnd
from runner.errors import Held, UsageError
from runner.operations.execution.execute_playbook import end_with_window
from runner.operations.execution.load_record import load_record
from runner.operations.execution.plan_occurrence import Asking, plan_occurrence
from runner.operations.execution.start_run import Wish, start_by_hand
from runner.operations.remind_of_pauses import remind_of_pauses
from runner.ports import PieceOrder
from runner.store.execution import outcomes, overrides, pauses, pieces, runs
from runner.store.record import log
from tests.operations.a_site import HOSTS, LOOK, SATURDAY_NIGHT, SCHEDULE, WINDOWS, Bench, ScriptedPiece
from tests.operations.conftest import Lay

FREEZE = 'freezes: [{name: launch, from: "2026-03-21T00:00Z", to: "2026-03-23T00:00Z", reason: the shop opens}]\n'
HOUR = timedelta(hours=1)


def pause(bench: Bench, hosts: str = "", until: object = None) -> str:
    return bench.site.store.write(
        lambda c: pauses.start(c, reason="storage", by=bench.site.actor, at=bench.time.now, hosts=hosts, until=until)  # type: ignore[arg-type]
    )


def freeze_now(bench: Bench) -> None:
    (bench.site.root / "schedules" / "windows.yml").write_text(WINDOWS + FREEZE)


def at_the_canary(bench: Bench, happens: Callable[[Bench], object]) -> str:
    """A run during whose canary something happens."""

    def hook(order: PieceOrder) -> None:
        if order.playbook != LOOK and not bench.ansible.played():
            happens(bench)

    bench.ansible.before_start = hook
    run_id = start_by_hand("patch", Wish(), site=bench.site)
    bench.play_out(run_id)
    return run_id


def run_of(bench: Bench, run_id: str) -> runs.Run:
    return bench.site.store.read(lambda c: runs.get(c, run_id))


def pause_file(bench: Bench, text: str = "the pumps are off\n") -> Path:
    path = bench.site.state_dir / "PAUSE"
    path.write_text(text)
    return path


def reasons(bench: Bench, run_id: str) -> dict[str, NotRun | None]:
    return {row.host: row.result.reason for row in bench.site.store.read(lambda c: outcomes.of_run(c, run_id))}


def test_a_pause_stops_a_going_run_after_its_batch(bench: Bench) -> None:
    run_id = at_the_canary(bench, pause)

    assert bench.ansible.played() == [("web-01",)]
    assert run_of(bench, run_id).verdict is Verdict.DEGRADED
    assert run_of(bench, run_id).reason == "maintenance was paused"
    assert reasons(bench, run_id) == {"web-01": None, **dict.fromkeys(HOSTS[1:], NotRun.PAUSED)}


def test_a_touched_host_is_still_looked_at_after_a_pause(bench: Bench) -> None:
    at_the_canary(bench, pause)

    assert [order.playbook == LOOK for order in bench.ansible.orders] == [True, False, True]


def test_a_freeze_that_comes_while_a_run_goes_stops_it_after_its_batch(bench: Bench) -> None:
    run_id = at_the_canary(bench, freeze_now)

    assert bench.ansible.played() == [("web-01",)]
    assert run_of(bench, run_id).reason == "a change freeze began"
    assert reasons(bench, run_id)["db-01"] is NotRun.FROZEN


def test_a_pause_of_some_hosts_passes_over_them_and_does_the_others(bench: Bench) -> None:
    run_id = at_the_canary(bench, lambda b: pause(b, hosts="db"))

    assert bench.ansible.played() == [("web-01",), ("web-02", "web-03")]
    assert reasons(bench, run_id)["db-01"] is NotRun.PAUSED
    assert run_of(bench, run_id).verdict is Verdict.DEGRADED


def test_a_host_that_was_drawn_and_then_paused_is_not_touched(bench: Bench) -> None:
    def pause_at_the_second_look(order: PieceOrder) -> None:
        if order.playbook == LOOK and order.limit == HOSTS[1:] and len(bench.ansible.played()) == 1:
            pause(bench, hosts="web-03")

    bench.ansible.before_start = pause_at_the_second_look
    run_id = start_by_hand("patch", Wish(), site=bench.site)
    bench.play_out(run_id)

    assert bench.ansible.played() == [("web-01",), ("web-02", "db-01", "db-02")]
    assert reasons(bench, run_id)["web-03"] is NotRun.PAUSED


def test_a_pause_of_every_host_of_a_schedule_holds_it(bench: Bench) -> None:
    pause(bench, hosts="web:db")

    with pytest.raises(Held, match="paused by ana: storage"):
        start_by_hand("patch", Wish(), site=bench.site)


def test_a_pause_of_other_hosts_holds_nothing(bench: Bench) -> None:
    pause(bench, hosts="web")

    assert start_by_hand("patch", Wish(limit="db"), site=bench.site)


def test_a_pause_holds_new_runs_until_it_is_over(bench: Bench) -> None:
    pause(bench, until=bench.time.now + HOUR)
    with pytest.raises(Held, match=r"\(until 2026-03-21 23:30 UTC\)"):
        start_by_hand("patch", Wish(), site=bench.site)

    bench.time.pass_by(HOUR)

    assert start_by_hand("patch", Wish(), site=bench.site)


def test_pauses_that_leave_nothing_together_hold_a_schedule(bench: Bench) -> None:
    pause(bench, hosts="web", until=bench.time.now + HOUR)
    pause(bench, hosts="db")

    with pytest.raises(Held, match=r"paused by ana: storage; paused by ana: storage \(until 2026-03-21 23:30 UTC\)"):
        start_by_hand("patch", Wish(), site=bench.site)


def test_a_file_pauses_everything_as_long_as_it_is_there(bench: Bench) -> None:
    file = pause_file(bench)
    with pytest.raises(Held, match=r"PAUSE is there \(the pumps are off\); remove it to go on"):
        start_by_hand("patch", Wish(), site=bench.site)

    file.unlink()

    assert start_by_hand("patch", Wish(), site=bench.site)


def test_an_empty_file_pauses_too(bench: Bench) -> None:
    pause_file(bench, "")

    with pytest.raises(Held, match="no reason stands in it"):
        start_by_hand("patch", Wish(), site=bench.site)


def test_a_pipe_in_place_of_the_file_pauses_and_keeps_nobody_waiting(bench: Bench) -> None:
    os.mkfifo(bench.site.state_dir / "PAUSE")

    with pytest.raises(Held, match="no reason stands in it"):
        start_by_hand("patch", Wish(), site=bench.site)


def test_a_file_stops_a_going_run_after_its_batch(bench: Bench) -> None:
    run_id = at_the_canary(bench, pause_file)

    assert bench.ansible.played() == [("web-01",)]
    assert reasons(bench, run_id) == {"web-01": None, **dict.fromkeys(HOSTS[1:], NotRun.PAUSED)}


def test_a_plan_names_the_hosts_that_a_pause_leaves_out(bench: Bench) -> None:
    pause(bench, hosts="db")

    plan = plan_occurrence("patch", Asking(bench.time.now), definitions=bench.site.current(), site=bench.site)

    assert plan.holds == ()
    assert plan.passed_over == dict.fromkeys(("db-01", "db-02"), "paused by ana: storage")


def test_read_only_work_goes_on_through_a_pause_and_a_freeze(lay: Lay) -> None:
    bench = lay(schedule=SCHEDULE + "effect: read_only\n", windows=WINDOWS + FREEZE)
    pause(bench)

    run_id = start_by_hand("patch", Wish(), site=bench.site)
    bench.play_out(run_id)

    assert run_of(bench, run_id).verdict is Verdict.SUCCEEDED


def test_read_only_work_is_stopped_by_a_freeze_that_does_not_allow_it(lay: Lay) -> None:
    bench = lay(schedule=SCHEDULE + "effect: read_only\n")
    strict = FREEZE.replace("reason:", "allow: [], reason:")

    run_id = at_the_canary(bench, lambda b: (b.site.root / "schedules" / "windows.yml").write_text(WINDOWS + strict))

    assert reasons(bench, run_id)["db-01"] is NotRun.FROZEN


def overriding(bench: Bench, **changes: object) -> str:
    wish = Wish(override="openssl is exploited", until=bench.time.now + 2 * HOUR)
    from dataclasses import replace

    return start_by_hand("patch", replace(wish, **changes), site=bench.site)  # type: ignore[arg-type]


def test_an_override_of_the_window_does_not_pass_a_pause_that_comes_later(bench: Bench) -> None:
    bench.time.pass_by(12 * HOUR)
    run_id = overriding(bench)

    pause(bench)

    assert load_record(run_id, site=bench.site).interruption is Interruption.PAUSED


def test_an_override_of_a_pause_goes_through_it(bench: Bench) -> None:
    pause(bench)

    run_id = overriding(bench)
    bench.play_out(run_id)

    kept = bench.site.store.read(lambda c: overrides.get(c, run_of(bench, run_id).override_id or ""))
    assert kept is not None
    assert kept.guards == ("pause",)
    assert run_of(bench, run_id).verdict is Verdict.SUCCEEDED


def test_an_override_of_a_freeze_goes_through_it_but_not_past_the_window(lay: Lay) -> None:
    bench = lay(windows=WINDOWS + FREEZE)

    run_id = overriding(bench, until=bench.time.now + 20 * HOUR)

    plan = run_of(bench, run_id).plan
    assert plan.last_start == SATURDAY_NIGHT.replace(day=22, hour=3, minute=15)
    assert plan.ends == SATURDAY_NIGHT.replace(day=22, hour=4, minute=0)


def test_an_override_ends_at_its_expiry(bench: Bench) -> None:
    bench.time.pass_by(12 * HOUR)
    until = bench.time.now + 2 * HOUR

    def time_goes_on(order: PieceOrder) -> None:
        if order.playbook != LOOK:
            bench.time.now = until

    bench.ansible.before_start = time_goes_on
    run_id = overriding(bench)
    bench.play_out(run_id)

    assert run_of(bench, run_id).plan.ends == until
    assert bench.ansible.played() == [("web-01",)]
    assert reasons(bench, run_id)["db-02"] is NotRun.CUTOFF


def test_an_override_does_not_lift_the_guard_against_two_runs_at_once(bench: Bench) -> None:
    start_by_hand("patch", Wish(), site=bench.site)

    with pytest.raises(Held, match="still going"):
        overriding(bench)


def test_an_override_does_not_lift_the_guard_against_no_hosts(bench: Bench) -> None:
    with pytest.raises(Held, match="no host of inventory 'production' matches 'all'"):
        overriding(bench, limit="nobody-*")


def test_an_override_that_is_over_before_it_begins_is_refused(bench: Bench) -> None:
    with pytest.raises(UsageError, match="in the past"):
        overriding(bench, until=bench.time.now)


def test_an_override_that_nothing_needed_leaves_no_trace(bench: Bench) -> None:
    run_id = overriding(bench)

    assert run_of(bench, run_id).override_id is None
    assert run_of(bench, run_id).plan.ends == SATURDAY_NIGHT.replace(day=22, hour=4, minute=0)


def long_lasting(bench: Bench, happens: Callable[[ScriptedPiece], None]) -> str:
    """A run whose canary takes long enough for orders to be heard."""
    bench.time.tick = 3.0
    bench.ansible.rounds = 3
    bench.ansible.while_running = lambda piece: happens(piece) if piece.order.playbook != LOOK else None
    run_id = start_by_hand("patch", Wish(), site=bench.site)
    bench.play_out(run_id)
    return run_id


def test_a_cancel_now_ends_the_piece_that_is_going_on(bench: Bench) -> None:
    def cancel(piece: ScriptedPiece) -> None:
        bench.site.store.write(lambda c: runs.request_stop(c, piece.order.run, "cancel", bench.site.actor))

    run_id = long_lasting(bench, cancel)

    assert [piece.cancelled for piece in bench.ansible.pieces if piece.order.playbook != LOOK] == [True]
    assert run_of(bench, run_id).verdict is Verdict.CANCELLED


def stopping_pause(bench: Bench, hosts: str = "") -> Callable[[ScriptedPiece], None]:
    """Pauses once, as somebody who wants what is in flight to end."""
    ordered: list[str] = []

    def order(_piece: ScriptedPiece) -> None:
        if not ordered:
            start = partial(pauses.start, reason="storage", by=bench.site.actor, at=bench.time.now, hosts=hosts)
            ordered.append(bench.site.store.write(lambda c: start(c, in_flight="stop")))

    return order


def cancelled(bench: Bench) -> list[tuple[str, ...] | None]:
    return [piece.order.limit for piece in bench.ansible.pieces if piece.cancelled]


def test_a_pause_may_end_what_is_in_flight_and_that_is_recorded_as_its_doing(bench: Bench) -> None:
    run_id = long_lasting(bench, stopping_pause(bench))

    assert cancelled(bench) == [("web-01",)]
    assert run_of(bench, run_id).reason == "maintenance was paused"
    ended = [p for p in bench.site.store.read(lambda c: pieces.of_run(c, run_id)) if str(p.stage) == "apply"]
    told = [entry.content for entry in bench.site.store.read(lambda c: list(log.entries(c, piece_stream(ended[0].id))))]
    assert [(each["by"], each["reason"]) for each in told if each["action"] == "piece.paused"] == [("ana", "storage")]


def test_a_pause_that_ends_what_is_in_flight_leaves_the_checks_after_it_alone(bench: Bench) -> None:
    long_lasting(bench, stopping_pause(bench))

    assert bench.ansible.orders[-1].playbook == LOOK
    assert not bench.ansible.pieces[-1].cancelled


def test_a_pause_of_other_hosts_ends_nothing_that_is_in_flight(bench: Bench) -> None:
    long_lasting(bench, stopping_pause(bench, "db-02"))

    assert ("web-01",) not in cancelled(bench)


def test_a_pause_of_one_host_ends_its_batch_and_the_others_are_done_after_a_look(bench: Bench) -> None:
    order = stopping_pause(bench, "web-02")
    bench.ansible.script = lambda o, host: "lost" if o.limit == HOSTS[1:] and o.playbook != LOOK else "ok"

    run_id = long_lasting(bench, lambda piece: order(piece) if piece.order.limit == HOSTS[1:] else None)

    assert cancelled(bench) == [HOSTS[1:]]
    assert bench.ansible.played()[-1] == ("web-03", "db-01", "db-02")
    kept = {row.host: row.result.result for row in bench.site.store.read(lambda c: outcomes.of_run(c, run_id))}
    assert kept.pop("web-02") is Result.IN_DOUBT
    assert set(kept.values()) == {Result.OK}


def test_an_override_of_a_pause_is_not_ended_by_it(bench: Bench) -> None:
    pause(bench)
    bench.site.store.write(lambda c: pauses.start(c, reason="x", by=bench.site.actor, at=bench.time.now, in_flight="stop"))  # fmt: skip
    bench.time.tick, bench.ansible.rounds = 3.0, 3

    run_id = overriding(bench)
    bench.play_out(run_id)

    assert cancelled(bench) == []
    assert run_of(bench, run_id).verdict is Verdict.SUCCEEDED


def test_a_pause_that_nobody_ends_is_told_after_a_day(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    pause(bench)
    pause(bench, hosts="db", until=bench.time.now + 100 * HOUR)
    remind_of_pauses(site=bench.site)
    assert caplog.messages == []

    bench.time.pass_by(49 * HOUR)
    remind_of_pauses(site=bench.site)

    assert caplog.messages == ["For 2 days everything has been paused by ana: storage. `wellkept resume` ends a pause."]


def test_an_order_to_finish_leaves_the_piece_that_is_going_on_alone(bench: Bench) -> None:
    def finish(piece: ScriptedPiece) -> None:
        bench.site.store.write(lambda c: runs.request_stop(c, piece.order.run, "finish", bench.site.actor))

    run_id = long_lasting(bench, finish)

    assert not any(piece.cancelled for piece in bench.ansible.pieces)
    assert run_of(bench, run_id).verdict is Verdict.CANCELLED
    assert len(bench.ansible.played()) == 1


@pytest.mark.parametrize(
    ("at_end", "softly", "cancelled"),
    [("finish_batch", False, False), ("finish_task", True, False), ("cancel", False, True)],
)
def test_at_the_end_of_the_window_a_piece_is_stopped_as_the_window_says(
    lay: Lay, at_end: str, softly: bool, cancelled: bool
) -> None:
    bench = lay(windows=WINDOWS.replace("cutoff: 45m", f"cutoff: 45m, at_end: {at_end}"))

    def the_window_ends(piece: ScriptedPiece) -> None:
        bench.time.now = SATURDAY_NIGHT.replace(day=22, hour=4, minute=0)

    long_lasting(bench, the_window_ends)

    piece = next(piece for piece in bench.ansible.pieces if piece.order.playbook != LOOK)
    assert (piece.softly, piece.cancelled) == (softly, cancelled)


@pytest.mark.parametrize(
    ("module", "softly", "cancelled"),
    [
        ("ansible.builtin.apt", True, False),
        ("ansible.builtin.reboot", True, False),
        ("ansible.builtin.command", False, True),
    ],
)
def test_the_end_of_the_window_never_cancels_a_restart_or_a_package_manager(
    bench: Bench, module: str, softly: bool, cancelled: bool
) -> None:
    order = PieceOrder("run", "piece", 1, *[bench.site.root] * 4, (), ("web-01",))
    piece, fold = ScriptedPiece(order, bench.ansible), PieceFold(("web-01",), Stage.APPLY)
    fold.add(Event(1, 1, EventKind.HOST_START, SATURDAY_NIGHT, host="web-01", module=module))

    end_with_window(piece, AtEnd.CANCEL, fold)

    assert (piece.softly, piece.cancelled) == (softly, cancelled)


def test_what_was_let_finish_is_cancelled_then(bench: Bench) -> None:
    order = PieceOrder("run", "piece", 1, *[bench.site.root] * 4, (), ("web-01",))
    piece, fold = ScriptedPiece(order, bench.ansible), PieceFold(("web-01",), Stage.APPLY)
    fold.add(Event(1, 1, EventKind.HOST_START, SATURDAY_NIGHT, host="web-01", module="ansible.builtin.apt"))
    fold.add(Event(2, 2, EventKind.HOST_OK, SATURDAY_NIGHT, host="web-01", module="ansible.builtin.apt"))

    end_with_window(piece, AtEnd.CANCEL, fold)

    assert piece.cancelled


def test_a_host_of_a_piece_that_was_stopped_by_a_person_is_told_as_it_is(bench: Bench) -> None:
    bench.ansible.script = lambda order, host: "ok" if order.playbook == LOOK else "lost"

    def cancel(piece: ScriptedPiece) -> None:
        bench.site.store.write(lambda c: runs.request_stop(c, piece.order.run, "cancel", bench.site.actor))

    run_id = long_lasting(bench, cancel)

    row = next(r for r in bench.site.store.read(lambda c: outcomes.of_run(c, run_id)) if r.host == "web-01")
    assert row.result.result is Result.IN_DOUBT
