"""Does one piece: claim it with its host locks, execute it behind the leash or by probes, and record what came of it."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import datetime
from functools import partial

from runner.domain.execution.ansible_words import refusal_in
from runner.domain.execution.fold import PieceFold, cut_off, timed_out
from runner.domain.execution.look import UnreadableLookError, read_look
from runner.domain.execution.next_step import reason_to_stop
from runner.domain.execution.outcome import HostResult, NotRun, Result
from runner.domain.execution.plan import RunPlan, Step, StepKind
from runner.domain.execution.progress import Track, batches_of, last_tracks
from runner.domain.execution.run import PieceState, RunRecord, Stage
from runner.domain.settings import Definitions
from runner.errors import WellkeptError
from runner.operations.execution.ask_hosts import ask_hosts, conditions
from runner.operations.execution.end_piece import Found, finish_piece
from runner.operations.execution.execute_playbook import (
    Claimed,
    LeaseLostError,
    NotStartedError,
    execute_playbook,
    heartbeat_of,
)
from runner.operations.execution.heartbeat import LEASE
from runner.operations.execution.load_record import load_record, most_at_once
from runner.operations.execution.verify_reboot import verified
from runner.operations.site import Site
from runner.ports import PieceEnd
from runner.store.execution import drains, pieces, places, runs
from runner.store.record import log as entries
from runner.store.transaction import Transaction

log = logging.getLogger(__name__)
TOUCHING = {Stage.PRE_CHECK, Stage.APPLY}
AFTERWARDS = {Stage.POST_CHECK, Stage.ROLLBACK}
LOOK_TEXT = "look"


def run_piece(piece_id: str, *, site: Site) -> str:
    """Do one planned piece if it is still wanted and can be had; gives the id of its run. Raises NotFound.

    While somebody drains, it stays planned.
    """
    piece = site.store.read(lambda c: pieces.get(c, piece_id))
    since = site.monotonic()
    waits = piece.state is not PieceState.PLANNED or site.store.read(drains.in_force) is not None
    if not waits and (fence := claim_piece(piece, site=site)) is not None:
        run = site.store.read(lambda c: runs.get(c, piece.run_id))
        do_piece(Claimed(piece, fence, since, run, site.current(), step_of(piece, run)), site=site)
    return piece.run_id


def claim_piece(piece: pieces.Piece, *, site: Site) -> int | None:
    """Claim a piece and its host locks, all or none; a piece that may no longer start, or can't have its locks, is withdrawn."""
    record = load_record(piece.run_id, site=site)
    fence = None
    if may_start(piece, record, now=site.clock()):
        most = most_at_once(site.store.read(lambda c: runs.get(c, piece.run_id)), site=site)
        fence = site.store.write(partial(claim_in_bounds, piece=piece, plan=record.plan, most=most, site=site))
    if fence is None:
        site.store.write(
            lambda c: pieces.withdraw(c, piece.id)
        )  # nothing happens here when somebody else has claimed it
    return fence


def may_start(piece: pieces.Piece, record: RunRecord, *, now: datetime) -> bool:
    """Whether a planned piece is still wanted: checks that are owed to touched hosts always are, their rollback unless a person ended it."""
    if piece.stage is Stage.ROLLBACK:
        return not record.ended_now
    return piece.stage not in TOUCHING or not reason_to_stop(record, now=now)


def claim_in_bounds(
    connection: Transaction, *, piece: pieces.Piece, plan: RunPlan, most: int | None, site: Site
) -> int | None:
    """The claim, if all runs together have no more hosts in hand then than they may; looked at in the same transaction."""
    if most is not None and not places.are_left(connection, piece, most=most):
        return None
    return claim(connection, piece=piece, plan=plan, site=site)


def claim(connection: Transaction, *, piece: pieces.Piece, plan: RunPlan, site: Site) -> int | None:
    """The claim, its locks, and the run's start when this is its first piece, in one transaction."""
    fence = pieces.claim(
        connection, piece.id, owner=site.owner, inventory=plan.inventory, lease=LEASE, groups=plan.groups
    )
    if fence is not None:
        runs.start(connection, piece.run_id, at=site.clock())
    return fence


def step_of(piece: pieces.Piece, run: runs.Run) -> Step:
    """What this piece does, as the run's plan says."""
    match piece.stage:
        case Stage.PRE_CHECK:
            return run.plan.before[piece.step]
        case Stage.POST_CHECK:
            return run.plan.after[piece.step]
        case Stage.ROLLBACK:
            return run.plan.rollback[piece.step]
        case _:
            return Step(StepKind.PLAYBOOK, run.plan.playbook)


def do_piece(work: Claimed, *, site: Site) -> None:
    """Execute a claimed piece and record its end; when the lease was lost on the way, whoever took it over records it instead."""
    opened = {
        "action": "piece.started",
        "run": work.run.id,
        "stage": str(work.piece.stage),
        "step": work.step.name or LOOK_TEXT,
        "hosts": list(work.piece.hosts),
    }
    site.store.write(lambda c: entries.append(c, work.stream, [opened], at=site.clock()))
    try:
        found = done(work, site=site)
    except LeaseLostError:
        log.warning(
            "Piece %s was taken over", work.piece.id, extra={"action": "piece.taken_over", "piece": work.piece.id}
        )
        return
    finish_piece(work, found, site=site)


def done(work: Claimed, *, site: Site) -> Found:
    """What the piece came to, by the definitions in the run's own snapshot; one that cannot be started is a problem that settles its run."""
    try:
        own = replace(work, definitions=definitions_of(work, site=site))
        found = DO[work.step.kind](own, site)
        return replace(found, problem=found.problem and in_short(found.problem, work, site=site))
    except NotStartedError as reason:
        return Found({}, problem=f"it could not be started: {reason}")


def in_short(problem: str, work: Claimed, *, site: Site) -> str:
    """What Ansible said in one line, with paths as people know them: those of the repository, not of its copy."""
    project = str(site.snapshotted.path(work.run.snapshot))
    return str(refusal_in(problem, project=project) or problem.replace(f"{project}/", ""))


def definitions_of(work: Claimed, *, site: Site) -> Definitions:
    """The definitions that the run lives by; raises NotStartedError when its snapshot cannot be read any more."""
    try:
        return site.snapshotted.of(work.run.snapshot)
    except (WellkeptError, OSError) as error:
        raise NotStartedError(str(error)) from error


def look(work: Claimed, site: Site) -> Found:
    """The built-in step: can the host be reached and logged in to, what is installed there, and is anything at work."""
    fold, end = execute_playbook(work, site=site)
    looks = {host: heard.output for host, heard in fold.heard.items() if heard.output}
    found = from_fold(fold, end, work)
    doubtful = hosts_in_doubt(work, site=site)
    results = {
        host: looked_at(result, looks.get(host), doubtful=host in doubtful) for host, result in found.results.items()
    }
    if work.piece.stage is Stage.POST_CHECK:
        results = verified(results, looks, work, site=site)
    return replace(found, looks=looks, results=results)


def hosts_in_doubt(work: Claimed, *, site: Site) -> set[str]:
    """The hosts of this run that something of ours may still be going on at; before a rollback nothing at all may."""
    if (work.piece.stage, work.piece.step) == (Stage.ROLLBACK, 0):
        return set(work.piece.hosts)
    tracks = last_tracks(batches_of(load_record(work.run.id, site=site)))
    return {host for host, track in tracks.items() if track.in_doubt or was_lost(track)}


def was_lost(track: Track) -> bool:
    """Whether the connection to this host was lost while the playbook was at work there."""
    return track.applied is not None and track.applied.result is Result.UNREACHABLE and track.touched


def play(work: Claimed, site: Site) -> Found:
    """A playbook of the user's own."""
    return from_fold(*execute_playbook(work, site=site), work)


def ask(work: Claimed, site: Site) -> Found:
    """A health check of the user's own."""
    with heartbeat_of(work, feed=lambda _: None, site=site):  # probes have no leash to feed
        results, findings = ask_hosts(work, site=site)
    body = {"action": "health.asked", "check": work.step.name, "conditions": dict(conditions(findings))}
    site.store.write(lambda c: entries.append(c, work.stream, [body], at=site.clock()))
    return Found(results)


DO = {StepKind.LOOK: look, StepKind.PLAYBOOK: play, StepKind.HEALTH: ask}


def from_fold(fold: PieceFold, end: PieceEnd, work: Claimed) -> Found:
    """What Ansible's events add up to; a check that touches nothing never leaves a host in doubt."""
    known = fold.results()
    if end.how == "timed_out":
        known = {**known, **timed_out(fold.hosts, known)}
    if end.how == "cancelled" and work.piece.stage is Stage.APPLY:
        known = {**known, **cut_off(fold.hosts, known)}
    if work.piece.stage is Stage.ROLLBACK and work.step.kind is StepKind.PLAYBOOK:
        known = {host: of_rollback(result) for host, result in known.items()}
    elif work.piece.stage is not Stage.APPLY:
        known = {host: of_check(result, after=work.piece.stage in AFTERWARDS) for host, result in known.items()}
    return Found(
        results=known,
        problem=fold.problem,
        unmatched=tuple(fold.unmatched),
        complete=fold.complete and end.complete,
        how=end.how,
        gone=end.gone,
        note=end.note,
    )


def of_check(result: HostResult, *, after: bool) -> HostResult:
    """A host that a check's plays do not name passes it; a check itself touches nothing, but after the playbook the host was touched."""
    if result.reason is NotRun.NOT_IN_PLAYBOOK:
        return replace(result, result=Result.OK, reason=None, text="")
    return replace(result, touched=after)


def of_rollback(result: HostResult) -> HostResult:
    """A host that no play of the rollback names was not rolled back; any other was touched long before."""
    if result.reason is NotRun.NOT_IN_PLAYBOOK:
        why = "no play of the rollback names this host"
        return replace(result, result=Result.FAILED, reason=None, touched=True, text=why, signature=why)
    return replace(result, touched=True)


def looked_at(result: HostResult, text: str | None, *, doubtful: bool) -> HostResult:
    """A look that was cut off is none; a host in doubt is not clear while a package manager or a module is at work there.

    On any other host that is somebody else's work, which the playbook's own waiting for locks gets along with.
    """
    if text is None or not result.result.is_good:
        return result
    try:
        busy = read_look(text).busy
    except UnreadableLookError as reason:
        return replace(
            result, result=Result.FAILED, cause="unknown", text=str(reason), signature="the look was cut off"
        )
    if not busy or not doubtful:
        return replace(result, result=Result.OK)
    why = f"still at work there: {'; '.join(busy)}"
    return replace(result, result=Result.IN_DOUBT, cause="package_lock", text=why, signature="still at work there")
