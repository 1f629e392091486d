"""The ticket of a person's duty: opened once for its slot, and resolved by a person, whose word settles the slot in its window."""

from __future__ import annotations

from datetime import datetime
from functools import partial

from runner.domain.execution.run import SlotOutcome, SlotState
from runner.domain.execution.schedule import Schedule
from runner.domain.record.record import INSTALLATION
from runner.domain.who import Actor
from runner.operations.tickets.reconcile_tickets import Seen, TicketChange, file, told
from runner.operations.time.ask_for_duty import wanted_for
from runner.ports import Clock
from runner.store.database import Store
from runner.store.record import log as entries
from runner.store.tickets import tickets
from runner.store.time import slots
from runner.store.transaction import Transaction


def file_duty(store: Store, slot_id: str, schedule: Schedule, *, clock: Clock) -> TicketChange | None:
    """Open the ticket of a slot that is due or was missed; None when there is one, or the slot ended otherwise."""
    change = store.write(partial(open_duty, slot_id=slot_id, schedule=schedule, clock=clock))
    return told([change], slot_id)[0] if change else None


def open_duty(connection: Transaction, *, slot_id: str, schedule: Schedule, clock: Clock) -> TicketChange | None:
    """The slot is read in the transaction that opens its ticket, so that the ticket never speaks of an end that it has had by then."""
    slot = slots.get(connection, slot_id)
    if slot.outcome not in {None, SlotOutcome.MISSED}:
        return None
    seen = Seen(slot.id, slot.opens_at, f"The date {slot.rule_date}")
    return file(connection, wanted=wanted_for(slot, schedule), seen=seen, clock=clock)


def resolve_duty(connection: Transaction, ticket: tickets.Ticket, said: str, by: Actor, at: datetime) -> bool:
    """Note what was done; said before the window closes, it settles the slot as done. False when the ticket is not live."""
    slot = slots.get(connection, slot_of(connection, ticket))
    text = f"Done: {said}"
    if is_late(slot, at):
        text = f"Done late, after the window had closed at {slot.closes_at:%Y-%m-%d %H:%M} UTC; the slot stays missed: {said}"
    if not tickets.resolve(connection, ticket.id, at=at, actor=by, text=text):
        return False
    if not is_late(slot, at):
        settle_as_done(connection, slot, said, by, at)
    return True


def slot_of(connection: Transaction, ticket: tickets.Ticket) -> str:
    """The slot that a duty's ticket was opened for: it stands in the first entry of its history."""
    return tickets.events(connection, ticket.id)[0].run_id or ""


def is_late(slot: slots.Slot, at: datetime) -> bool:
    """Whether the window closed before anybody said that it was done; the daemon may not have settled the slot yet."""
    return slot.outcome == SlotOutcome.MISSED or (slot.state is SlotState.DUE and at >= slot.closes_at)


def settle_as_done(connection: Transaction, slot: slots.Slot, said: str, by: Actor, at: datetime) -> None:
    """The outcome and its log entry; nothing when the slot has one already, as after a ticket was reopened."""
    reason = f"done by {by}: {said}"
    if slot.state is not SlotState.DUE or not slots.settle(
        connection, slot.id, outcome=SlotOutcome.DONE, reason=reason, was=SlotState.DUE, at=at
    ):
        return
    body = {
        "action": "slot.settled",
        "slot": slot.id,
        "schedule": slot.schedule,
        "rule_date": slot.rule_date.isoformat(),
        "outcome": str(SlotOutcome.DONE),
        "reason": reason,
        "by": by.name,
    }
    entries.append(connection, INSTALLATION, [body], at=at)
