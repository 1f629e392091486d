"""Runs: what was planned, where each stands, and how it ended."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path

from sqlalchemy import ColumnElement, Connection, Select, Text, func, or_, select, true, type_coerce, update
from sqlalchemy import insert as sql_insert

from runner.domain.execution.apart import locks_for
from runner.domain.execution.plan import RunPlan
from runner.domain.execution.run import Interruption, RunRecord, RunState, Trigger, Verdict
from runner.domain.who import Actor
from runner.errors import NotFound
from runner.store import counters
from runner.store.execution import locks, pieces
from runner.store.execution.plans import plan_from_json, plan_to_json
from runner.store.ids import new_id
from runner.store.schema import runs, snapshots
from runner.store.sql import read, read_one

COUNTER = "run"
PAGE = 20  # runs that are read at a time when one is looked for


class StopRequest(StrEnum):
    """What a person asked of a running run: no new piece, or an end now."""

    FINISH = "finish"
    CANCEL = "cancel"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRun:
    """A run about to be written; its id is made with it, so that writing it twice is noticed."""

    trigger: Trigger
    schedule: str
    title: str
    definition: str
    snapshot: str
    plan: RunPlan
    plan_digest: str
    requested_by: Actor
    created_at: datetime
    id: str = field(default_factory=new_id)
    slot_id: str | None = None
    override_id: str | None = None
    approval_id: str | None = None
    late_seconds: float | None = None
    versions: Mapping[str, str] = field(default_factory=dict)
    check_mode: bool = False


@dataclass(frozen=True, slots=True)
class Run:
    """One run; `plan` is read from its kept text each time that it is asked for."""

    id: str
    number: int
    slot_id: str | None
    trigger: Trigger
    schedule: str
    title: str
    definition: str
    snapshot: str
    snapshot_folder: str | None
    inventory: str
    plan_text: str = field(repr=False)
    plan_digest: str
    state: RunState
    verdict: Verdict | None
    reason: str
    record_incomplete: bool
    requested_by: Actor
    override_id: str | None
    stop_request: str | None
    stopped_by: Actor | None
    late_seconds: float | None
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    versions: Mapping[str, str]
    check_mode: bool
    approval_id: str | None = None

    @property
    def plan(self) -> RunPlan:
        """The plan that the run executes."""
        return plan_from_json(json.loads(self.plan_text))

    @property
    def snapshot_path(self) -> Path:
        """The folder that the run executes from; raises NotFound when no snapshot of that digest was kept."""
        if self.snapshot_folder is None:
            raise NotFound(f"The snapshot {self.snapshot} of run {self.number} was not kept.")
        return Path(self.snapshot_folder)


def insert(connection: Connection, run: NewRun) -> str:
    """Write a new run with the next number; its id."""
    row = {
        "id": run.id,
        "number": counters.following(connection, COUNTER),
        "slot_id": run.slot_id,
        "trigger": run.trigger,
        "schedule": run.schedule,
        "title": run.title,
        "definition": run.definition,
        "snapshot": run.snapshot,
        "inventory": run.plan.inventory,
        "plan": plan_to_json(run.plan),
        "plan_digest": run.plan_digest,
        "state": RunState.RUNNING,
        "reason": "",
        "record_incomplete": False,
        "requested_by": run.requested_by,
        "override_id": run.override_id,
        "approval_id": run.approval_id,
        "late_seconds": run.late_seconds,
        "created_at": run.created_at,
        "versions": dict(run.versions),
        "check_mode": run.check_mode,
    }
    connection.execute(sql_insert(runs).values(**row))
    return run.id


def _wanted(*where: ColumnElement[bool]) -> Select[tuple[object, ...]]:
    columns = [column for column in runs.c if column.name != "plan"]
    plan, folder = type_coerce(runs.c.plan, Text).label("plan_text"), snapshots.c.path.label("snapshot_folder")
    every = select(*columns, plan, folder).outerjoin(snapshots, snapshots.c.digest == runs.c.snapshot)
    return every.where(*where)


def get(connection: Connection, run_id: str) -> Run:
    """The run of that id; raises NotFound."""
    found = read_one(connection, Run, _wanted(runs.c.id == run_id))
    if found is None:
        raise NotFound(f"There is no run with the id {run_id!r}. `wellkept runs list` shows those that there are.")
    return found


def find(connection: Connection, text: str) -> Run:
    """The run that a person names by number, id, or the beginning of an id that fits one run only; raises NotFound."""
    name = text.strip().removeprefix("#").lower()
    number = int(name) if name.isascii() and name.isdigit() and len(name) < len("2147483648") else None
    if number is not None and (found := read_one(connection, Run, _wanted(runs.c.number == number))):
        return found
    begins = read(connection, Run, _wanted(runs.c.id.startswith(name, autoescape=True)).limit(2)) if name else []
    if len(begins) == 1:
        return begins[0]
    raise NotFound(_hint(connection, text, several=len(begins) > 1))


def _hint(connection: Connection, text: str, *, several: bool) -> str:
    if several:
        return f"More than one run's id begins with {text!r}. Write more of it, or the run's number."
    last = connection.execute(select(func.max(runs.c.number))).scalar()
    return f"There is no run {text!r}. " + (f"The last one is {last}." if last else "There has been no run yet.")


def live(connection: Connection) -> list[Run]:
    """The runs that are going on, the oldest first."""
    return read(connection, Run, _wanted(runs.c.state == RunState.RUNNING).order_by(runs.c.number))


def live_of_schedule(connection: Connection, schedule: str) -> Run | None:
    """The run of this schedule that is going on; the oldest when there are several. One that only looks ahead keeps no other from starting."""
    going = _wanted(runs.c.state == RunState.RUNNING, runs.c.schedule == schedule, runs.c.trigger != Trigger.READINESS)
    return read_one(connection, Run, going.order_by(runs.c.number))


def last_readiness(connection: Connection, schedule: str, *, since: datetime) -> Run | None:
    """The latest readiness run of this schedule that was created from then on, going or settled."""
    ahead = _wanted(runs.c.trigger == Trigger.READINESS, runs.c.schedule == schedule, runs.c.created_at >= since)
    return read_one(connection, Run, ahead.order_by(runs.c.number.desc()))


def recent(connection: Connection, limit: int, schedule: str | None = None) -> list[Run]:
    """The latest runs, newest first."""
    wanted = _wanted() if schedule is None else _wanted(runs.c.schedule == schedule)
    return read(connection, Run, wanted.order_by(runs.c.number.desc()).limit(limit))


def last_whole(connection: Connection, schedule: str) -> Run | None:
    """The latest run of a schedule for all of its hosts, going or settled; runs that only looked and runs that a person limited are passed over."""
    done = runs.c.check_mode.is_(False), runs.c.trigger != Trigger.READINESS
    newest = _wanted(runs.c.schedule == schedule, *done).order_by(runs.c.number.desc())
    page = read(connection, Run, newest.limit(PAGE))
    while page:
        if whole := next((run for run in page if run.plan.limit is None), None):
            return whole
        page = read(connection, Run, newest.where(runs.c.number < page[-1].number).limit(PAGE))
    return None


def between(connection: Connection, from_: datetime, to: datetime) -> list[Run]:
    """The runs created in [from_, to), in order."""
    return read(connection, Run, _wanted(runs.c.created_at >= from_, runs.c.created_at < to).order_by(runs.c.number))


def going_between(connection: Connection, from_: datetime | None, to: datetime | None) -> list[Run]:
    """The runs that were going at some time in [from_, to), in order; None leaves that side open."""
    ended = or_(runs.c.ended_at.is_(None), runs.c.ended_at >= from_) if from_ else true()
    begun = runs.c.created_at < to if to else true()
    return read(connection, Run, _wanted(ended, begun).order_by(runs.c.number))


def settled_ids(connection: Connection) -> list[str]:
    """The ids of all runs that have ended."""
    return list(connection.execute(select(runs.c.id).where(runs.c.state == RunState.SETTLED)).scalars())


def record(
    connection: Connection,
    run_id: str,
    *,
    interruption: Interruption | None = None,
    vanished: Collection[str] = (),
    estimates: Mapping[str, timedelta] | None = None,
) -> RunRecord:
    """A run as its rows tell it, with what else bears on its next step; raises NotFound."""
    run = get(connection, run_id)
    plan = run.plan
    held = locks.held(connection, plan.inventory)
    elsewhere = {name for name, holder in held.items() if holder != run_id}
    return RunRecord(
        id=run.id,
        plan=plan,
        pieces=pieces.records(connection, run_id),
        interruption=interruption,
        locked=frozenset(host for host in plan.hosts if not elsewhere.isdisjoint(locks_for([host], plan.groups))),
        held=frozenset(name for name, holder in held.items() if holder == run_id),
        vanished=frozenset(vanished),
        estimates=dict(estimates or {}),
        reserve=plan.reserve,
        record_incomplete=run.record_incomplete,
    )


def start(connection: Connection, run_id: str, *, at: datetime) -> bool:
    """Keep when the first piece of a run began; False when that was kept before."""
    swap = update(runs).where(runs.c.id == run_id, runs.c.started_at.is_(None)).values(started_at=at)
    return connection.execute(swap).rowcount == 1


def settle(
    connection: Connection, run_id: str, *, verdict: Verdict, reason: str, at: datetime, record_incomplete: bool = False
) -> bool:
    """Give a run its verdict; False when it has one already. A record once marked incomplete stays so."""
    swap = update(runs).where(runs.c.id == run_id, runs.c.state == RunState.RUNNING)
    values: dict[str, object] = {
        "state": RunState.SETTLED,
        "verdict": verdict,
        "reason": reason,
        "ended_at": at,
    }
    if record_incomplete:
        values["record_incomplete"] = True
    return connection.execute(swap.values(**values)).rowcount == 1


def mark_incomplete(connection: Connection, run_id: str) -> None:
    """Note that something of what happened was not recorded."""
    connection.execute(update(runs).where(runs.c.id == run_id).values(record_incomplete=True))


def request_stop(connection: Connection, run_id: str, how: str, by: Actor) -> bool:
    """Ask a going run to finish (no new piece) or to cancel (end now); False when it has ended or was asked for as much already."""
    how = StopRequest(how)
    weaker: ColumnElement[bool] = runs.c.stop_request.is_(None)
    if how is StopRequest.CANCEL:
        weaker = or_(weaker, runs.c.stop_request == StopRequest.FINISH)
    swap = update(runs).where(runs.c.id == run_id, runs.c.state == RunState.RUNNING, weaker)
    return connection.execute(swap.values(stop_request=str(how), stopped_by=by)).rowcount == 1
