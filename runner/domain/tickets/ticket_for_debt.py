"""The tickets for hosts that are owed their work for too long: left over window after window, with nothing wrong of which another ticket would tell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from runner.domain.execution.outcome import HostResult, NotRun
from runner.domain.tickets.fingerprint import fingerprint
from runner.domain.tickets.plain_words import PlainWords
from runner.domain.tickets.ticket import Level, RunFacts, TicketKind, WantedTicket, priority_of

GROUP = "*"
STOPPED_BEFORE = frozenset({NotRun.BUDGET, NotRun.CANCELLED})  # its turn had not come when others stopped the run
OVERDUE = PlainWords(
    'The planned work "{title}" was left undone on {hosts} for more than three of its dates in a row.',
    "What it should have done there is still to be done.",
    "We put it first for three dates. From now on it waits for its turn, so that it does not keep the others waiting.",
    "Somebody has to find a longer time for this work, or remove what kept it from its turn: {reason}.",
)


def overdue_hosts(run: RunFacts, outcomes: Mapping[str, HostResult]) -> tuple[str, ...]:
    """The hosts that this run left over once more, and that were owed their work for too long already."""
    return tuple(host for host, outcome in outcomes.items() if host in run.overdue and is_left_over(outcome.reason))


def is_left_over(reason: NotRun | None) -> bool:
    """Whether nothing is wrong with a host, and its turn did not come."""
    return reason is not None and (reason.is_deferred or reason in STOPPED_BEFORE)


def ticket_for_debt(
    run: RunFacts, hosts: Sequence[str], outcomes: Mapping[str, HostResult], *, scope: str
) -> WantedTicket:
    """The ticket for one host, or (scope `*`) for many of one schedule."""
    reasons = dict.fromkeys(str(outcomes[host].reason).replace("_", " ") for host in hosts)
    named = hosts[0] if len(hosts) == 1 else f"{len(hosts)} servers"
    names = {"title": run.title, "hosts": named, "reason": run.reason or ", ".join(reasons)}
    told = (OVERDUE.happened, OVERDUE.means, OVERDUE.done, OVERDUE.needed)
    plain = PlainWords(*(text.format_map(names) for text in told))
    return WantedTicket(
        fingerprint=known_by(run, scope),
        kind=TicketKind.OVERDUE,
        cause=None,
        priority=priority_of(run.impact, Level.MEDIUM),
        title=plain.happened.rstrip("."),
        inventory=run.inventory,
        schedule=run.schedule,
        hosts=tuple(hosts),
        words=plain,
        owner=run.owner,
        playbook=run.playbook,
        detail=run.reason,
        group="" if scope == GROUP else known_by(run, GROUP),
    )


def known_by(run: RunFacts, scope: str) -> str:
    """What such a ticket is known by: the schedule, and the host."""
    kind, signature = TicketKind.OVERDUE, f"schedule:{run.schedule}"
    return fingerprint(inventory=run.inventory, playbook=run.playbook, kind=kind, signature=signature, scope=scope)
