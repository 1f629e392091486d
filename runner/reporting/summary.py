"""Section 1: the period on one page; every number names the records that it counts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from runner.domain.execution.run import Trigger
from runner.domain.tickets.ticket import TicketState
from runner.reporting.findings import findings
from runner.reporting.lines import Standing
from runner.reporting.material import Material, grouped
from runner.reporting.permission import approval_counts
from runner.reporting.shares import percents, wilson
from runner.reporting.slots import slot_status
from runner.reporting.standings import ends_by_host, was_reached
from runner.reporting.values import HostCounts, Part, Share, Summary, TicketCounts
from runner.reporting.words import SLOTS, UNSETTLED, Tone

TONES = list(Tone)


def summary(material: Material, standings: Sequence[Standing]) -> Summary:
    """Slots by outcome, hosts, tickets and what stands out."""
    rows = material.rows
    return Summary(
        planned=len(rows.slots),
        parts=parts(material),
        withdrawn=rows.withdrawn,
        runs=len(rows.runs),
        by_hand=tuple(run.number for run in rows.runs if run.trigger in {Trigger.HAND, Trigger.CONTINUED}),
        hosts=host_counts(material, standings),
        tickets=ticket_counts(material),
        approvals=approval_counts(material),
        findings=findings(material, standings),
    )


def parts(material: Material) -> tuple[Part, ...]:
    """How many slots ended how, best first; the percentages add up to exactly 100."""
    by_status = grouped((slot_status(slot), slot.id) for slot in material.rows.slots)
    codes = [*SLOTS, *UNSETTLED]
    order = sorted(
        by_status,
        key=lambda s: (TONES.index(Tone(s.tone)), codes.index(s.code) if s.code in codes else len(codes), s.code),
    )
    shares = percents([len(by_status[status]) for status in order])
    return tuple(
        Part(status, len(by_status[status]), percent, by_status[status])
        for status, percent in zip(order, shares, strict=True)
    )


def host_counts(material: Material, standings: Sequence[Standing]) -> HostCounts:
    """How many hosts were reached, how many are done as planned, and on how many software was updated."""
    ends = ends_by_host(material)
    names = [(standing.inventory, standing.host) for standing in standings]
    rows = {name: [end.row for end in ends.get(name, ())] for name in names}
    return HostCounts(
        in_scope=len(names),
        reached=share((name[1] for name in names if was_reached(ends.get(name, ()))), len(names)),
        done=share((standing.host for standing in standings if standing.status.code == "done"), len(names)),
        updated=share((name[1] for name in names if any(row.packages for row in rows[name])), len(names)),
        restarted=sum(any(row.reboot and row.reboot.get("done") for row in rows[name]) for name in names),
    )


def share(hosts: Iterable[str], of: int) -> Share:
    """These hosts among all in scope."""
    found = tuple(hosts)
    if not of:
        return Share(len(found), of, None, None, None, found)
    low, high = wilson(len(found), of)
    return Share(len(found), of, round(100 * len(found) / of, 1), low, high, found)


def ticket_counts(material: Material) -> TicketCounts:
    """Tickets opened and resolved in the period, and those that were live at its end."""
    period, tickets = material.period, material.rows.tickets
    resolved = [
        row
        for row in tickets
        if row.state is TicketState.RESOLVED and row.resolved_at and row.resolved_at < period.ends
    ]
    return TicketCounts(
        opened=tuple(row.number for row in tickets if row.opened_at >= period.starts),
        resolved=tuple(row.number for row in resolved),
        live_at_the_end=tuple(row.number for row in tickets if row not in resolved),
    )
