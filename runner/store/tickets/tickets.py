"""Tickets: at most one live ticket per fingerprint, whoever files it; each has a history that is only added to."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, func, insert, select, update

from runner.domain.tickets.cause import PlainWords
from runner.domain.tickets.fingerprint import FINGERPRINT_VERSION
from runner.domain.tickets.ticket import (
    LIVE,
    TICKET_CHANGES,
    KnownTicket,
    Priority,
    TicketKind,
    TicketState,
    WantedTicket,
)
from runner.domain.who import SYSTEM, Actor
from runner.errors import NotFound
from runner.store import counters
from runner.store.ids import new_id
from runner.store.schema import ticket_events, tickets
from runner.store.sql import insert_new, read, read_one, select_as, serialise

COUNTER = "ticket"
PERSON = "person"


@dataclass(frozen=True, slots=True)
class Ticket:
    """One ticket; `count` says how often its trouble was seen, `reopened` how often it came back."""

    id: str
    number: int
    fingerprint: str
    fingerprint_version: int
    state: TicketState
    title: str
    kind: TicketKind
    cause: str | None
    priority: Priority
    inventory: str
    hosts: tuple[str, ...]
    schedule: str
    owner: str | None
    assigned_to: str | None
    opened_at: datetime
    updated_at: datetime
    resolved_at: datetime | None
    touched_by_person: bool
    words: Any
    playbook: str
    role: str
    task: str
    module: str
    detail: str
    grouped_under: str
    count: int
    reopened: int

    @property
    def plain_words(self) -> PlainWords:
        """What happened, what it means, what was done and what is needed, in plain words."""
        return PlainWords(**self.words)

    @property
    def known(self) -> KnownTicket:
        """The ticket as the rules want it."""
        return KnownTicket(
            id=self.id,
            fingerprint=self.fingerprint,
            state=self.state,
            kind=self.kind,
            inventory=self.inventory,
            schedule=self.schedule,
            hosts=self.hosts,
            playbook=self.playbook,
            task=self.task,
            touched_by_person=self.touched_by_person,
            resolved_at=self.resolved_at,
            reopened=self.reopened,
        )


@dataclass(frozen=True, slots=True)
class TicketEvent:
    """One thing that was done to a ticket."""

    ticket_id: str
    seq: int
    at: datetime
    actor: Actor
    action: str
    text: str
    run_id: str | None


@dataclass(frozen=True, slots=True)
class Filed:
    """What became of a wish for a ticket: the ticket, and whether it was opened just now."""

    ticket: Ticket
    opened: bool


def open_or_touch(
    connection: Connection, wanted: WantedTicket, *, at: datetime, run_id: str | None = None, actor: Actor = SYSTEM
) -> Filed:
    """Open the ticket, or, when one with its fingerprint is live, count the trouble there and add its hosts."""
    serialise(connection, f"ticket:{wanted.fingerprint}")
    if (known := live_of(connection, wanted.fingerprint)) is not None:
        touch(connection, known, hosts=wanted.hosts, at=at, run_id=run_id, actor=actor, text=wanted.detail)
        return Filed(get(connection, known.id), opened=False)
    ticket_id = _open(connection, wanted, at)
    add_event(connection, ticket_id, action="opened", text=wanted.words.happened, at=at, actor=actor, run_id=run_id)
    return Filed(get(connection, ticket_id), opened=True)


def _open(connection: Connection, wanted: WantedTicket, at: datetime) -> str:
    row = {
        "id": new_id(),
        "number": counters.following(connection, COUNTER),
        "fingerprint": wanted.fingerprint,
        "fingerprint_version": FINGERPRINT_VERSION,
        "state": TicketState.OPEN,
        "title": wanted.title,
        "kind": wanted.kind,
        "cause": None if wanted.cause is None else str(wanted.cause),
        "priority": wanted.priority,
        "inventory": wanted.inventory,
        "hosts": wanted.hosts,
        "schedule": wanted.schedule,
        "owner": wanted.owner,
        "opened_at": at,
        "updated_at": at,
        "touched_by_person": False,
        "words": asdict(wanted.words),
        "grouped_under": wanted.group,
        "count": 1,
        "reopened": 0,
    }
    place = {name: getattr(wanted, name) for name in ("playbook", "role", "task", "module", "detail")}
    connection.execute(insert(tickets).values(**row, **place))
    return str(row["id"])


def touch(
    connection: Connection,
    ticket: Ticket,
    *,
    hosts: Sequence[str],
    at: datetime,
    run_id: str | None,
    actor: Actor = SYSTEM,
    text: str = "",
) -> None:
    """Count that a live ticket's trouble was seen again, perhaps on more hosts."""
    every = tuple(dict.fromkeys([*ticket.hosts, *hosts]))
    more = {"count": tickets.c.count + 1, "hosts": every, "updated_at": at}
    connection.execute(update(tickets).where(tickets.c.id == ticket.id).values(**more))
    add_event(connection, ticket.id, action="seen_again", text=text, at=at, actor=actor, run_id=run_id)


def add_event(
    connection: Connection,
    ticket_id: str,
    *,
    action: str,
    text: str,
    at: datetime,
    actor: Actor,
    run_id: str | None = None,
) -> int:
    """Add to a ticket's history; the number of the entry. A person's entry marks the ticket as touched by a person."""
    last = select(func.coalesce(func.max(ticket_events.c.seq), 0)).where(ticket_events.c.ticket_id == ticket_id)
    row = {"ticket_id": ticket_id, "at": at, "actor": actor, "action": action, "text": text, "run_id": run_id}
    while True:
        seq = int(connection.execute(last).scalar_one()) + 1
        if insert_new(connection, ticket_events, seq=seq, **row):
            break
    marks = {"updated_at": at, **({"touched_by_person": True} if actor.kind == PERSON else {})}
    connection.execute(update(tickets).where(tickets.c.id == ticket_id).values(**marks))
    return seq


def acknowledge(connection: Connection, ticket_id: str, *, at: datetime, actor: Actor, text: str = "") -> bool:
    """Say that somebody looks after it; False when it is not open."""
    return _become(
        connection, ticket_id, TicketState.ACKNOWLEDGED, action="acknowledged", text=text, at=at, actor=actor
    )


def assign(connection: Connection, ticket_id: str, to: str | None, *, at: datetime, actor: Actor) -> bool:
    """Give a live ticket to a person or team, or to nobody; False when it is not live."""
    swap = update(tickets).where(tickets.c.id == ticket_id, tickets.c.state.in_(LIVE)).values(assigned_to=to)
    if connection.execute(swap).rowcount != 1:
        return False
    add_event(connection, ticket_id, action="assigned", text=to or "", at=at, actor=actor)
    return True


def resolve(
    connection: Connection,
    ticket_id: str,
    *,
    at: datetime,
    actor: Actor,
    text: str,
    run_id: str | None = None,
    untouched_only: bool = False,
) -> bool:
    """Resolve a live ticket; False when it is not live, or, with `untouched_only`, when a person has touched it."""
    unless = (tickets.c.touched_by_person.is_(False),) if untouched_only else ()
    swap = update(tickets).where(tickets.c.id == ticket_id, tickets.c.state.in_(LIVE), *unless)
    if connection.execute(swap.values(state=TicketState.RESOLVED, resolved_at=at)).rowcount != 1:
        return False
    add_event(connection, ticket_id, action="resolved", text=text, at=at, actor=actor, run_id=run_id)
    return True


def reopen(
    connection: Connection,
    ticket_id: str,
    *,
    at: datetime,
    actor: Actor,
    text: str,
    run_id: str | None = None,
    hosts: Sequence[str] = (),
) -> bool:
    """Open a resolved ticket again; False when it is not resolved, or another live ticket bears its fingerprint by now."""
    ticket = get(connection, ticket_id)
    serialise(connection, f"ticket:{ticket.fingerprint}")
    if live_of(connection, ticket.fingerprint) is not None:
        return False
    swap = update(tickets).where(tickets.c.id == ticket_id, tickets.c.state == TicketState.RESOLVED)
    every = tuple(dict.fromkeys([*ticket.hosts, *hosts]))
    values = {"state": TicketState.OPEN, "resolved_at": None, "hosts": every, "reopened": tickets.c.reopened + 1}
    if connection.execute(swap.values(**values, count=tickets.c.count + 1)).rowcount != 1:
        return False
    add_event(connection, ticket_id, action="reopened", text=text, at=at, actor=actor, run_id=run_id)
    return True


def _become(
    connection: Connection, ticket_id: str, state: TicketState, *, action: str, text: str, at: datetime, actor: Actor
) -> bool:
    may = [before for before, after in TICKET_CHANGES.items() if state in after]
    swap = update(tickets).where(tickets.c.id == ticket_id, tickets.c.state.in_(may)).values(state=state)
    if connection.execute(swap).rowcount != 1:
        return False
    add_event(connection, ticket_id, action=action, text=text, at=at, actor=actor)
    return True


def _wanted() -> Select[Any]:
    return select_as(Ticket, tickets).order_by(tickets.c.number)


def get(connection: Connection, ticket_id: str) -> Ticket:
    """The ticket of that id; raises NotFound."""
    found = read_one(connection, Ticket, _wanted().where(tickets.c.id == ticket_id))
    if found is None:
        raise NotFound(
            f"There is no ticket with the id {ticket_id!r}. `wellkept tickets list` shows those that there are."
        )
    return found


def find(connection: Connection, text: str) -> Ticket:
    """The ticket that a person names by number or id; raises NotFound."""
    name = text.strip().removeprefix("#")
    is_number = name.isascii() and name.isdigit() and len(name) < len("2147483648")
    where = tickets.c.number == int(name) if is_number else tickets.c.id == name.lower()
    found = read_one(connection, Ticket, _wanted().where(where))
    if found is None:
        raise NotFound(f"There is no ticket {text!r}. `wellkept tickets list` shows those that there are.")
    return found


def live_of(connection: Connection, fingerprint: str) -> Ticket | None:
    """The live ticket with that fingerprint."""
    return read_one(
        connection, Ticket, _wanted().where(tickets.c.fingerprint == fingerprint, tickets.c.state.in_(LIVE))
    )


def last_of(connection: Connection, fingerprint: str) -> Ticket | None:
    """The live ticket with that fingerprint, else the one that was resolved last."""
    of_trouble = select_as(Ticket, tickets).where(tickets.c.fingerprint == fingerprint)
    live_first = tickets.c.resolved_at.is_(None).desc()
    return read_one(
        connection, Ticket, of_trouble.order_by(live_first, tickets.c.resolved_at.desc(), tickets.c.number.desc())
    )


def every(connection: Connection, states: Collection[TicketState] | None = None) -> list[Ticket]:
    """The tickets in these states (all if not named), in the order in which they were opened."""
    wanted = _wanted() if states is None else _wanted().where(tickets.c.state.in_(states))
    return read(connection, Ticket, wanted)


def live(connection: Connection) -> list[Ticket]:
    """The live tickets, in the order in which they were opened."""
    return every(connection, LIVE)


def between(connection: Connection, from_: datetime, to: datetime) -> list[Ticket]:
    """The tickets that were live at some time in [from_, to)."""
    ended_before = tickets.c.resolved_at.is_not(None) & (tickets.c.resolved_at < from_)
    return read(connection, Ticket, _wanted().where(tickets.c.opened_at < to, ~ended_before))


def events(connection: Connection, ticket_id: str) -> list[TicketEvent]:
    """A ticket's history, in order."""
    wanted = select_as(TicketEvent, ticket_events).where(ticket_events.c.ticket_id == ticket_id)
    return read(connection, TicketEvent, wanted.order_by(ticket_events.c.seq))


def of_run(connection: Connection, run_id: str) -> list[Ticket]:
    """The tickets that a run opened, touched, reopened or closed, in the order in which they were opened."""
    named = select(ticket_events.c.ticket_id).where(ticket_events.c.run_id == run_id)
    return read(connection, Ticket, _wanted().where(tickets.c.id.in_(named)))
