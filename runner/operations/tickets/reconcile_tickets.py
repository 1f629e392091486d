"""Brings the tickets in line with a settled run: opens, touches, reopens, comments and resolves, and changes nothing when it is done again."""

from __future__ import annotations

import json
import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from runner.domain.execution.outcome import EventKind, HostResult, Result
from runner.domain.execution.run import RunState
from runner.domain.execution.schedule import ChangeType, Schedule
from runner.domain.record.record import piece_stream
from runner.domain.tickets.ticket import Closing, Move, Proof, RunFacts, WantedTicket, evidence_closes, move_for
from runner.domain.tickets.ticket_wanted import ticket_for_missed_slot, tickets_for
from runner.domain.who import SYSTEM
from runner.ports import Clock
from runner.store.database import Store
from runner.store.execution import debts, definitions, outcomes, pieces, runs
from runner.store.record import log as entries
from runner.store.tickets import tickets
from runner.store.time.slots import Slot
from runner.store.transaction import Transaction

log = logging.getLogger(__name__)
COMMENTED = "commented"


@dataclass(frozen=True, slots=True)
class TicketChange:
    """What was done to one ticket: opened, seen_again, reopened, commented or resolved."""

    ticket_id: str
    number: int
    action: str
    title: str


@dataclass(frozen=True, slots=True)
class Seen:
    """Who saw a trouble: a run, or a slot that passed without one; `id` stands in the ticket's history."""

    id: str
    started: datetime
    label: str


@dataclass(frozen=True, slots=True)
class Settled:
    """A settled run as the rules about tickets want it; `succeeded` holds, per host, the tasks that the record saw end well."""

    facts: RunFacts
    outcomes: Mapping[str, HostResult]
    succeeded: Mapping[str, Collection[str]]


def reconcile_tickets(
    store: Store,
    run_id: str,
    *,
    clock: Clock,
    services: Mapping[str, str] | None = None,
    reviewer: str | None = None,
) -> list[TicketChange]:
    """File what a settled run asks for and close what it proves mended; a run that is still going on changes nothing.

    `services` maps a host to the name of what it is for, `reviewer` is who reviews emergency changes. Each
    ticket has a transaction of its own, and an entry of this run in a ticket's
    history keeps it from being changed by this run again.
    """
    settled = store.read(partial(read_settled, run_id=run_id, services=services or {}))
    if settled is None:
        return []
    settled = replace(settled, facts=replace(settled.facts, reviewer=reviewer))
    seen = Seen(run_id, settled.facts.started, f"Run {settled.facts.number}")
    changes = [
        store.write(partial(file, wanted=wanted, seen=seen, clock=clock))
        for wanted in tickets_for(settled.facts, settled.outcomes)
    ]
    changes += [
        store.write(partial(close, ticket_id=ticket.id, settled=settled, clock=clock))
        for ticket in store.read(tickets.live)
    ]
    return told([change for change in changes if change is not None], run_id)


def read_settled(connection: Transaction, *, run_id: str, services: Mapping[str, str]) -> Settled | None:
    """Everything about a run that bears on tickets; None while it has no verdict."""
    run = runs.get(connection, run_id)
    if run.state is not RunState.SETTLED or run.verdict is None:
        return None
    plan = run.plan
    rows = outcomes.of_run(connection, run_id)
    facts = RunFacts(
        id=run.id,
        number=run.number,
        schedule=run.schedule,
        title=run.title,
        inventory=run.inventory,
        playbook=plan.playbook,
        verdict=run.verdict,
        started=run.started_at or run.created_at,
        impact=plan.impact,
        owner=owner_of(connection, run.definition),
        record_incomplete=run.record_incomplete,
        check_mode=run.check_mode,
        readiness=plan.readiness,
        reason=run.reason,
        services=services,
        rollback=bool(plan.rollback),
        rollbacks={row.host: went_well(row.rollback) for row in rows if row.rollback},
        overdue=frozenset(debt.host for debt in owed(connection, run) if not debt.reorders),
        emergency=plan.changes_something and type_of_change(connection, run.definition) == ChangeType.EMERGENCY,
    )
    ended = {outcome.host: outcome.result for outcome in rows}
    return Settled(facts, ended, tasks_that_succeeded(connection, run_id))


def owed(connection: Transaction, run: runs.Run) -> list[debts.Debt]:
    """The hosts that are owed this schedule's work; a run that only looks leaves and tells of none."""
    return [] if run.plan.only_looks else debts.of_schedule(connection, run.inventory, run.schedule)


def went_well(rollback: Mapping[str, object]) -> bool:
    """Whether a rollback brought its host back."""
    return Result(str(rollback["result"])).is_good


def owner_of(connection: Transaction, digest: str) -> str | None:
    """Who answered for the schedule when the run was claimed."""
    found = definitions.get(connection, digest)
    owner = found.body.get("owner") if found is not None and isinstance(found.body, dict) else None
    return str(owner) if owner else None


def type_of_change(connection: Transaction, digest: str) -> str:
    """How the change was authorised, as its schedule said when the run was claimed."""
    found = definitions.get(connection, digest)
    change = found.body.get("change") if found is not None and isinstance(found.body, dict) else None
    return str(change.get("type", "")) if isinstance(change, dict) else ""


def tasks_that_succeeded(connection: Transaction, run_id: str) -> dict[str, set[str]]:
    """Per host, the tasks that ended well in any piece of a run, by the record's own entries."""
    found: dict[str, set[str]] = {}
    for piece in pieces.of_run(connection, run_id):
        for entry in entries.entries(connection, piece_stream(piece.id)):
            body = json.loads(entry.body)
            if body.get("action") == EventKind.HOST_OK and body.get("task"):
                found.setdefault(str(body.get("host")), set()).add(str(body["task"]))
    return found


def file(connection: Transaction, *, wanted: WantedTicket, seen: Seen, clock: Clock) -> TicketChange | None:
    """Open, touch or reopen the ticket for one trouble; None when this run or slot has done so already."""
    ticket = covering(connection, wanted)
    if ticket is not None and is_noted(connection, ticket, seen.id):
        return None
    match move_for(ticket.known if ticket else None, started=seen.started):
        case Move.REOPEN if ticket is not None and reopened(connection, ticket, wanted, seen, at=clock()):
            return changed(connection, ticket.id, "reopened")
        case Move.COMMENT if ticket is not None:
            text = f"{seen.label}, which had begun before this ticket was resolved, saw it too."
            return comment(connection, ticket, text, run_id=seen.id, at=clock())
        case Move.TOUCH if ticket is not None:
            tickets.touch(connection, ticket, hosts=wanted.hosts, at=clock(), run_id=seen.id, text=wanted.detail)
            return changed(connection, ticket.id, "seen_again")
    filed = tickets.open_or_touch(connection, wanted, at=clock(), run_id=seen.id)
    return changed(connection, filed.ticket.id, "opened" if filed.opened else "seen_again")


def reopened(
    connection: Transaction, ticket: tickets.Ticket, wanted: WantedTicket, seen: Seen, *, at: datetime
) -> bool:
    """Reopen a resolved ticket as a regression; False when another live one bears its fingerprint by now."""
    text = f"It has come back: {wanted.words.happened}"
    return tickets.reopen(connection, ticket.id, at=at, actor=SYSTEM, text=text, run_id=seen.id, hosts=wanted.hosts)


def covering(connection: Transaction, wanted: WantedTicket) -> tickets.Ticket | None:
    """The ticket that a trouble belongs to: a live one for many hosts that names all of its own, else the last with its fingerprint."""
    group = tickets.live_of(connection, wanted.group) if wanted.group else None
    if group is not None and set(wanted.hosts) <= set(group.hosts):
        return group
    return tickets.last_of(connection, wanted.fingerprint)


def close(connection: Transaction, *, ticket_id: str, settled: Settled, clock: Clock) -> TicketChange | None:
    """Resolve a ticket whose trouble this run proves gone, or say so there once; None when it proves nothing, or has been told."""
    ticket, run_id = tickets.get(connection, ticket_id), settled.facts.id
    succeeded = settled.succeeded or None  # nothing recorded per task: the outcomes alone tell
    proof = evidence_closes(ticket.known, settled.facts, settled.outcomes, succeeded=succeeded)
    if proof.closing is Closing.NOTHING or is_noted(connection, ticket, run_id):
        return None
    text, at = proof_in_words(proof, settled.facts), clock()
    if proof.closing is Closing.RESOLVE and tickets.resolve(
        connection, ticket.id, at=at, actor=SYSTEM, text=text, run_id=run_id, untouched_only=True
    ):
        return changed(connection, ticket.id, "resolved")
    if tickets.events(connection, ticket.id)[-1].action == COMMENTED:
        return None  # its last line says as much; a check every hour must not fill its history
    return comment(connection, ticket, text, run_id=run_id, at=at)


def proof_in_words(proof: Proof, run: RunFacts) -> str:
    """What a run proved, for the ticket's history."""
    ended = f"ended well on {', '.join(proof.hosts)}" if proof.hosts else "took place"
    return f'Run {run.number} of "{run.title}" {ended}: {proof.reason}.'


def comment(connection: Transaction, ticket: tickets.Ticket, text: str, *, run_id: str, at: datetime) -> TicketChange:
    """Add a line to a ticket's history and change nothing else."""
    tickets.add_event(connection, ticket.id, action=COMMENTED, text=text, at=at, actor=SYSTEM, run_id=run_id)
    return changed(connection, ticket.id, COMMENTED)


def is_noted(connection: Transaction, ticket: tickets.Ticket, run_id: str) -> bool:
    """Whether this run has changed this ticket already."""
    return any(event.run_id == run_id for event in tickets.events(connection, ticket.id))


def changed(connection: Transaction, ticket_id: str, action: str) -> TicketChange:
    """The change, with the ticket's number and title."""
    ticket = tickets.get(connection, ticket_id)
    return TicketChange(ticket.id, ticket.number, action, ticket.title)


def file_missed_slot(
    store: Store,
    slot: Slot,
    schedule: Schedule,
    *,
    reason: str,
    clock: Clock,
    hosts: Sequence[str] = (),
    impact: str = "medium",
) -> TicketChange | None:
    """File the ticket for a slot that passed without a run; None when this slot has been told of already."""
    wanted = ticket_for_missed_slot(
        schedule=schedule.name,
        title=schedule.title,
        inventory=schedule.inventory,
        date=slot.rule_date.isoformat(),
        reason=reason,
        hosts=hosts,
        impact=impact,
        owner=schedule.owner,
    )
    seen = Seen(slot.id, slot.opens_at, f"The missed date {slot.rule_date}")
    change = store.write(partial(file, wanted=wanted, seen=seen, clock=clock))
    return told([change], slot.id)[0] if change else None


def told(changes: list[TicketChange], because: str) -> list[TicketChange]:
    """Write each change to the log, and give them back."""
    for change in changes:
        extra = {"action": f"ticket.{change.action}", "ticket": change.ticket_id, "because": because}
        log.info("Ticket %d %s: %s", change.number, change.action.replace("_", " "), change.title, extra=extra)
    return changes
