"""One run as people and programs want to read it: who, what, when, and how every host ended."""

from __future__ import annotations

from typing import TypedDict

from runner.domain.execution.outcome import HostResult, NotRun, Result
from runner.errors import count
from runner.operations.site import Site
from runner.store.execution import outcomes, runs
from runner.store.tickets import tickets
from runner.store.transaction import Transaction


class HostTold(TypedDict):
    """How one host ended; `packages` are `name before -> after`."""

    host: str
    outcome: str
    cause: str
    text: str
    packages: list[str]
    rebooted: bool


class TicketTold(TypedDict):
    """A ticket that the run left or touched."""

    number: int
    state: str
    title: str


class RunTold(TypedDict):
    """One run; instants are ISO 8601 with offset."""

    id: str
    number: int
    schedule: str
    title: str
    trigger: str
    requested_by: str
    state: str
    verdict: str | None
    reason: str
    record_incomplete: bool
    created: str
    started: str | None
    ended: str | None
    summary: str
    hosts: list[HostTold]
    tickets: list[TicketTold]


def describe_run(run: runs.Run, *, site: Site) -> RunTold:
    """Everything worth telling about a run, settled or going."""
    rows = site.store.read(lambda c: outcomes.of_run(c, run.id))
    hosts = [host_told(row) for row in rows]
    return RunTold(
        id=run.id,
        number=run.number,
        schedule=run.schedule,
        title=run.title,
        trigger=str(run.trigger),
        requested_by=run.requested_by.name,
        state=str(run.state),
        verdict=str(run.verdict) if run.verdict else None,
        reason=run.reason,
        record_incomplete=run.record_incomplete,
        created=run.created_at.isoformat(),
        started=run.started_at.isoformat() if run.started_at else None,
        ended=run.ended_at.isoformat() if run.ended_at else None,
        summary=summary_of(run, rows),
        hosts=hosts,
        tickets=site.store.read(lambda c: tickets_told(c, run.id)),
    )


def host_told(row: outcomes.HostOutcome) -> HostTold:
    """One host's row."""
    return HostTold(
        host=row.host,
        outcome=outcome_in_words(row.result),
        cause=row.result.cause or "",
        text=row.result.text,
        packages=[package_in_words(change) for change in row.packages],
        rebooted=bool(row.reboot and row.reboot.get("done")),
    )


def outcome_in_words(result: HostResult) -> str:
    """A result with its reason: `not_run (budget)`."""
    return f"{result.result} ({result.reason})" if result.reason else str(result.result)


def package_in_words(change: object) -> str:
    """One package before and after."""
    row = dict(change) if isinstance(change, dict) else {}
    before, after = row.get("before"), row.get("after")
    if before and after:
        return f"{row['name']} {before} -> {after}"
    return f"{row.get('name')} {after} (new)" if after else f"{row.get('name')} {before} (no longer properly installed)"


def summary_of(run: runs.Run, rows: list[outcomes.HostOutcome]) -> str:
    """The verdict in one sentence."""
    if run.verdict is None:
        return f"Run {run.number} is going on."
    good = sum(1 for row in rows if row.result.result.is_good)
    left = sum(1 for row in rows if row.result.result is Result.NOT_RUN and row.result.reason is not NotRun.PRE_CHECK)
    told = f"Run {run.number} {run.verdict}: {good} of {count(len(rows), 'host')} done as planned"
    told += f", {left} not touched" if left else ""
    told += f" ({run.reason})" if run.reason else ""
    return told + (". The record is incomplete." if run.record_incomplete else ".")


def tickets_told(connection: Transaction, run_id: str) -> list[TicketTold]:
    """The tickets that this run opened or touched."""
    found = tickets.of_run(connection, run_id)
    return [TicketTold(number=ticket.number, state=str(ticket.state), title=ticket.title) for ticket in found]
