"""The rows of a period, ordered for the sections of a report: who belongs to which run, and what lies in scope."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TypeVar
from zoneinfo import ZoneInfo

from runner.domain.execution.plan import RunPlan
from runner.domain.report import Period
from runner.reporting.lines import Moment, Reference
from runner.store.execution.runs import Run
from runner.store.record.period_rows import CheckRow, OutcomeRow, PeriodRows, TicketRow
from runner.store.time.slots import Slot

K = TypeVar("K")
V = TypeVar("V")
HostName = tuple[str, str]  # (inventory, name): the same name in two inventories is two hosts


@dataclass(frozen=True, slots=True)
class Scope:
    """Which hosts a report is about, and how people call them; `hosts` None means all."""

    title: str = "Everything that Wellkept keeps here"
    hosts: frozenset[HostName] | None = None


@dataclass(frozen=True, slots=True)
class Heading:
    """What a report says about itself, all of it from outside."""

    organisation: str
    title: str
    generated_at: datetime
    generated_by: str
    versions: Mapping[str, str]
    installation: str


@dataclass(frozen=True, slots=True)
class Material:
    """Everything that the sections are made of; the mappings are indexes over the rows."""

    rows: PeriodRows
    period: Period
    zone: ZoneInfo
    scope: Scope
    heading: Heading
    runs: Mapping[str, Run] = field(default_factory=dict)
    plans: Mapping[str, RunPlan] = field(default_factory=dict)
    slots: Mapping[str, Slot] = field(default_factory=dict)
    outcomes: Mapping[str, tuple[OutcomeRow, ...]] = field(default_factory=dict)
    checks: Mapping[tuple[str, str], tuple[CheckRow, ...]] = field(default_factory=dict)
    tickets: Mapping[str, tuple[TicketRow, ...]] = field(default_factory=dict)

    def moment(self, at: datetime) -> Moment:
        """An instant as the report writes it."""
        local = at.astimezone(self.zone)
        utc = at.astimezone(UTC).replace(tzinfo=None)
        return Moment(
            f"{utc.isoformat(timespec='seconds')}Z", local.isoformat(timespec="seconds"), local.tzname() or ""
        )

    def maybe(self, at: datetime | None) -> Moment | None:
        """An instant that may not be known."""
        return None if at is None else self.moment(at)

    def run_number(self, run_id: str | None) -> int | None:
        """The number of a run of the period."""
        run = self.runs.get(run_id or "")
        return run.number if run else None

    def outcomes_of(self, run: Run) -> tuple[OutcomeRow, ...]:
        """How the hosts of a run ended, in the order of its plan."""
        place = {host: position for position, host in enumerate(self.plans[run.id].hosts)}
        found = self.outcomes.get(run.id, ())
        return tuple(sorted(found, key=lambda row: (place.get(row.host, len(place)), row.host)))


def material(rows: PeriodRows, *, period: Period, zone: ZoneInfo, scope: Scope, heading: Heading) -> Material:
    """Order the rows, and leave out what is not in scope."""
    plans = {run.id: run.plan for run in rows.runs}
    kept = rows if scope.hosts is None else narrowed(rows, plans, scope.hosts)
    return Material(
        rows=kept,
        period=period,
        zone=zone,
        scope=scope,
        heading=heading,
        runs={run.id: run for run in kept.runs},
        plans=plans,
        slots={slot.id: slot for slot in kept.slots},
        outcomes=grouped((row.run_id, row) for row in kept.outcomes),
        checks=grouped(((row.run_id, row.host), row) for row in kept.checks),
        tickets=tickets_by_run(kept),
    )


def narrowed(rows: PeriodRows, plans: Mapping[str, RunPlan], hosts: frozenset[HostName]) -> PeriodRows:
    """Only what touches the hosts in scope; a slot whose hosts are not known is kept, so that nothing is lost unseen."""
    names = {name for _, name in hosts}
    runs = tuple(run for run in rows.runs if any((run.inventory, host) in hosts for host in plans[run.id].hosts))
    run_ids = {run.id for run in runs}
    slots = tuple(slot for slot in rows.slots if slot.hosts is None or names.intersection(slot.hosts))
    schedules = {slot.schedule for slot in slots} | {run.schedule for run in runs}
    tickets = tuple(ticket for ticket in rows.tickets if concerns(ticket, hosts, schedules))
    return replace(
        rows,
        slots=slots,
        cadence=tuple(row for row in rows.cadence if row.schedule in schedules),
        runs=runs,
        outcomes=tuple(row for row in rows.outcomes if (row.inventory, row.host) in hosts),
        pieces=tuple(row for row in rows.pieces if row.run_id in run_ids),
        tickets=tickets,
        overrides=tuple(row for row in rows.overrides if row.schedule in schedules),
        evidence=tuple(
            row for row in rows.evidence if row.run_id in run_ids and (row.host is None or row.host in names)
        ),
        inventories=tuple(
            replace(row, hosts=tuple(host for host in row.hosts if (row.inventory, host) in hosts))
            for row in rows.inventories
        ),
    )


def concerns(ticket: TicketRow, hosts: frozenset[HostName], schedules: Collection[str | None]) -> bool:
    """Whether a ticket is about hosts in scope, or about a schedule that is."""
    if ticket.hosts:
        return any((ticket.inventory or "", host) in hosts for host in ticket.hosts)
    return ticket.schedule in schedules


def tickets_by_run(rows: PeriodRows) -> Mapping[str, tuple[TicketRow, ...]]:
    """The tickets that name a run in their entries."""
    by_id = {ticket.id: ticket for ticket in rows.tickets}
    pairs = {
        (event.run_id, event.ticket_id) for event in rows.ticket_events if event.run_id and event.ticket_id in by_id
    }
    return grouped(
        (run_id, by_id[ticket_id]) for run_id, ticket_id in sorted(pairs, key=lambda pair: by_id[pair[1]].number)
    )


def grouped(pairs: Iterable[tuple[K, V]]) -> Mapping[K, tuple[V, ...]]:
    """Values by key, in the order in which they came."""
    found: dict[K, list[V]] = defaultdict(list)
    for key, value in pairs:
        found[key].append(value)
    return {key: tuple(values) for key, values in found.items()}


def run_reference(run: Run) -> Reference:
    """A run as something to point at."""
    return Reference("run", run.id, f"run {run.number}")


def slot_reference(slot: Slot) -> Reference:
    """A slot as something to point at."""
    return Reference("slot", slot.id, f"slot {slot.schedule} {slot.rule_date.isoformat()}")


def ticket_reference(ticket: TicketRow) -> Reference:
    """A ticket as something to point at."""
    return Reference("ticket", ticket.id, f"ticket {ticket.number}")
