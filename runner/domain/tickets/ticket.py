"""Tickets: their values and states, how soon somebody should act, and what may become of one after a run."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from runner.domain.execution.outcome import HostResult, NotRun, Result
from runner.domain.execution.run import Verdict
from runner.domain.tickets.cause import CauseClass, PlainWords


class TicketState(StrEnum):
    """Where a ticket stands; who it is assigned to is kept beside it."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


TICKET_CHANGES: Mapping[TicketState, frozenset[TicketState]] = {
    TicketState.OPEN: frozenset({TicketState.ACKNOWLEDGED, TicketState.RESOLVED}),
    TicketState.ACKNOWLEDGED: frozenset({TicketState.RESOLVED}),
    TicketState.RESOLVED: frozenset(
        {TicketState.OPEN}
    ),  # it came back within the days of grace; later it is a new ticket
}
LIVE = frozenset({TicketState.OPEN, TicketState.ACKNOWLEDGED})


class TicketKind(StrEnum):
    """What sort of trouble a ticket is about."""

    FAILED = "failed"
    UNREACHABLE = "unreachable"
    IN_DOUBT = "in_doubt"
    PRE_CHECK = "pre_check"
    POST_CHECK = "post_check"
    CONFIGURATION = "configuration"
    EXPIRED = "expired"
    RECORD = "record"
    MISSED = "missed"
    OVERDUE = "overdue"  # owed its work for too long
    DUTY = "duty"  # nothing is wrong: a person has something to do
    REVIEW = "review"  # of an emergency change, afterwards
    REPORTED = "reported"  # by a person, about anything


class Level(StrEnum):
    """Impact and urgency, from the services' and from the trouble's side."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class Priority(StrEnum):
    """How soon somebody should act."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


PRIORITIES: Mapping[tuple[Level, Level], Priority] = {  # (impact, urgency)
    (Level.LOW, Level.LOW): Priority.LOW,
    (Level.LOW, Level.MEDIUM): Priority.LOW,
    (Level.LOW, Level.HIGH): Priority.MEDIUM,
    (Level.MEDIUM, Level.LOW): Priority.LOW,
    (Level.MEDIUM, Level.MEDIUM): Priority.MEDIUM,
    (Level.MEDIUM, Level.HIGH): Priority.HIGH,
    (Level.HIGH, Level.LOW): Priority.MEDIUM,
    (Level.HIGH, Level.MEDIUM): Priority.HIGH,
    (Level.HIGH, Level.HIGH): Priority.CRITICAL,
}


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What a settled run says about itself; `impact` is its services' (low, medium, high) and `services` maps a host to the name of what it is for.

    `rollbacks` maps each host that was rolled back to whether that went well; `rollback` says that failed hosts of this run were to be rolled back.
    `readiness` says that it only looked whether hosts are fit.
    `emergency` means that it is to be reviewed, by the team `reviewer` if there is one that may approve.
    `overdue` are hosts that are owed this work for more windows than they are put first.
    """

    id: str
    number: int
    schedule: str
    title: str
    inventory: str
    playbook: str
    verdict: Verdict
    started: datetime
    impact: str = "medium"
    owner: str | None = None
    record_incomplete: bool = False
    check_mode: bool = False
    readiness: bool = False
    reason: str = ""
    services: Mapping[str, str] = field(default_factory=dict)
    rollback: bool = False
    rollbacks: Mapping[str, bool] = field(default_factory=dict)
    emergency: bool = False
    reviewer: str | None = None
    overdue: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class WantedTicket:
    """A ticket that ought to be open. `group` is the fingerprint of the ticket that already covers its host when the same trouble is known on many.

    `playbook`, `role`, `task` and `module` say where it happened; success at the same place is what closes it. `detail` is the message itself, for technicians.
    """

    fingerprint: str
    kind: TicketKind
    cause: CauseClass | None
    priority: Priority
    title: str
    inventory: str
    schedule: str
    hosts: tuple[str, ...]
    words: PlainWords
    owner: str | None = None
    playbook: str = ""
    role: str = ""
    task: str = ""
    module: str = ""
    detail: str = ""
    group: str = ""


def priority_of(impact: str, urgency: Level) -> Priority:
    """Priority = impact x urgency; an impact that nobody stated is medium."""
    known = Level(impact) if impact in set(Level) else Level.MEDIUM
    return PRIORITIES[known, urgency]


def raised(impact: str) -> str:
    """One level more, because many hosts are hit."""
    return {Level.LOW: Level.MEDIUM}.get(Level(impact) if impact in set(Level) else Level.MEDIUM, Level.HIGH)


DAYS_OF_GRACE = timedelta(days=7)
TOO_OFTEN = 3


@dataclass(frozen=True, slots=True)
class KnownTicket:
    """A ticket as its rows tell it; `reopened` counts how often it came back."""

    id: str
    fingerprint: str
    state: TicketState
    kind: TicketKind
    inventory: str
    schedule: str
    hosts: tuple[str, ...]
    playbook: str = ""
    task: str = ""
    touched_by_person: bool = False
    resolved_at: datetime | None = None
    reopened: int = 0


class Move(StrEnum):
    """What a renewed failure does to the ticket with its fingerprint."""

    OPEN = "open"
    TOUCH = "touch"
    REOPEN = "reopen"
    COMMENT = "comment"


def move_for(known: KnownTicket | None, *, started: datetime) -> Move:
    """Decide what a failure does, by the start of the run that saw it.

    A resolved ticket comes back as a regression within seven days. A run that had started before the ticket was resolved proves nothing
    against the mending: it is noted there, and nothing is reopened.
    """
    if known is None:
        return Move.OPEN
    if known.state in LIVE:
        return Move.TOUCH
    if known.resolved_at is None or started >= known.resolved_at + DAYS_OF_GRACE:
        return Move.OPEN
    return Move.REOPEN if started >= known.resolved_at else Move.COMMENT


class Closing(StrEnum):
    """What success does to a live ticket."""

    NOTHING = "nothing"
    COMMENT = "comment"  # a person has it, it flaps, or only some of its hosts are proved well
    RESOLVE = "resolve"


@dataclass(frozen=True, slots=True)
class Proof:
    """What a run proves about a live ticket, and for which of its hosts."""

    closing: Closing
    hosts: tuple[str, ...] = ()
    reason: str = ""


NO_PROOF = Proof(Closing.NOTHING)
RUNS_AGAIN = "the schedule is started, and ends, again"
CLOSED_BY_PEOPLE = frozenset({TicketKind.RECORD, TicketKind.REPORTED, TicketKind.DUTY, TicketKind.REVIEW})
SAID_TO_BE_DONE = frozenset(
    {TicketKind.DUTY, TicketKind.REVIEW}
)  # resolved by saying what was done: nothing was broken
PROVED_BY_A_LOOK = frozenset({TicketKind.PRE_CHECK, TicketKind.UNREACHABLE})
OF_THE_SCHEDULE = frozenset({TicketKind.CONFIGURATION, TicketKind.EXPIRED, TicketKind.MISSED})


def evidence_closes(
    ticket: KnownTicket,
    run: RunFacts,
    outcomes: Mapping[str, HostResult],
    *,
    succeeded: Mapping[str, Collection[str]] | None = None,
) -> Proof:
    """Whether a run proves that a ticket's trouble is gone: the same task on the same host has succeeded.

    `succeeded` holds, per host, the names of the tasks that ended well; where it is not known, the whole playbook must have ended well there.
    A run in check mode proves nothing, one that only looked that a host is fit and can be reached.
    Nothing but a person closes a ticket about a hole in the record, or one that a person opened.
    """
    if ticket.state not in LIVE or run.check_mode or ticket.inventory != run.inventory:
        return NO_PROOF
    if run.readiness and ticket.kind not in PROVED_BY_A_LOOK:
        return NO_PROOF
    if ticket.kind in OF_THE_SCHEDULE:
        well = ticket.schedule == run.schedule and is_proof_of_schedule(ticket, run, outcomes)
        return proof_of_schedule(ticket) if well else NO_PROOF
    if ticket.kind in CLOSED_BY_PEOPLE or ticket.playbook not in {"", run.playbook}:
        return NO_PROOF
    hosts = tuple(host for host in ticket.hosts if is_well(outcomes.get(host), ticket, succeeded))
    return proof(ticket, hosts) if hosts else NO_PROOF


def proof_of_schedule(ticket: KnownTicket) -> Proof:
    """What it does to a ticket about a schedule that the schedule has run: it says nothing about any single server."""
    found = proof(ticket, ticket.hosts)
    return Proof(found.closing, reason=RUNS_AGAIN if found.closing is Closing.RESOLVE else found.reason)


def is_proof_of_schedule(ticket: KnownTicket, run: RunFacts, outcomes: Mapping[str, HostResult]) -> bool:
    """Whether a run of the same schedule shows that it can be started, and ends, again."""
    if run.verdict not in {Verdict.SUCCEEDED, Verdict.DEGRADED}:
        return False
    if ticket.kind is TicketKind.CONFIGURATION:
        return not any(shows_wrong_instructions(outcome) for outcome in outcomes.values())
    return True


def shows_wrong_instructions(outcome: HostResult) -> bool:
    """Whether a host was left out, or not checked, because of what the instructions say."""
    return outcome.reason in {NotRun.NOT_IN_PLAYBOOK, NotRun.CONFIGURATION} or is_unchecked(outcome)


def is_unchecked(outcome: HostResult) -> bool:
    """Whether the work was done on a host and the check after it could not be run."""
    return outcome.result is Result.FAILED and outcome.cause == CauseClass.CHECK_NOT_RUN


def is_well(outcome: HostResult | None, ticket: KnownTicket, succeeded: Mapping[str, Collection[str]] | None) -> bool:
    """Whether an outcome is positive evidence on one host of the ticket."""
    if outcome is None or outcome.result not in {Result.OK, Result.CHANGED}:
        return False
    return not ticket.task or succeeded is None or ticket.task in succeeded.get(outcome.host, ())


def proof(ticket: KnownTicket, hosts: tuple[str, ...]) -> Proof:
    """What proof for these hosts does: it resolves only a ticket that no person has touched, that does not flap, and only for all of its hosts."""
    if set(hosts) != set(ticket.hosts):
        return Proof(Closing.COMMENT, hosts, "only some of its servers are proved well")
    if ticket.touched_by_person:
        return Proof(Closing.COMMENT, hosts, "a person has taken this ticket up, so a person closes it")
    if ticket.reopened >= TOO_OFTEN:
        return Proof(Closing.COMMENT, hosts, f"it has come back {ticket.reopened} times, so a person closes it")
    return Proof(Closing.RESOLVE, hosts, "the same step has succeeded on every server of this ticket")
