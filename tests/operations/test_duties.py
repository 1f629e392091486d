"""Duties of people: asked for by a ticket when their window opens, settled by a person's word or as missed when it closes."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from runner.domain.execution.run import SlotOutcome, SlotState
from runner.domain.record.record import INSTALLATION
from runner.domain.tickets.ticket import TicketKind, TicketState
from runner.domain.who import Actor
from runner.errors import UsageError
from runner.operations.execution.plan_occurrence import Asking, plan_occurrence
from runner.operations.execution.start_run import Wish, start_by_hand
from runner.operations.summarise_status import due_slots
from runner.operations.tickets.work_on_ticket import Deed, Work, work_on_ticket
from runner.operations.time.inventoried import read_inventories
from runner.operations.time.keep_ledger import keep_ledger
from runner.operations.time.list_openings import list_openings
from runner.operations.time.look_at_hosts import look_at_hosts
from runner.operations.time.plan_duty import DutyPlan, plan_duty
from runner.operations.time.publish_openings import publish_openings
from runner.operations.time.waive_slot import Asked, waive_slot
from runner.store.execution import pauses, runs
from runner.store.record import log
from runner.store.tickets import outbox, tickets
from runner.store.time import slots
from tests.operations.a_site import SCHEDULE, WINDOWS, Bench
from tests.operations.conftest import Lay

DUTY = """\
schedule: rehearsal
title: Restore rehearsal
why: A backup that was never restored is a hope.
kind: manual
window: saturday-night
"""
OPENS = datetime(2026, 3, 21, 22, 0, tzinfo=UTC)
CLOSES = datetime(2026, 3, 22, 4, 0, tzinfo=UTC)
BEFORE = OPENS - timedelta(hours=3)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def duty(lay: Lay) -> Bench:
    """A site whose only schedule is a duty, with its slots written ahead."""
    return ahead(lay(schedule=DUTY))


def ahead(bench: Bench) -> Bench:
    bench.time.now = BEFORE
    keep_ledger(bench.site.current(), site=bench.site, kept=bench.kept)
    return bench


def at(bench: Bench, moment: datetime) -> slots.Slot:
    """One beat at that moment, and the slot as it is afterwards."""
    bench.time.now = moment
    bench.tick()
    return slot_of(bench)


def slot_of(bench: Bench) -> slots.Slot:
    return bench.site.store.read(lambda c: slots.between(c, BEFORE, OPENS + timedelta(days=1), ["rehearsal"]))[0]


def every_ticket(bench: Bench) -> list[tickets.Ticket]:
    return bench.site.store.read(tickets.every)


def history(bench: Bench, number: int = 1) -> list[tuple[str, str]]:
    found = bench.site.store.read(lambda c: tickets.events(c, tickets.find(c, str(number)).id))
    return [(event.action, event.text) for event in found]


def resolve(bench: Bench, moment: datetime, said: str = "restored in 40 minutes", number: int = 1) -> None:
    bench.time.now = moment
    work = Work(Deed.RESOLVE, said)
    work_on_ticket(str(number), work, by=Actor("ana"), store=bench.site.store, clock=bench.time)


def test_a_ticket_says_in_plain_words_what_is_to_be_done_when_the_window_opens(duty: Bench) -> None:
    slot = at(duty, OPENS)

    (ticket,) = every_ticket(duty)
    assert (slot.state, slot.outcome, slot.hosts) == (SlotState.DUE, None, ())
    assert (ticket.kind, ticket.state, ticket.owner) == (TicketKind.DUTY, TicketState.OPEN, "ops")
    assert ticket.title == "Restore rehearsal, until Sun 2026-03-22 04:00 UTC"
    words = ticket.plain_words
    assert words.happened == (
        'It is time for "Restore rehearsal", a duty that a person does. A backup that was never restored is a hope.'
    )
    assert "before Sun 2026-03-22 04:00 UTC" in words.means
    assert "wellkept tickets resolve NUMBER --done 'what was done'" in words.needed


def test_nobody_is_asked_before_the_opening(duty: Bench) -> None:
    assert at(duty, OPENS - timedelta(seconds=1)).state is SlotState.PLANNED
    assert every_ticket(duty) == []


def test_who_says_in_the_window_that_it_is_done_settles_the_slot_with_name_and_words(duty: Bench) -> None:
    at(duty, OPENS)

    resolve(duty, OPENS + timedelta(hours=2))

    slot = at(duty, CLOSES)
    assert (slot.state, slot.outcome) == (SlotState.SETTLED, SlotOutcome.DONE)
    assert (slot.reason, slot.settled_at) == ("done by ana: restored in 40 minutes", OPENS + timedelta(hours=2))
    assert history(duty)[-1] == ("resolved", "Done: restored in 40 minutes")
    told = [entry.content for entry in duty.site.store.read(lambda c: list(log.entries(c, INSTALLATION)))]
    assert [(each["outcome"], each["by"]) for each in told if each["action"] == "slot.settled"] == [("done", "ana")]


def test_a_duty_that_nobody_did_is_missed_when_its_window_closes_and_its_one_ticket_says_so(duty: Bench) -> None:
    at(duty, OPENS)
    assert at(duty, CLOSES - timedelta(seconds=1)).state is SlotState.DUE

    slot = at(duty, CLOSES)

    (ticket,) = every_ticket(duty)
    assert (slot.outcome, slot.reason) == (
        SlotOutcome.MISSED,
        "nobody had said that it was done when its window closed",
    )
    assert (ticket.state, ticket.count) == (TicketState.OPEN, 1)
    action, text = history(duty)[-1]
    assert action == "missed"
    assert "nobody had said that it was done when its window closed. The ticket stays open" in text


def test_what_is_done_late_leaves_the_slot_missed_and_the_ticket_says_that_it_was_late(duty: Bench) -> None:
    at(duty, OPENS)
    at(duty, CLOSES)

    resolve(duty, CLOSES + timedelta(hours=5))

    assert slot_of(duty).outcome == SlotOutcome.MISSED
    assert every_ticket(duty)[0].state is TicketState.RESOLVED
    assert history(duty)[-1][1] == (
        "Done late, after the window had closed at 2026-03-22 04:00 UTC; the slot stays missed: restored in 40 minutes"
    )


def test_what_is_done_late_while_no_daemon_had_settled_the_slot_is_late_all_the_same(duty: Bench) -> None:
    at(duty, OPENS)

    resolve(duty, CLOSES)
    slot = at(duty, CLOSES + MINUTE)

    assert slot.outcome == SlotOutcome.MISSED
    assert history(duty)[-1][1].startswith("Done late")
    assert len(every_ticket(duty)) == 1


def test_a_daemon_that_was_down_at_the_opening_asks_when_it_comes_back_in_the_window(duty: Bench) -> None:
    slot = at(duty, CLOSES - MINUTE)

    assert slot.state is SlotState.DUE
    assert [ticket.title for ticket in every_ticket(duty)] == ["Restore rehearsal, until Sun 2026-03-22 04:00 UTC"]


def test_a_daemon_that_was_down_for_the_whole_window_leaves_a_missed_slot_with_a_ticket(duty: Bench) -> None:
    slot = at(duty, CLOSES + timedelta(hours=1))

    (ticket,) = every_ticket(duty)
    reason = "the scheduler was not running while the window was open, so nobody was asked to do it"
    assert (slot.outcome, slot.reason) == (SlotOutcome.MISSED, reason)
    assert ticket.title == "Restore rehearsal of 2026-03-21 was not done in time"
    assert reason in ticket.plain_words.happened


def test_two_daemons_open_one_ticket(duty: Bench) -> None:
    other = duty.but(actor=Actor("bob"))

    for bench in (duty, other, duty, other):
        at(bench, OPENS)

    assert [ticket.count for ticket in every_ticket(duty)] == [1]
    assert len(history(duty)) == 1


def test_a_request_for_a_ticket_that_is_carried_out_twice_opens_one(duty: Bench) -> None:
    slot = at(duty, OPENS)
    duty.site.store.write(lambda c: outbox.put(c, kind="slot.asked", target=slot.id, body={}, at=OPENS))

    at(duty, OPENS + MINUTE)

    assert len(history(duty)) == 1


def test_each_slot_has_a_ticket_of_its_own(duty: Bench) -> None:
    at(duty, OPENS)

    at(duty, OPENS + timedelta(days=7))

    assert [ticket.count for ticket in every_ticket(duty)] == [1, 1]


def test_a_duty_that_is_switched_off_while_it_is_due_is_held_and_its_ticket_says_so(duty: Bench) -> None:
    at(duty, OPENS)
    (duty.site.root / "schedules" / "patch.yml").write_text(DUTY + "enabled: false\n")

    slot = at(duty, OPENS + MINUTE)

    assert (slot.outcome, slot.reason) == (SlotOutcome.HELD, "its schedule was switched off while it was due")
    assert history(duty)[-1][0] == "held"
    assert every_ticket(duty)[0].state is TicketState.OPEN
    resolve(duty, OPENS + 2 * MINUTE)
    assert slot_of(duty).outcome == SlotOutcome.HELD


def test_a_slot_that_ended_before_its_ticket_was_opened_has_none(duty: Bench) -> None:
    slot = at(duty, BEFORE)
    reason = "its schedule was switched off while it was due"
    duty.site.store.write(lambda c: slots.mark_due(c, now=OPENS))
    duty.site.store.write(
        lambda c: slots.settle(c, slot.id, outcome=SlotOutcome.HELD, reason=reason, was=SlotState.DUE, at=OPENS)
    )
    duty.site.store.write(lambda c: outbox.put(c, kind="slot.asked", target=slot.id, body={}, at=OPENS))

    at(duty, OPENS + MINUTE)

    assert every_ticket(duty) == []


def test_a_held_slot_whose_schedule_becomes_a_duty_is_asked_for(lay: Lay) -> None:
    bench = ahead(lay(schedule=SCHEDULE.replace("schedule: patch", "schedule: rehearsal")))
    bench.site.store.write(lambda c: pauses.start(c, reason="storage is moved", by=bench.site.actor, at=BEFORE))
    held = at(bench, OPENS)
    (bench.site.root / "schedules" / "patch.yml").write_text(DUTY)

    slot = at(bench, OPENS + MINUTE)

    assert held.hosts
    assert (slot.state, slot.hosts) == (SlotState.DUE, ())
    assert len(every_ticket(bench)) == 1


def test_neither_a_freeze_nor_a_pause_holds_a_duty(lay: Lay) -> None:
    freeze = 'freezes: [{name: launch, from: "2026-03-21T00:00Z", to: "2026-03-23T00:00Z", reason: the shop opens}]\n'
    bench = ahead(lay(schedule=DUTY, windows=WINDOWS + freeze))
    bench.site.store.write(lambda c: pauses.start(c, reason="storage is moved", by=bench.site.actor, at=BEFORE))

    slot = at(bench, OPENS)
    resolve(bench, OPENS + MINUTE)

    assert (slot.frozen_by, slot.state) == ((), SlotState.DUE)
    assert slot_of(bench).outcome == SlotOutcome.DONE


def test_a_waived_duty_asks_nobody(duty: Bench) -> None:
    waive_slot(Asked("rehearsal", date(2026, 3, 21)), reason="the office is shut", site=duty.site)

    slot = at(duty, OPENS)

    assert slot.outcome == SlotOutcome.WAIVED
    assert every_ticket(duty) == []


def test_a_duty_needs_what_was_done_and_neither_cause_nor_fix(duty: Bench) -> None:
    at(duty, OPENS)
    half = [Work(Deed.RESOLVE, " "), Work(Deed.RESOLVE, cause="x", fix="y")]

    for work in half:
        with pytest.raises(UsageError, match=r"Ticket 1 is a duty.*wellkept tickets resolve 1 --done"):
            work_on_ticket("1", work, by=Actor("ana"), store=duty.site.store, clock=duty.time)

    assert slot_of(duty).state is SlotState.DUE


def test_a_duty_that_was_reopened_keeps_its_outcome(duty: Bench) -> None:
    at(duty, OPENS)
    resolve(duty, OPENS + MINUTE)

    work_on_ticket("1", Work(Deed.REOPEN, "not all of it"), by=Actor("ana"), store=duty.site.store, clock=duty.time)
    resolve(duty, CLOSES + MINUTE, "the rest, too")

    assert (slot_of(duty).outcome, slot_of(duty).settled_at) == (SlotOutcome.DONE, OPENS + MINUTE)


def test_there_is_nothing_to_run_in_a_duty(duty: Bench) -> None:
    duty.time.now = OPENS

    with pytest.raises(UsageError, match="a duty that a person does"):
        start_by_hand("rehearsal", Wish(), site=duty.site)
    with pytest.raises(UsageError, match="a duty that a person does"):
        plan_occurrence("rehearsal", Asking(OPENS), definitions=duty.site.current(), site=duty.site)

    assert duty.site.store.read(lambda c: runs.recent(c, 1)) == []


def test_the_plan_of_a_duty_names_its_opening_and_its_live_ticket(duty: Bench) -> None:
    schedule = duty.site.current().schedules["rehearsal"]
    closed = plan_duty(schedule, site=duty.site, at=BEFORE)
    at(duty, OPENS)

    plan = plan_duty(schedule, site=duty.site, at=OPENS + MINUTE)

    assert (closed.opening, closed.ticket) == (None, None)
    assert closed.following
    assert closed.following.opens == OPENS
    assert isinstance(plan, DutyPlan)
    assert plan.opening
    assert (plan.opening.closes, plan.ticket) == (CLOSES, 1)


def test_a_due_duty_waits_for_a_person_until_its_window_closes(duty: Bench) -> None:
    at(duty, OPENS)

    (due,) = duty.site.store.read(lambda c: list(due_slots(c, OPENS + MINUTE)))

    assert (due.reasons, due.until, due.last_start) == (("a person does it: ticket 1",), CLOSES, CLOSES)


def test_the_calendar_shows_a_duty_and_looks_at_no_hosts_for_it(duty: Bench) -> None:
    definitions = duty.site.current()
    entries = list_openings(definitions, from_=OPENS, to=CLOSES)

    seen = look_at_hosts(entries, read_inventories(definitions, duty.inventory), now=BEFORE)
    text = publish_openings(entries, definitions).decode()

    assert [entry.state for entry in entries] == ["planned"]
    assert seen.collisions == ()
    assert len(seen.uncovered_hosts) == len(duty.inventory.hosts)
    assert "A person does it" in text
    assert "Hosts:" not in text
