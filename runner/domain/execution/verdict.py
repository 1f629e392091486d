"""How each host ended and how the whole run ended: first match wins, and never a false green."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from runner.domain.execution.again import awaits_retry
from runner.domain.execution.outcome import HostResult, NotRun, Result
from runner.domain.execution.progress import Track, batches_of, last_tracks
from runner.domain.execution.run import NOT_RUN_BECAUSE, PieceState, RunRecord, Stage, StopReason, Verdict
from runner.domain.tickets.cause_rules import CauseClass

RESTARTED = "Services after the restart"  # what stands for a task where our own look found services missing


def outcomes_of(record: RunRecord, stopped: StopReason | None) -> dict[str, HostResult]:
    """One outcome for every planned host, in inventory order."""
    tracks = last_tracks(batches_of(record))
    return {host: outcome_of(host, tracks.get(host), record, stopped) for host in record.plan.hosts}


def outcome_of(host: str, track: Track | None, record: RunRecord, stopped: StopReason | None) -> HostResult:
    """How one planned host ended."""
    if track is not None and (track.applied is not None or track.touched):
        return touched_outcome(host, track)
    if track is not None and track.veto is not None:
        return vetoed(track.veto)
    if host in record.vanished:
        return left_out(host, NotRun.VANISHED)
    if host in record.paused:
        return left_out(host, NotRun.PAUSED)
    if host in record.locked:
        return left_out(host, NotRun.LOCK)
    return left_out(host, NOT_RUN_BECAUSE[stopped] if stopped else NotRun.NO_ROOM)


def vetoed(veto: HostResult) -> HostResult:
    """A host that its pre-check refused; one that could not be reached says so."""
    if veto.result is Result.UNREACHABLE:
        return replace(veto, touched=False, reason=None)
    return replace(veto, result=Result.NOT_RUN, reason=NotRun.PRE_CHECK, touched=False)


def touched_outcome(host: str, track: Track) -> HostResult:
    """A host on which the playbook was started: in doubt, as the playbook left it, or as its post-check found it."""
    if track.in_doubt or track.applied is None:
        seen = track.applied
        return HostResult(host, Result.IN_DOUBT, text=seen.text if seen else "", cause=seen.cause if seen else None)
    if track.applied.result.is_good and track.post_failure is not None:
        return failed_afterwards(track.post_failure, track.applied)
    return track.applied


def failed_afterwards(failure: HostResult, applied: HostResult) -> HostResult:
    """A host that the playbook left well and that its post-check found bad, or could not find."""
    lost = failure.result is Result.UNREACHABLE
    tells_itself = lost or failure.cause == CauseClass.CHECK_NOT_RUN or failure.task == RESTARTED
    return replace(
        failure,
        result=Result.UNREACHABLE if lost else Result.FAILED,
        touched=True,
        reason=None,
        cause=failure.cause if tells_itself else str(CauseClass.POST_CHECK_FAILED),
        started=applied.started,
    )


def left_out(host: str, reason: NotRun) -> HostResult:
    """A host that was not touched, and why."""
    return HostResult(host, Result.NOT_RUN, touched=False, reason=reason)


def spends(outcome: HostResult) -> bool:
    """Whether a host's outcome is taken from the failure budget (rule: touched, and not well)."""
    if outcome.result in {Result.FAILED, Result.IN_DOUBT}:
        return True
    return outcome.result is Result.UNREACHABLE and outcome.touched


def failures(record: RunRecord) -> dict[str, int]:
    """Hosts that spend the budget so far -> their wave; one in doubt, or waiting for its retry, counts only once nothing more is tried on it."""
    return {
        host: batch.wave
        for batch in batches_of(record)
        for host, track in batch.tracks.items()
        if is_settled(track, record) and spends(touched_outcome(host, track))
    }


def is_settled(track: Track, record: RunRecord) -> bool:
    """Whether the playbook was started on this host and nothing more is tried there, also because a pre-check refused to have it tried again."""
    if track.veto is not None:
        return track.touched
    if track.unresolved or awaits_retry(track, record):
        return False
    return track.started and (track.applied is not None or track.in_doubt)


def wants_rollback(track: Track) -> bool:
    """Whether the playbook changed something on this host and it did not end well; a check that could not be run says nothing against it."""
    outcome = touched_outcome(track.host, track) if track.touched else None
    return outcome is not None and spends(outcome) and outcome.cause != CauseClass.CHECK_NOT_RUN


def over_budget(record: RunRecord) -> StopReason | None:
    """Whether more hosts have failed than may: in a canary wave every failure counts, else the budget over all waves."""
    failed = failures(record)
    for position, wave in enumerate(record.plan.waves):
        if wave.is_canary and sum(1 for own in failed.values() if own == position) > wave.tolerates:
            return StopReason.CANARY
    return StopReason.BUDGET if len(failed) > record.plan.budget else None


def none_qualified(record: RunRecord) -> bool:
    """Whether every planned host was refused before anything touched it."""
    tracks = last_tracks(batches_of(record))
    drawn = [tracks.get(host) for host in record.plan.hosts if host not in record.vanished | record.paused]
    return bool(drawn) and all(track is not None and track.veto is not None for track in drawn)


SETTLED_BY: Mapping[StopReason, Verdict] = {
    StopReason.EXPIRED: Verdict.EXPIRED,
    StopReason.CANCELLED: Verdict.CANCELLED,
    StopReason.CONFIGURATION: Verdict.MISCONFIGURED,
    StopReason.BUDGET: Verdict.HALTED,
    StopReason.CANARY: Verdict.HALTED,
    StopReason.NONE_QUALIFIED: Verdict.HALTED,
}


def verdict_of(record: RunRecord, stopped: StopReason | None) -> Verdict:
    """The run's verdict, once nothing is in flight; the first match wins.

    Instructions that turned out wrong are the verdict only where nothing was done. Once the playbook was at work, what became of those hosts is what counts.
    """
    on_the_way = stopped is StopReason.CONFIGURATION and any_worked_on(record)
    settling = over_budget(record) if on_the_way else stopped
    if settling is not None and settling in SETTLED_BY:
        return SETTLED_BY[settling]
    outcomes = list(outcomes_of(record, stopped).values())
    if failed_as_a_whole(outcomes) or last_post_check_failed(record):
        return Verdict.FAILED
    if on_the_way or any(not outcome.result.is_good for outcome in outcomes) or unmatched_plays(record):
        return Verdict.DEGRADED
    return Verdict.SUCCEEDED


def any_worked_on(record: RunRecord) -> bool:
    """Whether the playbook was at work on any host of this run."""
    return any(track.worked_on for batch in batches_of(record) for track in batch.tracks.values())


def unmatched_plays(record: RunRecord) -> frozenset[str]:
    """The plays of the schedule's own playbook that matched no host in any of its calls; a batch alone need not have a host for every play."""
    over = [
        set(piece.unmatched)
        for piece in record.pieces
        if piece.stage is Stage.APPLY and piece.state is PieceState.FINISHED
    ]
    return frozenset(set.intersection(*over)) if over else frozenset()


def failed_as_a_whole(outcomes: Sequence[HostResult]) -> bool:
    """No host ended well, and at least one failed, was unreachable or is in doubt."""
    bad = {Result.FAILED, Result.UNREACHABLE, Result.IN_DOUBT}
    return not any(outcome.result.is_good for outcome in outcomes) and any(
        outcome.result in bad for outcome in outcomes
    )


def last_post_check_failed(record: RunRecord) -> bool:
    """Whether the last post-check of the run found something bad, or could not be run, on a host that the playbook had left well."""
    tracks = last_tracks(batches_of(record))
    checks = [
        piece for piece in record.pieces if piece.stage is Stage.POST_CHECK and piece.state is PieceState.FINISHED
    ]
    if not checks:
        return False
    well = [host for host in checks[-1].hosts if (t := tracks.get(host)) and t.applied and t.applied.result.is_good]
    if checks[-1].problem:
        return bool(well)
    return any(not checks[-1].results[host].result.is_good for host in well if host in checks[-1].results)
