"""A host that is left over window after window gets a ticket, is no longer put first, and stops nobody; the next good end closes the ticket."""

from __future__ import annotations

from datetime import timedelta

import pytest

from runner.domain.execution.run import Verdict
from runner.domain.tickets.plain_words import hard_words
from runner.domain.tickets.ticket import TicketKind, TicketState
from runner.domain.tickets.ticket_for_debt import OVERDUE
from runner.operations.execution.start_run import Wish, start_by_hand
from runner.store.execution import pauses, runs
from runner.store.tickets import tickets
from tests.operations.a_site import Bench, all_well
from tests.operations.conftest import Lay


@pytest.fixture
def bench(lay: Lay) -> Bench:
    return lay()


def run(bench: Bench, wish: Wish | None = None) -> runs.Run:
    run_id = start_by_hand("patch", wish or Wish(), site=bench.site)
    bench.play_out(run_id)
    bench.time.pass_by(timedelta(minutes=1))
    return bench.site.store.read(lambda c: runs.get(c, run_id))


def paused(bench: Bench, hosts: str) -> str:
    start = {"reason": "storage", "by": bench.site.actor, "at": bench.time.now, "hosts": hosts, "until": None}
    return bench.site.store.write(lambda c: pauses.start(c, **start))


def overdue(bench: Bench, state: TicketState = TicketState.OPEN) -> list[tickets.Ticket]:
    known = bench.site.store.read(tickets.every)
    return [ticket for ticket in known if ticket.kind is TicketKind.OVERDUE and ticket.state is state]


def test_a_host_that_is_left_over_four_times_gets_one_ticket(bench: Bench) -> None:
    paused(bench, "db-02")
    before = [run(bench) for _ in range(3)]
    none_yet = overdue(bench)

    fourth, fifth = run(bench), run(bench)

    (ticket,) = overdue(bench)
    assert none_yet == []
    assert ticket.hosts == ("db-02",)
    assert "left undone on db-02 for more than three of its dates" in ticket.title
    assert ticket.count == 2, "the fifth time is noted in the same ticket"
    assert {each.verdict for each in [*before, fourth, fifth]} == {Verdict.DEGRADED}, "the others are done each time"


def test_many_of_them_share_a_ticket(bench: Bench) -> None:
    paused(bench, "db")

    for _ in range(4):
        run(bench)

    (ticket,) = overdue(bench)
    assert ticket.hosts == ("db-01", "db-02")


def test_the_next_good_end_closes_it(bench: Bench) -> None:
    pause = paused(bench, "db-02")
    for _ in range(4):
        run(bench)
    bench.site.store.write(lambda c: pauses.end(c, pause, by=bench.site.actor, at=bench.time.now))

    run(bench)

    assert overdue(bench) == []
    assert len(overdue(bench, TicketState.RESOLVED)) == 1


def test_a_dead_host_has_the_ticket_of_its_trouble_and_no_second_one(bench: Bench) -> None:
    bench.ansible.script = lambda order, host: "unreachable" if host == "db-02" else all_well(order, host)

    verdicts = {run(bench).verdict for _ in range(5)}

    (ticket,) = bench.site.store.read(tickets.live)
    assert (ticket.kind, ticket.hosts) == (TicketKind.UNREACHABLE, ("db-02",))
    assert verdicts == {Verdict.DEGRADED}, "it never stops the others"


def test_check_mode_and_another_schedule_say_nothing(bench: Bench) -> None:
    paused(bench, "db-02")
    for _ in range(3):
        run(bench)

    run(bench, Wish(check_mode=True))

    assert overdue(bench) == []


def test_its_words_are_plain() -> None:
    assert [hard_words(text) for text in OVERDUE.texts.values()] == [[], [], [], []]
