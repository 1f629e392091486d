"""What people do with tickets: each deed is an entry in the ticket's history and in the record, with the name of who did it."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import partial

from runner.domain.record.record import INSTALLATION
from runner.domain.settings import Settings
from runner.domain.tickets.cause import PlainWords
from runner.domain.tickets.fingerprint import fingerprint
from runner.domain.tickets.ticket import SAID_TO_BE_DONE, Priority, TicketKind, WantedTicket
from runner.domain.who import Actor
from runner.errors import NotFound, UsageError
from runner.operations.tickets.file_duty import resolve_duty
from runner.ports import Clock
from runner.store.database import Store
from runner.store.record import log as entries
from runner.store.tickets import tickets
from runner.store.tickets.tickets import Filed, Ticket
from runner.store.transaction import Transaction

LONGEST_TITLE = 200  # characters


class Deed(StrEnum):
    """What can be done with a ticket."""

    ACKNOWLEDGE = "acknowledged"
    ASSIGN = "assigned"
    NOTE = "noted"
    RESOLVE = "resolved"
    REOPEN = "reopened"


@dataclass(frozen=True, slots=True)
class Work:
    """One deed: `to` is whom it is assigned to (None for nobody); a resolution has a cause and a fix, that of a duty says what was done in `text`."""

    deed: Deed
    text: str = ""
    to: str | None = None
    cause: str = ""
    fix: str = ""


@dataclass(frozen=True, slots=True)
class Wish:
    """A ticket that a person opens."""

    title: str
    inventory: str
    hosts: Sequence[str] = ()
    text: str = ""
    priority: Priority = Priority.MEDIUM
    owner: str | None = None
    schedule: str = ""


def work_on_ticket(name: str, work: Work, *, by: Actor, store: Store, clock: Clock) -> Ticket:
    """Do it, and give the ticket as it is then; raises NotFound, and UsageError when the ticket's state does not allow it."""
    return store.write(partial(write_work, name=name, work=work, by=by, clock=clock))


def refuse_nonsense(work: Work, ticket: Ticket) -> None:
    """A resolution without cause and fix helps nobody with the next ticket like it; an empty note says nothing."""
    if work.deed is Deed.RESOLVE:
        refuse_half_a_resolution(work, ticket)
    if work.deed in {Deed.NOTE, Deed.REOPEN} and not work.text.strip():
        raise UsageError("Say what is to be remembered: it becomes part of the ticket's history.")


def refuse_half_a_resolution(work: Work, ticket: Ticket) -> None:
    """A fault has a cause and a fix; a duty and a review have neither: what was done is enough."""
    if ticket.kind in SAID_TO_BE_DONE:
        if work.cause or work.fix or not work.text.strip():
            raise UsageError(
                f"Ticket {ticket.number} is a {ticket.kind}, which has no cause and no fix. Say what was done: "
                f"wellkept tickets resolve {ticket.number} --done 'what was done'"
            )
    elif work.text or not (work.cause.strip() and work.fix.strip()):
        raise UsageError("A resolution needs a cause and a fix: --cause 'what it was' --fix 'what was done about it'.")


def write_work(connection: Transaction, *, name: str, work: Work, by: Actor, clock: Clock) -> Ticket:
    """The deed and its log entry in one transaction."""
    ticket, at = tickets.find(connection, name), clock()
    refuse_nonsense(work, ticket)
    if not DEEDS[work.deed](connection, ticket, work, by, at):
        raise UsageError(refusal(connection, ticket, work.deed))
    told = {"text": work.text, "to": work.to, "cause": work.cause, "fix": work.fix}
    record(connection, ticket, str(work.deed), {key: value for key, value in told.items() if value}, by=by, at=at)
    return tickets.get(connection, ticket.id)


def record(
    connection: Transaction, ticket: Ticket, action: str, told: Mapping[str, object], *, by: Actor, at: datetime
) -> None:
    """One entry in the installation's stream."""
    body = {"action": f"ticket.{action}", "ticket": ticket.id, "number": ticket.number, "by": by.name, **told}
    entries.append(connection, INSTALLATION, [body], at=at)


def acknowledge(connection: Transaction, ticket: Ticket, work: Work, by: Actor, at: datetime) -> bool:
    """Somebody looks after it."""
    return tickets.acknowledge(connection, ticket.id, at=at, actor=by, text=work.text)


def assign(connection: Transaction, ticket: Ticket, work: Work, by: Actor, at: datetime) -> bool:
    """It is given to a person or team, or to nobody."""
    return tickets.assign(connection, ticket.id, work.to, at=at, actor=by)


def note(connection: Transaction, ticket: Ticket, work: Work, by: Actor, at: datetime) -> bool:
    """Something is to be remembered; a resolved ticket takes notes too."""
    return tickets.add_event(connection, ticket.id, action=str(work.deed), text=work.text, at=at, actor=by) > 0


def resolve(connection: Transaction, ticket: Ticket, work: Work, by: Actor, at: datetime) -> bool:
    """It is mended, or the duty is done."""
    if ticket.kind is TicketKind.DUTY:
        return resolve_duty(connection, ticket, work.text.strip(), by, at)
    if ticket.kind is TicketKind.REVIEW:
        return tickets.resolve(connection, ticket.id, at=at, actor=by, text=f"Reviewed: {work.text.strip()}")
    text = f"Cause: {work.cause.strip()}\nFix: {work.fix.strip()}"
    return tickets.resolve(connection, ticket.id, at=at, actor=by, text=text)


def reopen(connection: Transaction, ticket: Ticket, work: Work, by: Actor, at: datetime) -> bool:
    """It was not mended after all."""
    return tickets.reopen(connection, ticket.id, at=at, actor=by, text=work.text)


DEEDS: Mapping[Deed, Callable[[Transaction, Ticket, Work, Actor, datetime], bool]] = {
    Deed.ACKNOWLEDGE: acknowledge,
    Deed.ASSIGN: assign,
    Deed.NOTE: note,
    Deed.RESOLVE: resolve,
    Deed.REOPEN: reopen,
}


def refusal(connection: Transaction, ticket: Ticket, deed: Deed) -> str:
    """Why a deed was not possible, and what is."""
    stands = f"Ticket {ticket.number} is {ticket.state}"
    if deed is Deed.REOPEN:
        live = tickets.live_of(connection, ticket.fingerprint)
        if live is not None and live.id != ticket.id:
            return f"{stands}, but ticket {live.number} is about the same trouble and still {live.state}. Work on that one."
        return f"{stands}; only a resolved ticket can be reopened."
    way_on = f"wellkept tickets reopen {ticket.number} 'why'" if ticket.resolved_at else "wellkept tickets note"
    return f"{stands} already, so it cannot be {deed}. Instead: {way_on}"


def open_ticket(wish: Wish, *, by: Actor, store: Store, clock: Clock) -> Filed:
    """Open a ticket by hand; one with the same title and hosts that is live is counted up instead."""
    title = " ".join(wish.title.split())
    if not 0 < len(title) <= LONGEST_TITLE:
        raise UsageError(
            f"A ticket needs a title of one line, at most {LONGEST_TITLE} characters; --text takes the rest."
        )
    return store.write(partial(write_ticket, wanted=wanted_from(wish, title), by=by, clock=clock))


def wanted_from(wish: Wish, title: str) -> WantedTicket:
    """The ticket that the person means."""
    hosts = tuple(dict.fromkeys(wish.hosts))
    mark = fingerprint(
        inventory=wish.inventory, kind=TicketKind.REPORTED, signature=title.lower(), scope=",".join(sorted(hosts))
    )
    return WantedTicket(
        fingerprint=mark,
        kind=TicketKind.REPORTED,
        cause=None,
        priority=wish.priority,
        title=title,
        inventory=wish.inventory,
        schedule=wish.schedule,
        hosts=hosts,
        words=PlainWords(wish.text or title, "", "", ""),
        owner=wish.owner,
        detail=wish.text,
    )


def write_ticket(connection: Transaction, *, wanted: WantedTicket, by: Actor, clock: Clock) -> Filed:
    """The ticket and its log entry in one transaction."""
    at = clock()
    filed = tickets.open_or_touch(connection, wanted, at=at, actor=by)
    told = {"title": wanted.title, "hosts": list(wanted.hosts), "priority": str(wanted.priority)}
    record(connection, filed.ticket, "opened" if filed.opened else "seen_again", told, by=by, at=at)
    return filed


def somebody(name: str, settings: Settings) -> str:
    """A person or team by name; raises NotFound for a stranger where wellkept.yml names anybody at all."""
    known = {**settings.people, **settings.teams}
    if not known or name in known:
        return name
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"Did you mean {near[0]!r}?" if near else f"wellkept.yml names {', '.join(sorted(known))}."
    raise NotFound(f"There is nobody called {name!r} in wellkept.yml. {hint}")
