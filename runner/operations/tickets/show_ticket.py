"""Tickets for reading: in lines, and one in full with its history."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from runner.domain.tickets.ticket import LIVE, Priority
from runner.errors import NotFound
from runner.store.database import Store
from runner.store.execution import runs
from runner.store.tickets import tickets
from runner.store.transaction import Transaction

URGENT_FIRST = tuple(reversed(Priority))


@dataclass(frozen=True, slots=True)
class TicketLine:
    """One ticket; `count` says how often its trouble was seen, `group` is the number of the ticket that covers it together with others."""

    number: int
    id: str
    state: str
    priority: str
    kind: str
    cause: str | None
    title: str
    inventory: str
    hosts: tuple[str, ...]
    schedule: str
    owner: str | None
    assigned_to: str | None
    count: int
    reopened: int
    group: int | None
    opened: datetime
    updated: datetime
    resolved: datetime | None


@dataclass(frozen=True, slots=True)
class EventShown:
    """One entry of a ticket's history; `run` is the number of the run that it came from."""

    seq: int
    at: datetime
    by: str
    action: str
    text: str
    run: int | None


@dataclass(frozen=True, slots=True)
class TicketShown:
    """One ticket in full: `words` in plain words, `detail` is the message itself, the place is where it happened."""

    ticket: TicketLine
    words: Mapping[str, str]
    detail: str
    playbook: str
    role: str
    task: str
    module: str
    fingerprint: str
    touched_by_person: bool
    events: tuple[EventShown, ...]


def list_tickets(*, store: Store, with_resolved: bool = False, host: str | None = None) -> list[TicketLine]:
    """The live tickets, or all; the most urgent first, then the newest."""
    found = store.read(lambda c: [line_of(c, each) for each in tickets.every(c, None if with_resolved else LIVE)])
    wanted = [line for line in found if host is None or host in line.hosts]
    return sorted(wanted, key=lambda line: (line.resolved is not None, urgency(line.priority), -line.number))


def urgency(priority: str) -> int:
    """A sort key: the most urgent first."""
    return URGENT_FIRST.index(Priority(priority))


def show_ticket(name: str, *, store: Store) -> TicketShown:
    """The ticket that a person names by number or id; raises NotFound."""
    return store.read(partial(read_ticket, name=name))


def read_ticket(connection: Transaction, *, name: str) -> TicketShown:
    """Everything about a ticket, at one moment."""
    ticket = tickets.find(connection, name)
    return TicketShown(
        ticket=line_of(connection, ticket),
        words=dict(ticket.words),
        detail=ticket.detail,
        playbook=ticket.playbook,
        role=ticket.role,
        task=ticket.task,
        module=ticket.module,
        fingerprint=ticket.fingerprint,
        touched_by_person=ticket.touched_by_person,
        events=tuple(event_shown(connection, event) for event in tickets.events(connection, ticket.id)),
    )


def line_of(connection: Transaction, ticket: tickets.Ticket) -> TicketLine:
    """One ticket in one line."""
    group = tickets.last_of(connection, ticket.grouped_under) if ticket.grouped_under else None
    return TicketLine(
        number=ticket.number,
        id=ticket.id,
        state=str(ticket.state),
        priority=str(ticket.priority),
        kind=str(ticket.kind),
        cause=ticket.cause,
        title=ticket.title,
        inventory=ticket.inventory,
        hosts=ticket.hosts,
        schedule=ticket.schedule,
        owner=ticket.owner,
        assigned_to=ticket.assigned_to,
        count=ticket.count,
        reopened=ticket.reopened,
        group=group.number if group else None,
        opened=ticket.opened_at,
        updated=ticket.updated_at,
        resolved=ticket.resolved_at,
    )


def event_shown(connection: Transaction, event: tickets.TicketEvent) -> EventShown:
    """One entry of the history."""
    run = run_number(connection, event.run_id) if event.run_id else None
    return EventShown(event.seq, event.at, event.actor.name, event.action, event.text, run)


def run_number(connection: Transaction, run_id: str) -> int | None:
    """A run's number; None for the id of a slot that passed without one."""
    try:
        return runs.get(connection, run_id).number
    except NotFound:
        return None
