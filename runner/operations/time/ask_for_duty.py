"""Duties of people at their slots: asked for once when the window opens, and told of in their ticket when the slot ends without them."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from runner.domain.execution.run import SlotOutcome
from runner.domain.execution.schedule import Schedule
from runner.domain.record.record import INSTALLATION
from runner.domain.tickets.ticket import WantedTicket
from runner.domain.tickets.ticket_for_duty import duty_fingerprint, ticket_for_duty
from runner.domain.who import SYSTEM
from runner.store.record import log as entries
from runner.store.tickets import outbox, tickets
from runner.store.time import slots
from runner.store.transaction import Transaction

SLOT_ASKED = "slot.asked"
NOBODY_ASKED = "the scheduler was not running while the window was open, so nobody was asked to do it"
NOBODY_SAID = "nobody had said that it was done when its window closed"


def ask(connection: Transaction, *, slot: slots.Slot, at: datetime) -> bool:
    """Ask for a ticket, and record it; False when another process has asked, or the slot is settled."""
    if not slots.open_without_hosts(connection, slot.id):
        return False
    outbox.put(connection, kind=SLOT_ASKED, target=slot.id, body={}, at=at)
    body = {"action": SLOT_ASKED, "slot": slot.id, "schedule": slot.schedule, "rule_date": slot.rule_date.isoformat()}
    entries.append(connection, INSTALLATION, [body], at=at)
    return True


def why_not_done(slot: slots.Slot) -> str:
    """Why a duty is missed: nobody was asked, or nobody said that it was done."""
    return NOBODY_SAID if was_asked_for(slot) else NOBODY_ASKED


def was_asked_for(slot: slots.Slot) -> bool:
    """Whether somebody was asked: the slot is open and means no host. One that ran a playbook until an edit still names its hosts."""
    return slot.hosts == ()


def tell_ticket(connection: Transaction, *, slot: slots.Slot, outcome: SlotOutcome, reason: str, at: datetime) -> None:
    """Say in a duty's open ticket how its slot ended; the ticket stays open, as only a person knows whether it is still to be done."""
    ticket = tickets.live_of(connection, duty_fingerprint(slot.schedule, *slot.identity))
    if ticket is not None:
        text = f"Its slot ended as {outcome}: {reason}. The ticket stays open until somebody resolves it."
        tickets.add_event(connection, ticket.id, action=str(outcome), text=text, at=at, actor=SYSTEM, run_id=slot.id)


def wanted_for(slot: slots.Slot, schedule: Schedule) -> WantedTicket:
    """The ticket that a slot of this schedule asks for now."""
    return ticket_for_duty(
        schedule=schedule.name,
        title=schedule.title,
        why=schedule.why,
        owner=schedule.owner,
        occurrence=slot.identity,
        until=closing_in_words(slot, schedule),
        missed=slot.reason if slot.outcome == SlotOutcome.MISSED else None,
    )


def closing_in_words(slot: slots.Slot, schedule: Schedule) -> str:
    """When a slot's window closes, in its own zone."""
    zone = schedule.window.timezone
    return f"{slot.closes_at.astimezone(ZoneInfo(zone)):%a %Y-%m-%d %H:%M} {zone}"
