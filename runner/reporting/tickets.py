"""Section 5: failures and their tickets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from runner.reporting.lines import Reference, TicketEvent, TicketLine
from runner.reporting.material import Material, grouped, run_reference
from runner.reporting.slots import seconds_between
from runner.reporting.words import TICKETS, status
from runner.store.record.period_rows import TicketEventRow, TicketRow

PARTS = ("happened", "means", "done", "needed")
SEEN = {"opened", "seen_again", "reopened"}  # the entries of runs that saw the trouble
RESOLVED = "resolved"


def ticket_lines(material: Material) -> tuple[TicketLine, ...]:
    """Every ticket that was live in the period, by number."""
    events = grouped((event.ticket_id, event) for event in material.rows.ticket_events)
    return tuple(ticket_line(ticket, events.get(ticket.id, ()), material) for ticket in material.rows.tickets)


def ticket_line(ticket: TicketRow, events: Sequence[TicketEventRow], material: Material) -> TicketLine:
    """One ticket as it stands now."""
    return TicketLine(
        id=ticket.id,
        number=ticket.number,
        title=ticket.title,
        status=status(ticket.state, TICKETS),
        priority=str(ticket.priority),
        cause=ticket.cause,
        words=plain_words(ticket.words),
        detail=ticket.detail,
        inventory=ticket.inventory,
        hosts=ticket.hosts,
        schedule=ticket.schedule,
        owner=ticket.owner,
        first_seen=material.moment(ticket.opened_at),
        last_seen=material.moment(last_seen(ticket, events)),
        resolved=material.maybe(ticket.resolved_at),
        seconds_to_resolve=seconds_between(ticket.opened_at, ticket.resolved_at),
        count=ticket.count,
        resolution=resolution_of(events) if ticket.resolved_at else "",
        runs=seen_in(events, material),
        events=tuple(event_line(event, material) for event in events),
    )


def last_seen(ticket: TicketRow, events: Sequence[TicketEventRow]) -> datetime:
    """When the trouble was seen last."""
    return max((event.at for event in events if event.action in SEEN), default=ticket.opened_at)


def seen_in(events: Sequence[TicketEventRow], material: Material) -> tuple[Reference, ...]:
    """The runs of the period that saw the trouble."""
    seen = (material.runs.get(event.run_id or "") for event in events if event.action in SEEN)
    return tuple(dict.fromkeys(run_reference(run) for run in seen if run))


def plain_words(words: Any) -> Mapping[str, str]:  # noqa: ANN401 - whatever the ticket's row holds
    """The four plain texts of a ticket, those that it has."""
    return {part: str(words[part]) for part in PARTS if words.get(part)} if isinstance(words, Mapping) else {}


def resolution_of(events: Sequence[TicketEventRow]) -> str:
    """What was said when the ticket was closed last."""
    closing = [event.text for event in events if event.action == RESOLVED]
    return closing[-1] if closing else ""


def event_line(event: TicketEventRow, material: Material) -> TicketEvent:
    """One entry of a ticket."""
    return TicketEvent(material.moment(event.at), str(event.actor), event.action, event.text, event.run_id)
