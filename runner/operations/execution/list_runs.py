"""The latest runs, each in one line."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from runner.operations.execution.approval_shown import ApprovalShown, approval_of
from runner.store.database import Store
from runner.store.execution import outcomes, runs
from runner.store.transaction import Transaction


@dataclass(frozen=True, slots=True)
class RunLine:
    """One run; `outcomes` counts its hosts by how they ended, `verdict` is None while it is going on."""

    number: int
    id: str
    schedule: str
    title: str
    trigger: str
    requested_by: str
    check_mode: bool
    state: str
    verdict: str | None
    reason: str
    record_incomplete: bool
    hosts: int
    outcomes: dict[str, int]
    created: datetime
    started: datetime | None
    ended: datetime | None
    approval: ApprovalShown | None = None


def list_runs(*, store: Store, limit: int, schedule: str | None = None) -> list[RunLine]:
    """At most `limit` runs, newest first."""
    return store.read(partial(read_lines, limit=limit, schedule=schedule))


def read_lines(connection: Transaction, *, limit: int, schedule: str | None) -> list[RunLine]:
    """The lines of one moment."""
    return [line_of(connection, run) for run in runs.recent(connection, limit, schedule)]


def line_of(connection: Transaction, run: runs.Run) -> RunLine:
    """One run in one line."""
    return RunLine(
        number=run.number,
        id=run.id,
        schedule=run.schedule,
        title=run.title,
        trigger=str(run.trigger),
        requested_by=run.requested_by.name,
        check_mode=run.check_mode,
        state=str(run.state),
        verdict=str(run.verdict) if run.verdict else None,
        reason=run.reason,
        record_incomplete=run.record_incomplete,
        hosts=len(run.plan.hosts),
        outcomes=dict(Counter(str(row.result.result) for row in outcomes.of_run(connection, run.id))),
        created=run.created_at,
        started=run.started_at,
        ended=run.ended_at,
        approval=approval_of(connection, run),
    )
