"""One run in full: what was planned, every piece of it, and how every host ended, with the cause in plain words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from runner.domain.execution.outcome import HostResult, NotRun, Result
from runner.domain.execution.plan import RunPlan
from runner.domain.tickets.cause import CauseClass, package_in, words
from runner.errors import count
from runner.operations.execution.approval_shown import ApprovalShown, approval_of
from runner.store.database import Store
from runner.store.execution import outcomes, overrides, pieces, runs, snapshots
from runner.store.tickets import tickets
from runner.store.transaction import Transaction

NEW_LINE = "\n"


@dataclass(frozen=True, slots=True)
class HostOfRun:
    """How one host ended; `cause` is a class, `words` say in plain words what happened and what is needed, `text` is the message itself.

    `packages` are `name before -> after`; `cause_rules` is the version of the rules that named the cause. `attempts` is how often the playbook was started,
    `rollback` how the rollback ended in a few words.
    """

    host: str
    outcome: str
    cause: str | None
    words: str
    text: str
    task: str
    packages: tuple[str, ...]
    rebooted: bool
    reboot_needed: bool
    started: datetime | None
    ended: datetime | None
    attempts: int | None = None
    rollback: str = ""
    cause_rules: str | None = None


@dataclass(frozen=True, slots=True)
class PieceShown:
    """One call of Ansible, or one round of probes."""

    id: str
    wave: str
    batch: int
    stage: str
    step: int
    attempt: int
    state: str
    hosts: tuple[str, ...]
    problem: str | None
    complete: bool
    started: datetime | None
    ended: datetime | None


@dataclass(frozen=True, slots=True)
class TicketOfRun:
    """A ticket that the run left or touched."""

    number: int
    state: str
    title: str


@dataclass(frozen=True, slots=True)
class RunShown:
    """One run; `commit` and `dirty` tell the state of the files it ran from, `override` the reason for which guards were passed."""

    number: int
    id: str
    schedule: str
    title: str
    inventory: str
    trigger: str
    requested_by: str
    check_mode: bool
    state: str
    verdict: str | None
    reason: str
    summary: str
    record_incomplete: bool
    stop_request: str | None
    stopped_by: str | None
    override: str | None
    plan_digest: str
    commit: str | None
    dirty: bool | None
    budget: int
    waves: tuple[str, ...]
    created: datetime
    started: datetime | None
    ended: datetime | None
    late_seconds: float | None
    hosts: tuple[HostOfRun, ...]
    pieces: tuple[PieceShown, ...]
    tickets: tuple[TicketOfRun, ...]
    approval: ApprovalShown | None = None


def show_run(name: str, *, store: Store) -> RunShown:
    """The run that a person names by number or id; raises NotFound."""
    return store.read(partial(read_run, name=name))


def read_run(connection: Transaction, *, name: str) -> RunShown:
    """Everything about a run, at one moment."""
    run = runs.find(connection, name)
    plan, rows = run.plan, outcomes.of_run(connection, run.id)
    taken = snapshots.get(connection, run.snapshot)
    override = overrides.get(connection, run.override_id) if run.override_id else None
    return RunShown(
        number=run.number,
        id=run.id,
        schedule=run.schedule,
        title=run.title,
        inventory=run.inventory,
        trigger=str(run.trigger),
        requested_by=run.requested_by.name,
        check_mode=run.check_mode,
        state=str(run.state),
        verdict=str(run.verdict) if run.verdict else None,
        reason=run.reason,
        summary=summary_of(run, rows),
        record_incomplete=run.record_incomplete,
        stop_request=run.stop_request,
        stopped_by=run.stopped_by.name if run.stopped_by else None,
        override=override.reason if override else None,
        plan_digest=run.plan_digest,
        commit=taken.commit if taken else None,
        dirty=taken.dirty if taken else None,
        budget=plan.budget,
        waves=tuple(wave.name for wave in plan.waves),
        created=run.created_at,
        started=run.started_at,
        ended=run.ended_at,
        late_seconds=run.late_seconds,
        hosts=tuple(hosts_shown(connection, run, plan, rows)),
        pieces=tuple(piece_shown(piece, plan) for piece in pieces.of_run(connection, run.id)),
        tickets=tuple(TicketOfRun(t.number, str(t.state), t.title) for t in tickets.of_run(connection, run.id)),
        approval=approval_of(connection, run),
    )


def hosts_shown(
    connection: Transaction, run: runs.Run, plan: RunPlan, rows: list[outcomes.HostOutcome]
) -> Iterator[HostOfRun]:
    """How each planned host ended; while the run is going on, how far each has come."""
    yield from (host_shown(row, plan) for row in rows)
    if rows or run.verdict:
        return
    known = pieces.results_of_run(connection, run.id)
    last = {host: result for results in known.values() for host, result in results.items()}
    for host in plan.hosts:
        outcome = f"{outcome_in_words(last[host])} so far" if host in last else "not begun"
        yield HostOfRun(host, outcome, None, "", "", "", (), False, False, None, None)  # noqa: FBT003  a host without an end


def host_shown(row: outcomes.HostOutcome, plan: RunPlan) -> HostOfRun:
    """One host's row."""
    result, reboot = row.result, row.reboot or {}
    return HostOfRun(
        host=row.host,
        outcome=outcome_in_words(result),
        cause=result.cause,
        words=words_for(row, plan.services.get(row.host, "")),
        text=result.text,
        task=result.task,
        packages=tuple(package_in_words(change) for change in row.packages),
        rebooted=bool(reboot.get("done")),
        reboot_needed=bool(reboot.get("needed")),
        started=result.started,
        ended=result.ended,
        attempts=row.attempts,
        rollback=rollback_in_words(row.rollback),
        cause_rules=result.cause_rules,
    )


def rollback_in_words(rollback: Mapping[str, object] | None) -> str:
    """How a rollback ended; nothing when there was none."""
    if rollback is None:
        return ""
    if rollback["result"] in {Result.OK, Result.CHANGED}:
        return "rolled back"
    return f"rollback failed: {str(rollback['text']).strip().partition(NEW_LINE)[0]}"


def words_for(row: outcomes.HostOutcome, service: str) -> str:
    """What happened there and what is needed, in plain words; nothing where all went well."""
    result = row.result
    if not result.cause or result.cause not in set(CauseClass):
        return ""
    told = words(
        CauseClass(result.cause),
        host=row.host,
        service=service,
        package=package_in(result.text),
        touched=result.touched,
        own=result.own_words,
    )
    return " ".join(part for part in (told.happened, told.needed) if part)


def piece_shown(piece: pieces.Piece, plan: RunPlan) -> PieceShown:
    """One piece's row."""
    return PieceShown(
        id=piece.id,
        wave=plan.waves[piece.wave].name,
        batch=piece.batch,
        stage=str(piece.stage),
        step=piece.step,
        attempt=piece.attempt,
        state=str(piece.state),
        hosts=piece.hosts,
        problem=piece.problem,
        complete=piece.complete,
        started=piece.started_at,
        ended=piece.ended_at,
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
    told = f"Run {run.number} {run.verdict}: {good} of {count(len(rows), 'host')} {'ready' if run.plan.readiness else 'done as planned'}"
    told += f", {left} not touched" if left else ""
    told += f" ({run.reason})" if run.reason else ""
    return told + (". The record is incomplete." if run.record_incomplete else ".")
