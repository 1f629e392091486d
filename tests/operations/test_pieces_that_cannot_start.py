"""A piece that cannot be started at all: its run is settled, and says why."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from runner.domain.execution.outcome import Event, EventKind, NotRun, Result
from runner.domain.execution.run import PieceState, Verdict
from runner.errors import Held, UsageError
from runner.operations.execution.start_run import Wish, start_by_hand
from runner.ports import PieceOrder
from runner.store.execution import outcomes, pieces, runs
from runner.store.tickets import tickets
from tests.operations.a_site import LOOK, SATURDAY_NIGHT, Ansible, Bench

TOO_LONG = "/var/very/long: the path is too long for ssh's sockets by 12 bytes"


def refuse(
    what: Exception, *, when: Callable[[PieceOrder], bool] = lambda _order: True
) -> Callable[[PieceOrder], None]:
    def before_start(order: PieceOrder) -> None:
        if when(order):
            raise what

    return before_start


def no_place(_run: str) -> Path:
    raise UsageError(TOO_LONG)


def run(bench: Bench) -> runs.Run:
    run_id = start_by_hand("patch", Wish(), site=bench.site)
    bench.play_out(run_id)
    return bench.site.store.read(lambda c: runs.get(c, run_id))


def reasons(bench: Bench, run: runs.Run) -> set[tuple[Result, NotRun | None]]:
    rows = bench.site.store.read(lambda c: outcomes.of_run(c, run.id))
    return {(row.result.result, row.result.reason) for row in rows}


def titles(bench: Bench) -> list[str]:
    return [ticket.title for ticket in bench.site.store.read(tickets.live)]


@pytest.mark.parametrize("error", [UsageError(TOO_LONG), OSError(28, "No space left on device"), KeyError("web")])
def test_a_run_whose_first_piece_cannot_start_is_settled_with_the_reason(bench: Bench, error: Exception) -> None:
    bench.ansible.before_start = refuse(error)

    ended = run(bench)

    assert ended.verdict is Verdict.MISCONFIGURED
    assert str(error) in ended.reason
    assert reasons(bench, ended) == {(Result.NOT_RUN, NotRun.CONFIGURATION)}
    assert bench.ansible.orders == []


def test_a_run_that_has_no_place_for_its_sockets_is_settled_and_its_ticket_is_filed(bench: Bench) -> None:
    run_id = start_by_hand("patch", Wish(), site=bench.site)
    bench = bench.but(control_path=no_place)

    bench.play_out(run_id)

    ended = bench.site.store.read(lambda c: runs.get(c, run_id))
    assert (ended.verdict, TOO_LONG in ended.reason) == (Verdict.MISCONFIGURED, True)
    assert titles(bench) == [
        'The planned work "Updates of all servers" could not be started: its instructions are wrong or incomplete'
    ]


def test_a_run_whose_snapshot_was_damaged_is_settled(bench: Bench) -> None:
    run_id = start_by_hand("patch", Wish(), site=bench.site)
    snapshot = bench.site.store.read(lambda c: runs.get(c, run_id)).snapshot
    bench.site.snapshotted.answer(snapshot, "production")  # its hosts were asked for before
    bench.site.snapshotted.definitions.clear()
    folder = bench.site.snapshotted.path(snapshot)
    folder.chmod(0o755)
    shutil.move(folder / "wellkept.yml", folder.with_name("gone"))

    bench.play_out(run_id)

    ended = bench.site.store.read(lambda c: runs.get(c, run_id))
    assert ended.verdict is Verdict.MISCONFIGURED
    assert "wellkept.yml" in ended.reason


def test_a_check_afterwards_that_cannot_start_leaves_no_host_green(bench: Bench) -> None:
    def is_afterwards(order: PieceOrder) -> bool:
        return order.playbook == LOOK and any(each.playbook != LOOK for each in bench.ansible.orders)

    bench.ansible.before_start = refuse(UsageError(TOO_LONG), when=is_afterwards)

    ended = run(bench)

    assert ended.verdict is Verdict.HALTED
    assert "the check after the playbook could not be run" in ended.reason
    assert Result.CHANGED not in {result for result, _ in reasons(bench, ended)}


def test_the_masters_and_the_leash_of_a_piece_that_cannot_start_are_ended_first(bench: Bench) -> None:
    bench.ansible.before_start = refuse(OSError(11, "Resource temporarily unavailable"))

    ended = run(bench)

    assert bench.ansible.finished[0] == ended.id


class Half(Ansible):
    """Had begun when it broke: the spool tells of it, or its processes are still there."""

    told: bool = True
    gone: bool = True

    def start(self, order: PieceOrder) -> object:  # type: ignore[override]
        if self.told:
            self.spooled[order.folder.name] = [Event(1, 10, EventKind.PLAY, SATURDAY_NIGHT)]
        raise OSError("the leash was lost")

    def finish_run(self, run: str, control_path: Path) -> bool:
        return self.gone


@pytest.mark.parametrize(("told", "gone"), [(True, True), (False, False)])
def test_what_may_have_begun_is_left_to_whoever_takes_it_over(bench: Bench, told: bool, gone: bool) -> None:
    half = Half()
    half.told, half.gone = told, gone
    bench = bench.but(executor=half)
    run_id = start_by_hand("patch", Wish(), site=bench.site)

    bench.tick()

    (piece,) = bench.site.store.read(lambda c: pieces.of_run(c, run_id))
    assert piece.state is PieceState.CLAIMED
    assert bench.site.store.read(lambda c: runs.get(c, run_id)).verdict is None


def test_without_a_place_for_sockets_nothing_begins_and_the_plan_says_so(bench: Bench) -> None:
    bench = bench.but(control_path=no_place)

    with pytest.raises(Held, match="too long for ssh's sockets"):
        start_by_hand("patch", Wish(), site=bench.site)

    assert bench.site.store.read(runs.live) == []
