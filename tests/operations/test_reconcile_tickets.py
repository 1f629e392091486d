"""Tickets after settled runs, on a real database: opened once, closed on proof, and never changed twice by one run."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from runner.domain.execution.outcome import HostResult, NotRun, Result
from runner.domain.execution.plan import PlannedWave, RunPlan
from runner.domain.execution.run import SlotState, Stage, Trigger, Verdict
from runner.domain.execution.schedule import Schedule
from runner.domain.record.record import piece_stream
from runner.domain.tickets.ticket import TicketKind, TicketState
from runner.domain.time.window import MaintenanceWindow
from runner.domain.who import SYSTEM, Actor
from runner.operations.tickets.reconcile_tickets import TicketChange, file_missed_slot, reconcile_tickets
from runner.store.database import Store, create
from runner.store.execution import definitions, outcomes, pieces, runs
from runner.store.record import log
from runner.store.tickets import tickets
from runner.store.time.slots import Slot

NIGHT = datetime(2026, 3, 21, 22, 0, tzinfo=UTC)
WEEK = timedelta(days=7)
ANA = Actor("ana")
TASK = "Install all updates"


@pytest.fixture(scope="module")
def new_installation(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state directory with a fresh database, made once by the migrations."""
    state_dir = tmp_path_factory.mktemp("new") / "var"
    create(f"sqlite:///{state_dir}/wellkept.db", state_dir=state_dir, now=NIGHT)
    return state_dir


@pytest.fixture
def store(new_installation: Path, tmp_path: Path) -> Iterator[Store]:
    state_dir = tmp_path / "var"
    shutil.copytree(new_installation, state_dir)
    opened = Store.open(f"sqlite:///{state_dir}/wellkept.db", state_dir=state_dir)
    opened.write(
        lambda c: definitions.keep(
            c, digest="d" * 64, kind="schedule", name="patch-web", body={"owner": "team-web"}, at=NIGHT
        )
    )
    yield opened
    opened.close()


def well(*hosts: str) -> dict[str, HostResult]:
    return {host: HostResult(host, Result.CHANGED) for host in hosts}


def broken(*hosts: str, package: str = "nginx") -> dict[str, HostResult]:
    text = f"dpkg: error processing package {package} (--configure):\n it failed"
    return {
        host: HostResult(
            host, Result.FAILED, cause="package_broken", text=text, task=TASK, module="ansible.builtin.apt"
        )
        for host in hosts
    }


def a_settled_run(
    store: Store,
    found: dict[str, HostResult],
    *,
    at: datetime = NIGHT,
    verdict: Verdict = Verdict.DEGRADED,
    schedule: str = "patch-web",
    playbook: str = "playbooks/patch.yml",
    check_mode: bool = False,
    did: dict[str, str] | None = None,
) -> str:
    """A run that ended with these outcomes; `did` are tasks per host that the record saw end well."""
    plan = RunPlan(schedule, "Patches", "production", playbook, tuple(found), (PlannedWave("rest"),), 10, 0)
    run = runs.NewRun(
        trigger=Trigger.SLOT,
        schedule=schedule,
        title=plan.title,
        definition="d" * 64,
        snapshot="s" * 64,
        plan=plan,
        plan_digest="p" * 64,
        requested_by=SYSTEM,
        created_at=at,
        check_mode=check_mode,
    )
    run_id = store.write(lambda c: runs.insert(c, run))
    store.write(lambda c: runs.start(c, run_id, at=at))
    if did:
        record_tasks(store, run_id, did)
    store.write(lambda c: outcomes.save(c, run_id, inventory="production", schedule=schedule, outcomes=found))
    store.write(lambda c: runs.settle(c, run_id, verdict=verdict, reason="", at=at + timedelta(hours=1)))
    return run_id


def record_tasks(store: Store, run_id: str, did: dict[str, str]) -> None:
    piece = store.write(
        lambda c: pieces.plan(c, run=run_id, wave=0, batch=1, stage=Stage.APPLY, step=0, attempt=1, hosts=tuple(did))
    )
    bodies = [{"action": "host_ok", "host": host, "task": task} for host, task in did.items()]
    store.write(lambda c: log.append(c, piece_stream(str(piece)), bodies, at=NIGHT))


def reconcile(store: Store, run_id: str, *, at: datetime | None = None) -> list[TicketChange]:
    when = at or store.read(lambda c: runs.get(c, run_id)).created_at + timedelta(hours=1)
    return reconcile_tickets(store, run_id, clock=lambda: when)


def actions(changes: list[TicketChange]) -> list[str]:
    return [change.action for change in changes]


def the_ticket(store: Store) -> tickets.Ticket:
    (ticket,) = store.read(tickets.every)
    return ticket


def history(store: Store, ticket: tickets.Ticket) -> list[tuple[str, str | None]]:
    return [(event.action, event.run_id) for event in store.read(lambda c: tickets.events(c, ticket.id))]


def test_a_failed_host_opens_a_ticket_that_names_run_owner_and_plain_words(store: Store) -> None:
    run = a_settled_run(store, {**well("web-01", "web-02", "web-04"), **broken("web-03")})

    changes = reconcile_tickets(store, run, clock=lambda: NIGHT, services={"web-03": "the web shop"})

    ticket = the_ticket(store)
    assert actions(changes) == ["opened"]
    assert (ticket.hosts, ticket.owner, ticket.kind) == (("web-03",), "team-web", TicketKind.FAILED)
    assert "The web shop" in ticket.plain_words.means
    assert history(store, ticket) == [("opened", run)]


def test_the_same_run_twice_changes_nothing(store: Store) -> None:
    run = a_settled_run(store, {**well("web-01"), **broken("web-03")})
    reconcile(store, run)
    before = (the_ticket(store), history(store, the_ticket(store)))

    again = reconcile(store, run)

    assert again == []
    assert (the_ticket(store), history(store, the_ticket(store))) == before


def test_a_run_that_is_still_going_on_changes_nothing(store: Store) -> None:
    settled = a_settled_run(store, broken("web-03"))
    going = replace(a_new_run(store, settled), created_at=NIGHT)
    run = store.write(lambda c: runs.insert(c, going))

    assert reconcile(store, run) == []


def a_new_run(store: Store, like: str) -> runs.NewRun:
    run = store.read(lambda c: runs.get(c, like))
    return runs.NewRun(
        trigger=run.trigger,
        schedule=run.schedule,
        title=run.title,
        definition=run.definition,
        snapshot=run.snapshot,
        plan=run.plan,
        plan_digest=run.plan_digest,
        requested_by=run.requested_by,
        created_at=run.created_at,
    )


def test_the_same_trouble_next_week_is_the_same_ticket(store: Store) -> None:
    reconcile(store, a_settled_run(store, broken("web-03")))

    changes = reconcile(store, a_settled_run(store, broken("web-03"), at=NIGHT + WEEK))

    assert actions(changes) == ["seen_again"]
    assert the_ticket(store).count == 2


def test_success_of_the_same_task_resolves_an_untouched_ticket(store: Store) -> None:
    reconcile(store, a_settled_run(store, broken("web-03")))

    mended = a_settled_run(store, well("web-03"), at=NIGHT + WEEK, did={"web-03": TASK})

    assert actions(reconcile(store, mended)) == ["resolved"]
    assert the_ticket(store).state is TicketState.RESOLVED
    assert actions(reconcile(store, mended)) == []


def test_a_run_that_left_the_task_out_proves_nothing(store: Store) -> None:
    reconcile(store, a_settled_run(store, broken("web-03")))

    skipped = a_settled_run(store, well("web-03"), at=NIGHT + WEEK, did={"web-03": "Find out which system this is"})

    assert reconcile(store, skipped) == []
    assert the_ticket(store).state is TicketState.OPEN


def test_a_ticket_that_a_person_touched_is_told_once_and_stays_open(store: Store) -> None:
    reconcile(store, a_settled_run(store, broken("web-03")))
    store.write(lambda c: tickets.acknowledge(c, the_ticket(store).id, at=NIGHT, actor=ANA))

    first = reconcile(store, a_settled_run(store, well("web-03"), at=NIGHT + WEEK))
    second = reconcile(store, a_settled_run(store, well("web-03"), at=NIGHT + 2 * WEEK))

    assert (actions(first), actions(second)) == (["commented"], [])
    assert the_ticket(store).state is TicketState.ACKNOWLEDGED


def test_a_trouble_that_comes_back_within_a_week_reopens_its_ticket_and_a_later_one_opens_another(store: Store) -> None:
    reconcile(store, a_settled_run(store, broken("web-03")))
    reconcile(store, a_settled_run(store, well("web-03"), at=NIGHT + timedelta(days=1)))

    back = reconcile(store, a_settled_run(store, broken("web-03"), at=NIGHT + timedelta(days=3)))
    reconcile(store, a_settled_run(store, well("web-03"), at=NIGHT + timedelta(days=4)))
    later = reconcile(store, a_settled_run(store, broken("web-03"), at=NIGHT + timedelta(days=40)))

    assert (actions(back), actions(later)) == (["reopened"], ["opened"])
    assert [ticket.reopened for ticket in store.read(tickets.every)] == [1, 0]


def test_a_run_from_before_the_resolution_is_noted_and_reopens_nothing(store: Store) -> None:
    reconcile(store, a_settled_run(store, broken("web-03")))
    late = a_settled_run(store, broken("web-03"), at=NIGHT + timedelta(minutes=5))
    after = NIGHT + timedelta(minutes=30)
    store.write(lambda c: tickets.resolve(c, the_ticket(store).id, at=after, actor=ANA, text="mended"))

    changes = reconcile(store, late)

    assert actions(changes) == ["commented"]
    assert the_ticket(store).state is TicketState.RESOLVED


def test_many_hosts_are_one_ticket_and_a_single_one_of_them_next_week_is_still_that_ticket(store: Store) -> None:
    fleet = [f"web-{n:02}" for n in range(1, 21)]
    reconcile(store, a_settled_run(store, broken(*fleet[:6]) | well(*fleet[6:])))

    changes = reconcile(store, a_settled_run(store, broken(fleet[0]) | well(*fleet[1:]), at=NIGHT + WEEK))

    assert actions(changes) == ["seen_again"]
    assert the_ticket(store).hosts == tuple(fleet[:6])


def test_a_ticket_for_many_hosts_closes_with_the_last_of_them(store: Store) -> None:
    fleet = [f"web-{n:02}" for n in range(1, 11)]
    reconcile(store, a_settled_run(store, broken(*fleet[:5]) | well(*fleet[5:])))

    some = reconcile(store, a_settled_run(store, well(*fleet[1:]), at=NIGHT + WEEK))
    every = reconcile(store, a_settled_run(store, well(*fleet), at=NIGHT + 2 * WEEK))

    assert (actions(some), actions(every)) == (["commented"], ["resolved"])


def test_a_storm_makes_a_few_tickets(store: Store) -> None:
    fleet = [f"web-{n:03}" for n in range(300)]
    dead = {host: HostResult(host, Result.UNREACHABLE, touched=False, cause="unreachable", text=host) for host in fleet}

    reconcile(store, a_settled_run(store, {**dead, **broken("db-1")}, verdict=Verdict.FAILED))

    assert sorted(len(ticket.hosts) for ticket in store.read(tickets.every)) == [1, 300]


def test_a_run_in_check_mode_files_and_closes_nothing(store: Store) -> None:
    reconcile(store, a_settled_run(store, broken("web-03")))

    tried = a_settled_run(store, {**well("web-03"), **broken("web-04")}, at=NIGHT + WEEK, check_mode=True)

    assert reconcile(store, tried) == []


def test_a_flapping_trouble_is_left_open_for_a_person(store: Store) -> None:
    for day in range(0, 7, 2):
        reconcile(store, a_settled_run(store, broken("web-03"), at=NIGHT + timedelta(days=day)))
        last = reconcile(store, a_settled_run(store, well("web-03"), at=NIGHT + timedelta(days=day + 1)))

    assert the_ticket(store).reopened == 3
    assert actions(last) == ["commented"]
    assert the_ticket(store).state is TicketState.OPEN


def test_hosts_that_only_have_to_wait_file_nothing(store: Store) -> None:
    waiting = {"web-01": HostResult("web-01", Result.NOT_RUN, touched=False, reason=NotRun.NO_ROOM)}

    assert reconcile(store, a_settled_run(store, waiting | well("web-02"))) == []


def a_missed_slot(day: int) -> Slot:
    opens = datetime(2026, 3, day, 22, 0, tzinfo=UTC)
    closes = opens + timedelta(hours=4)
    return Slot(
        id=f"slot-{day}",
        schedule="patch-web",
        rule_date=date(2026, 3, day),
        ordinal=0,
        opens_at=opens,
        closes_at=closes,
        usable_from=opens,
        usable_until=closes,
        last_start_at=closes,
        window="night",
        definition="d",
        state=SlotState.SETTLED,
        outcome="missed",
    )


def missed(store: Store, day: int) -> TicketChange | None:
    window = MaintenanceWindow("night")
    schedule = Schedule("patch-web", "Patches", "playbooks/patch.yml", "production", "web", window, owner="team-web")
    at = datetime(2026, 3, day + 1, tzinfo=UTC)
    return file_missed_slot(store, a_missed_slot(day), schedule, reason="the scheduler was down", clock=lambda: at)


def test_missed_slots_are_one_ticket_and_the_next_run_resolves_it(store: Store) -> None:
    first, same, second = missed(store, 7), missed(store, 7), missed(store, 14)

    assert [change and change.action for change in (first, same, second)] == ["opened", None, "seen_again"]
    assert the_ticket(store).owner == "team-web"

    changes = reconcile(store, a_settled_run(store, well("web-01"), verdict=Verdict.SUCCEEDED))

    assert actions(changes) == ["resolved"]
