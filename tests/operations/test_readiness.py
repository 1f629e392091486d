"""The look ahead of a slot: when it is made, what it touches, and what it says when the slot is due."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from runner.domain.execution.outcome import NotRun, Result
from runner.domain.execution.run import SlotState, Trigger, Verdict
from runner.errors import Held, UsageError
from runner.operations.drain_work import drain_work
from runner.operations.execution.continue_run import continue_run
from runner.operations.execution.plan_occurrence import Asking, plan_occurrence
from runner.operations.execution.start_readiness import start_readiness_by_hand
from runner.operations.execution.start_run import Wish, start_by_hand
from runner.ports import PieceOrder
from runner.store.execution import debts, outcomes, runs
from runner.store.tickets import tickets
from runner.store.time import slots
from tests.operations.a_site import HOSTS, LOOK, SCHEDULE, Bench, all_well
from tests.operations.conftest import Lay

READY = "- {name: Ready, hosts: all, tasks: [{name: Enough room, ansible.builtin.command: df}]}\n"
AHEAD = SCHEDULE + "before: [playbooks/ready.yml]\nreadiness: {before: 1d}\n"
THURSDAY = datetime(2026, 3, 19, 12, 0, tzinfo=UTC)
FRIDAY_NIGHT = datetime(2026, 3, 20, 22, 0, tzinfo=UTC)
OPENING = datetime(2026, 3, 21, 22, 0, tzinfo=UTC)


@pytest.fixture
def ahead(lay: Lay) -> Bench:
    """A schedule with readiness, its slots written, three days before its window opens."""
    bench = lay(schedule=AHEAD, ready=READY)
    bench.time.now = THURSDAY
    bench.tick()
    return bench


def at(bench: Bench, moment: datetime) -> None:
    """Beats at a moment until nothing is left to do."""
    bench.time.now = moment
    for _ in range(12):
        bench.tick()


def made(bench: Bench) -> list[runs.Run]:
    return bench.site.store.read(lambda c: list(reversed(runs.recent(c, 20))))


def looks(bench: Bench) -> list[runs.Run]:
    return [run for run in made(bench) if run.trigger is Trigger.READINESS]


def slot(bench: Bench) -> slots.Slot:
    return bench.site.store.read(lambda c: slots.between(c, OPENING, OPENING + timedelta(hours=1)))[0]


def results(bench: Bench, run: runs.Run) -> dict[str, tuple[Result, NotRun | None]]:
    rows = bench.site.store.read(lambda c: outcomes.of_run(c, run.id))
    return {row.host: (row.result.result, row.result.reason) for row in rows}


def played(bench: Bench) -> set[str]:
    return {order.playbook.name for order in bench.ansible.orders}


def not_fit(*hosts: str) -> object:
    return lambda order, host: (
        "failed" if order.playbook.name == "ready.yml" and host in hosts else all_well(order, host)
    )


def test_a_day_ahead_every_host_is_looked_at_and_nothing_is_changed(ahead: Bench) -> None:
    at(ahead, FRIDAY_NIGHT)

    (run,) = looks(ahead)
    assert (run.verdict, run.title) == (Verdict.SUCCEEDED, "Readiness: Updates of all servers")
    assert results(ahead, run) == dict.fromkeys(HOSTS, (Result.OK, None))
    assert played(ahead) == {LOOK.name, "ready.yml"}
    assert not any(order.check for order in ahead.ansible.orders)
    assert slot(ahead).state is SlotState.PLANNED


def test_it_is_made_once_for_a_slot_and_not_before_its_time(ahead: Bench) -> None:
    at(ahead, FRIDAY_NIGHT - timedelta(minutes=1))
    early = looks(ahead)
    for hours in (0, 1, 23):
        at(ahead, FRIDAY_NIGHT + timedelta(hours=hours))

    assert early == []
    assert len(looks(ahead)) == 1


def test_it_is_made_late_when_the_scheduler_was_down(ahead: Bench) -> None:
    at(ahead, OPENING - timedelta(minutes=20))

    assert [run.verdict for run in looks(ahead)] == [Verdict.SUCCEEDED]


def test_it_is_never_made_once_the_slot_has_opened_and_that_holds_nothing(ahead: Bench) -> None:
    at(ahead, OPENING)

    assert [run.trigger for run in made(ahead)] == [Trigger.SLOT]
    assert made(ahead)[0].verdict is Verdict.SUCCEEDED


def test_the_night_runs_and_decides_each_host_again_when_some_were_not_ready(ahead: Bench) -> None:
    ahead.ansible.script = not_fit("web-02")  # type: ignore[assignment]
    at(ahead, FRIDAY_NIGHT)
    ahead.ansible.script = all_well

    at(ahead, OPENING)

    look, night = made(ahead)
    assert look.verdict is Verdict.DEGRADED
    assert results(ahead, look)["web-02"] == (Result.NOT_RUN, NotRun.PRE_CHECK)
    assert (night.verdict, results(ahead, night)["web-02"][0]) == (Verdict.SUCCEEDED, Result.CHANGED)


def test_when_no_host_was_ready_the_slot_is_held_with_the_way_out(ahead: Bench) -> None:
    ahead.ansible.script = not_fit(*HOSTS)  # type: ignore[assignment]
    at(ahead, FRIDAY_NIGHT)
    ahead.ansible.script = all_well

    at(ahead, OPENING)

    holds = plan_now(ahead)
    assert [run.trigger for run in made(ahead)] == [Trigger.READINESS]
    assert slot(ahead).state is SlotState.DUE
    assert len(holds) == 1
    assert holds[0].startswith("readiness run 1 found no host ready (db-01: package broken; ")
    assert holds[0].endswith("Mend that, then look again: wellkept run patch --readiness")


def plan_now(bench: Bench) -> list[str]:
    plan = plan_occurrence("patch", Asking(bench.time.now), definitions=bench.site.current(), site=bench.site)
    return [hold.reason for hold in plan.holds if hold.guard == "readiness"]


def test_another_look_by_hand_lets_the_held_slot_go_on(ahead: Bench) -> None:
    ahead.ansible.script = not_fit(*HOSTS)  # type: ignore[assignment]
    at(ahead, FRIDAY_NIGHT)
    at(ahead, OPENING)
    ahead.ansible.script = all_well

    ahead.play_out(start_readiness_by_hand("patch", site=ahead.site))
    at(ahead, OPENING + timedelta(minutes=5))

    assert [(run.trigger, run.verdict) for run in made(ahead)] == [
        (Trigger.READINESS, Verdict.HALTED),
        (Trigger.READINESS, Verdict.SUCCEEDED),
        (Trigger.SLOT, Verdict.SUCCEEDED),
    ]


def test_a_look_that_could_not_be_made_holds_the_slot(ahead: Bench) -> None:
    ahead.ansible.problem = "the playbook could not be read"
    at(ahead, FRIDAY_NIGHT)
    ahead.ansible.problem = ""

    at(ahead, OPENING)

    assert [(run.trigger, run.verdict) for run in made(ahead)] == [(Trigger.READINESS, Verdict.MISCONFIGURED)]
    assert plan_now(ahead)[0].startswith("readiness run 1 could not be made: the playbook could not be read")


def test_a_host_that_is_not_ready_has_one_ticket_the_day_before_and_at_night(ahead: Bench) -> None:
    ahead.ansible.script = not_fit("web-02")  # type: ignore[assignment]
    at(ahead, FRIDAY_NIGHT)
    before = ahead.site.store.read(tickets.live)
    at(ahead, OPENING)

    after = ahead.site.store.read(tickets.live)
    assert [(ticket.hosts, ticket.count) for ticket in before] == [(("web-02",), 1)]
    assert [(ticket.id, ticket.count) for ticket in after] == [(before[0].id, 2)]


def test_a_look_that_finds_a_host_fit_closes_the_ticket_about_that(ahead: Bench) -> None:
    ahead.ansible.script = not_fit("web-02")  # type: ignore[assignment]
    at(ahead, FRIDAY_NIGHT)
    opened = ahead.site.store.read(tickets.live)
    ahead.ansible.script = all_well

    ahead.play_out(start_readiness_by_hand("patch", site=ahead.site))

    assert len(opened) == 1
    assert ahead.site.store.read(tickets.live) == []


def test_a_look_closes_no_ticket_about_the_work_itself(ahead: Bench) -> None:
    ahead.ansible.script = breaks_at_work  # type: ignore[assignment]
    at(ahead, OPENING)
    opened = ahead.site.store.read(tickets.live)
    ahead.ansible.script = all_well

    ahead.play_out(start_readiness_by_hand("patch", site=ahead.site))

    left = ahead.site.store.read(tickets.live)
    assert [ticket.kind for ticket in opened] == ["failed"]
    assert [ticket.id for ticket in left] == [opened[0].id]


def breaks_at_work(order: PieceOrder, host: str) -> str:
    return "failed" if order.playbook.name == "patch.yml" else all_well(order, host)


def test_a_look_leaves_no_debt_and_says_nothing_about_how_long_hosts_take(ahead: Bench) -> None:
    ahead.ansible.script = not_fit("web-02")  # type: ignore[assignment]

    at(ahead, FRIDAY_NIGHT)

    assert ahead.site.store.read(lambda c: debts.of_schedule(c, "production", "patch")) == []
    asking = Asking(ahead.time.now)
    assert plan_occurrence("patch", asking, definitions=ahead.site.current(), site=ahead.site).estimates == {}


def test_a_look_under_way_never_keeps_the_slot_from_starting(ahead: Bench) -> None:
    ahead.time.now = OPENING - timedelta(seconds=5)
    ahead.ansible.while_running = lambda _piece: setattr(ahead.time, "now", OPENING)

    at(ahead, OPENING - timedelta(seconds=5))
    ahead.ansible.while_running = lambda _piece: None
    at(ahead, OPENING + timedelta(minutes=1))

    assert [run.trigger for run in made(ahead)] == [Trigger.READINESS, Trigger.SLOT]
    assert made(ahead)[0].reason == "the slot opened before every host was looked at"
    assert made(ahead)[1].verdict is Verdict.SUCCEEDED


def test_while_somebody_drains_it_waits(ahead: Bench) -> None:
    drain_work("new memory", by=ahead.site.actor, store=ahead.site.store, clock=ahead.time)

    at(ahead, FRIDAY_NIGHT)

    assert looks(ahead) == []


def test_an_override_passes_it_with_a_reason(ahead: Bench) -> None:
    ahead.ansible.script = not_fit(*HOSTS)  # type: ignore[assignment]
    at(ahead, FRIDAY_NIGHT)
    ahead.time.now = OPENING

    with pytest.raises(Held, match="found no host ready"):
        start_by_hand("patch", Wish(), site=ahead.site)
    run = start_by_hand("patch", Wish(override="it is exploited", until=OPENING + timedelta(hours=1)), site=ahead.site)

    assert ahead.site.store.read(lambda c: runs.get(c, run)).trigger is Trigger.HAND


def test_a_look_cannot_be_gone_on_with(ahead: Bench) -> None:
    ahead.ansible.script = not_fit("web-02")  # type: ignore[assignment]
    at(ahead, FRIDAY_NIGHT)

    with pytest.raises(UsageError, match="wellkept run patch --readiness"):
        continue_run(looks(ahead)[0], site=ahead.site)


def test_by_hand_one_look_at_a_time_and_only_where_the_schedule_wants_it(ahead: Bench, lay: Lay) -> None:
    start_readiness_by_hand("patch", site=ahead.site)

    with pytest.raises(Held, match="is going on already"):
        start_readiness_by_hand("patch", site=ahead.site)
    with pytest.raises(UsageError, match=r"readiness: \{before: 1d\}"):
        start_readiness_by_hand("patch", site=lay().site)


def test_a_change_that_needs_approval_is_looked_at_without_one(lay: Lay) -> None:
    bench = lay(schedule=AHEAD + "change: {type: normal}\n", ready=READY)
    bench.time.now = THURSDAY
    bench.tick()

    at(bench, FRIDAY_NIGHT)

    assert [run.verdict for run in looks(bench)] == [Verdict.SUCCEEDED]


def test_one_call_for_all_hosts_is_looked_at_host_by_host(lay: Lay) -> None:
    bench = lay(schedule=AHEAD + "split: whole\n", ready=READY)
    bench.ansible.script = not_fit("web-02")  # type: ignore[assignment]
    bench.time.now = THURSDAY
    bench.tick()

    at(bench, FRIDAY_NIGHT)

    assert looks(bench)[0].verdict is Verdict.DEGRADED
    assert results(bench, looks(bench)[0])["db-02"] == (Result.OK, None)
