"""An emergency change runs at once by its own rules, and somebody reviews it afterwards."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from runner.domain.execution.run import Trigger
from runner.domain.tickets.ticket import TicketKind, TicketState
from runner.domain.who import Actor
from runner.errors import UsageError
from runner.operations.execution.follow_up import follow_up
from runner.operations.execution.start_run import Wish, start_by_hand
from runner.operations.tickets.work_on_ticket import Deed, Work, work_on_ticket
from runner.operations.time.plan_once import Wanted, plan_once
from runner.store.execution import runs
from runner.store.tickets import tickets
from runner.store.tickets.tickets import Ticket
from tests.operations.a_site import WINDOWS, Bench, a_bench
from tests.operations.approvals import NORMAL, PEOPLE, approved_by, approved_by_hand

FREEZE = """freezes:
  - {name: fair, from: "2026-03-20T00:00+00:00", to: "2026-03-25T00:00+00:00", allow: [emergency, read_only]}
"""
EMERGENCY = NORMAL.replace("normal", "emergency")


def reviews(bench: Bench) -> list[Ticket]:
    return [each for each in bench.site.store.read(tickets.live) if each.kind is TicketKind.REVIEW]


def run_it(bench: Bench, wish: Wish | None = None) -> str:
    run = start_by_hand("patch", wish or Wish(), site=bench.site)
    bench.play_out(run)
    follow_up(site=bench.site)
    return run


def test_it_passes_a_freeze_that_allows_it_without_anybodys_approval_and_asks_for_a_review(tmp_path: Path) -> None:
    bench = a_bench(tmp_path, schedule=EMERGENCY, settings=PEOPLE, windows=WINDOWS + FREEZE)

    run_it(bench)

    (ticket,) = reviews(bench)
    assert ticket.title == "Review the emergency change 'Updates of all servers' of run 1"
    assert ticket.owner == "ana", "nobody else is said to approve, so it is the owner's"


def test_the_review_is_for_the_team_that_may_approve(tmp_path: Path) -> None:
    settings = PEOPLE.replace("teams: {", "teams: {board: {members: [cem], may: [approve]}, ")
    bench = a_bench(tmp_path, schedule=EMERGENCY, settings=settings)

    run_it(bench)

    assert [ticket.owner for ticket in reviews(bench)] == ["board"]


def test_a_person_resolves_it_by_saying_what_the_review_came_to_and_no_later_run_does(tmp_path: Path) -> None:
    bench = a_bench(tmp_path, schedule=EMERGENCY, settings=PEOPLE)
    run_it(bench)
    (first,) = reviews(bench)
    run_it(bench)
    again = {"by": Actor("bob"), "store": bench.site.store, "clock": bench.time}

    with pytest.raises(UsageError, match=r"is a review, which has no cause and no fix\. Say what was done"):
        work_on_ticket(str(first.number), Work(Deed.RESOLVE, cause="x", fix="y"), **again)  # type: ignore[arg-type]
    done = work_on_ticket(str(first.number), Work(Deed.RESOLVE, text="It could not wait."), **again)  # type: ignore[arg-type]

    assert done.state is TicketState.RESOLVED
    assert [ticket.number for ticket in reviews(bench)] != [first.number]
    assert len(reviews(bench)) == 1, "each run is reviewed by itself"


def test_check_mode_and_other_changes_ask_for_no_review(tmp_path: Path) -> None:
    bench = a_bench(tmp_path / "one", schedule=EMERGENCY, settings=PEOPLE)
    run_it(bench, Wish(check_mode=True))
    normal = a_bench(tmp_path / "two", schedule=NORMAL, settings=PEOPLE)
    approved_by_hand("bob", normal)
    run_it(normal)

    assert reviews(bench) == reviews(normal) == []


def test_an_emergency_that_was_planned_once_runs_unapproved_and_is_reviewed(tmp_path: Path) -> None:
    bench = a_bench(tmp_path, schedule=NORMAL, settings=PEOPLE, windows=WINDOWS + FREEZE)
    at = bench.time.now + timedelta(hours=1)
    wanted = Wanted(playbook="playbooks/patch.yml", hosts="web", at=at, span="2h", why="hole", emergency=True)
    plan = plan_once(wanted, site=bench.site)
    bench.time.now = at

    bench.tick()
    bench.tick()

    (run,) = [
        each for each in bench.site.store.read(lambda c: runs.recent(c, 9)) if each.schedule == plan.schedule.name
    ]
    assert (run.trigger, run.approval_id) == (Trigger.ONCE, None)
    bench.play_out(run.id)
    follow_up(site=bench.site)
    assert [ticket.schedule for ticket in reviews(bench)] == [plan.schedule.name]


def test_what_is_planned_once_needs_another_persons_word_where_standard_changes_do(tmp_path: Path) -> None:
    """Who planned it is who asked for it, whoever owns other schedules."""
    settings = f"{PEOPLE}boundaries: {{approval: {{standard: other}}}}\n"
    bench = a_bench(tmp_path, schedule=NORMAL, settings=settings)
    at = bench.time.now + timedelta(hours=1)
    name = plan_once(
        Wanted(playbook="playbooks/patch.yml", hosts="web", at=at, span="2h", why="a new key"), site=bench.site
    ).schedule.name

    with pytest.raises(UsageError, match="ana answers for"):
        approved_by("ana", bench, name)
    approval = approved_by("bob", bench, name)
    bench.time.now = at
    bench.tick()

    (run,) = [each for each in bench.site.store.read(lambda c: runs.recent(c, 9)) if each.schedule == name]
    assert run.approval_id == approval.id
