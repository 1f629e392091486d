"""Hosts that failed are tried again and rolled back, and everybody who asks is told so."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import timedelta

import pytest

from runner.domain.execution.outcome import Result
from runner.domain.execution.run import Stage, Verdict
from runner.operations.execution.follow_run import news
from runner.operations.execution.plan_occurrence import Asking, plan_occurrence
from runner.operations.execution.run_piece import run_piece
from runner.operations.execution.show_run import RunShown, show_run
from runner.operations.execution.start_run import Wish, start_by_hand
from runner.operations.execution.stop_run import stop_run
from runner.ports import PieceOrder
from runner.store.execution import outcomes, pieces, runs
from runner.store.tickets import tickets
from tests.operations.a_site import LOOK, PLAYBOOK, SCHEDULE, Bench, all_well
from tests.operations.conftest import Lay

ALL = SCHEDULE + "waves: [{name: all}]\nfailure_budget: 2\n"
RETRY = ALL + "on_failure: {retry: {transient: 1, after: 2m}}\n"
ROLLBACK = ALL + "on_failure: {rollback: playbooks/rollback.yml}\n"
BACK = PLAYBOOK.replace("Upgrade", "Go back")
SCRIPT = Callable[[PieceOrder, str], str]


@pytest.fixture
def undoing(lay: Lay) -> Bench:
    return lay(schedule=ROLLBACK, rollback=BACK)


def first_time(host: str, fate: str) -> SCRIPT:
    """The schedule's playbook ends on one host as told, the first time that it is called."""
    calls = Counter[str]()

    def script(order: PieceOrder, who: str) -> str:
        if order.playbook.name != "patch.yml" or who != host:
            return all_well(order, who)
        calls[order.piece] += 1
        return fate if len(calls) == 1 else "changed"

    return script


def failing(playbook: str, *names: str) -> SCRIPT:
    return lambda order, host: "failed" if order.playbook.name == playbook and host in names else all_well(order, host)


def run(bench: Bench) -> str:
    found = start_by_hand("patch", Wish(), site=bench.site)
    bench.play_out(found)
    return found


def shown(bench: Bench, found: str) -> RunShown:
    return show_run(found, store=bench.site.store)


def of_host(bench: Bench, found: str, host: str) -> outcomes.HostOutcome:
    return next(row for row in bench.site.store.read(lambda c: outcomes.of_run(c, found)) if row.host == host)


def test_a_package_lock_is_waited_for_and_the_run_goes_well(lay: Lay) -> None:
    bench = lay(schedule=RETRY)
    bench.ansible.script = first_time("web-02", "locked")
    began = bench.time.now

    found = run(bench)

    assert bench.ansible.played() == [("web-01", "web-02", "web-03", "db-01", "db-02"), ("web-02",)]
    assert bench.time.now >= began + timedelta(minutes=2)
    assert bench.site.store.read(lambda c: runs.get(c, found)).verdict is Verdict.SUCCEEDED
    row = of_host(bench, found, "web-02")
    assert (row.result.result, row.attempts) == (Result.CHANGED, 2)
    assert bench.site.store.read(tickets.live) == []


def test_every_attempt_is_told(lay: Lay) -> None:
    bench = lay(schedule=RETRY)
    bench.ansible.script = first_time("web-02", "locked")

    found = run(bench)

    told = [line.text for line in news(bench.site.store.read(lambda c: runs.get(c, found)), set(), site=bench.site)]
    assert "all: web-02 changed" in told
    assert [host.attempts for host in shown(bench, found).hosts if host.host == "web-02"] == [2]
    tries = [(piece.attempt, piece.hosts) for piece in shown(bench, found).pieces if piece.stage == "apply"]
    assert tries == [(1, ("web-01", "web-02", "web-03", "db-01", "db-02")), (2, ("web-02",))]


def test_what_fails_every_time_is_tried_so_often_and_no_more(lay: Lay) -> None:
    bench = lay(schedule=RETRY.replace("transient: 1", "transient: 2"))
    bench.ansible.script = lambda order, host: (
        "locked" if order.playbook.name == "patch.yml" and host == "db-01" else all_well(order, host)
    )

    found = run(bench)

    row = of_host(bench, found, "db-01")
    assert (row.result.result, row.result.cause, row.attempts) == (Result.FAILED, "package_lock", 3)


def test_a_failed_host_is_rolled_back_and_the_record_says_what_is_there_now(undoing: Bench) -> None:
    undoing.ansible.script = failing("patch.yml", "web-02")

    found = run(undoing)

    back = [order.limit for order in undoing.ansible.orders if order.playbook.name == "rollback.yml"]
    row = of_host(undoing, found, "web-02")
    assert back == [("web-02",)]
    assert (row.result.result, row.rollback and row.rollback["result"]) == (Result.FAILED, "changed")
    assert of_host(undoing, found, "web-01").rollback is None
    last = [
        piece for piece in undoing.site.store.read(lambda c: pieces.of_run(c, found)) if piece.stage is Stage.ROLLBACK
    ]
    assert [piece.step for piece in last] == [0, 1, 2]
    assert undoing.ansible.orders[-1].playbook == LOOK
    assert next(host.rollback for host in shown(undoing, found).hosts if host.host == "web-02") == "rolled back"


def test_a_rollback_that_fails_is_told_on_the_screen_and_in_the_ticket(undoing: Bench) -> None:
    by_patch, by_back = failing("patch.yml", "web-02"), failing("rollback.yml", "web-02")
    undoing.ansible.script = lambda order, host: (by_back if order.playbook.name == "rollback.yml" else by_patch)(
        order, host
    )

    found = run(undoing)

    told = next(host.rollback for host in shown(undoing, found).hosts if host.host == "web-02")
    (ticket,) = undoing.site.store.read(tickets.live)
    assert told == "rollback failed: dpkg: error processing package nginx (--configure)"
    assert "The rollback of web-02 failed." in ticket.words["done"]


def test_a_ticket_says_that_its_host_was_rolled_back(undoing: Bench) -> None:
    undoing.ansible.script = failing("patch.yml", "web-02")

    run(undoing)

    (ticket,) = undoing.site.store.read(tickets.live)
    assert "We rolled back web-02." in ticket.words["done"]


def test_a_rollback_that_does_not_name_the_host_has_failed(undoing: Bench) -> None:
    fails = failing("patch.yml", "web-02")
    undoing.ansible.script = lambda order, host: (
        "absent" if order.playbook.name == "rollback.yml" else fails(order, host)
    )

    found = run(undoing)

    rollback = of_host(undoing, found, "web-02").rollback
    assert rollback
    assert (rollback["result"], rollback["text"]) == ("failed", "no play of the rollback names this host")


def test_a_cancel_ends_a_planned_rollback_before_it_begins(undoing: Bench) -> None:
    undoing.ansible.script = failing("patch.yml", "web-02")
    found = start_by_hand("patch", Wish(), site=undoing.site)
    planned = undoing.site.store.write(
        lambda c: pieces.plan(c, run=found, wave=0, batch=1, stage=Stage.ROLLBACK, step=0, attempt=1, hosts=("web-02",))
    )
    assert planned

    stop_run(found, immediately=True, store=undoing.site.store, by=undoing.site.actor, clock=undoing.site.clock)
    run_piece(planned, site=undoing.site)

    assert undoing.ansible.orders == []


def test_nothing_is_rolled_back_in_check_mode(undoing: Bench) -> None:
    undoing.ansible.script = failing("patch.yml", "web-02")
    found = start_by_hand("patch", Wish(check_mode=True), site=undoing.site)

    undoing.play_out(found)

    assert of_host(undoing, found, "web-02").rollback is None


def test_the_rollback_is_part_of_what_is_approved(undoing: Bench) -> None:
    def digest() -> str:
        plan = plan_occurrence("patch", Asking(undoing.time.now), definitions=undoing.site.current(), site=undoing.site)
        return plan.digest

    before = digest()
    (undoing.site.root / "playbooks" / "rollback.yml").write_text(BACK.replace("Go back", "Go far back"))

    assert digest() != before
