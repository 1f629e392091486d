"""Tickets on the screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from runner.cli.answers import Cell, say, table
from runner.cli.times import Clock
from runner.errors import count

if TYPE_CHECKING:
    from runner.operations.tickets.show_ticket import EventShown, TicketLine, TicketShown

QUESTIONS = {
    "happened": "What happened",
    "means": "What it means",
    "done": "What was done",
    "needed": "What is needed",
}


def columns(clock: Clock) -> list[Cell[TicketLine]]:
    """What a line tells about a ticket."""
    return [
        Cell("TICKET", lambda ticket: ticket.number),
        Cell("PRIORITY", lambda ticket: ticket.priority),
        Cell("STATE", lambda ticket: ticket.state),
        Cell("TITLE", lambda ticket: ticket.title),
        Cell("HOSTS", lambda ticket: in_short(ticket.hosts)),
        Cell("WHO", lambda ticket: ticket.assigned_to or ticket.owner),
        Cell("SEEN", lambda ticket: f"{ticket.count}x"),
        Cell("CHANGED", lambda ticket: clock.age(ticket.updated)),
    ]


def in_short(hosts: tuple[str, ...]) -> str:
    """The first hosts by name, the rest by number."""
    first = ", ".join(hosts[:3])
    return f"{first} and {len(hosts) - 3} more" if len(hosts) > 3 else first  # noqa: PLR2004  three fit into a line


def show_screen(shown: TicketShown, clock: Clock) -> None:
    """The ticket for a person: plain words first, the message after them, then the history."""
    ticket = shown.ticket
    say(f"Ticket {ticket.number}: {ticket.title}")
    for name, words in facts(shown, clock):
        say(f"  {name:<10} {words}")
    for key, question in QUESTIONS.items():
        if shown.words.get(key):
            say(f"\n{question}: {shown.words[key]}")
    if shown.detail and shown.detail != shown.words.get("happened"):
        say(f"\nThe message:\n{shown.detail}")
    click.echo("")
    table(shown.events, event_cells(clock), empty="Nothing has been done about it yet.")


def facts(shown: TicketShown, clock: Clock) -> list[tuple[str, str]]:
    """How it stands, where it happened, and who has it."""
    ticket = shown.ticket
    place = ", ".join(part for part in (shown.playbook, shown.role, shown.task and f"task {shown.task!r}") if part)
    who = ", ".join(filter(None, (ticket.assigned_to, f"owner {ticket.owner}" if ticket.owner else "")))
    told = [
        ("state", f"{ticket.state}, {ticket.priority} priority, seen {count(ticket.count, 'time')}"),
        ("hosts", ", ".join(ticket.hosts)),
        ("who", who or "nobody yet"),
        ("cause", ticket.cause or ""),
        ("place", place),
        ("opened", f"{clock.both(ticket.opened)}, {clock.zone}"),
        ("resolved", clock.both(ticket.resolved) if ticket.resolved else ""),
        ("part of", f"ticket {ticket.group}" if ticket.group else ""),
    ]
    return [(name, words) for name, words in told if words]


def event_cells(clock: Clock) -> list[Cell[EventShown]]:
    """What a line tells about an entry of the history."""
    return [
        Cell(clock.heading("WHEN"), lambda event: clock.both(event.at)),
        Cell("BY", lambda event: event.by),
        Cell("WHAT", lambda event: event.action),
        Cell("RUN", lambda event: event.run),
        Cell("TEXT", lambda event: event.text),
    ]
