"""How far each host of each batch has come, folded from a run's pieces in the order in which they were planned."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from runner.domain.execution.outcome import HostResult, Result
from runner.domain.execution.plan import RunPlan
from runner.domain.execution.run import PieceRecord, PieceState, RunRecord, Stage
from runner.domain.tickets.cause import is_transient
from runner.domain.tickets.cause_rules import CauseClass

MAX_ATTEMPTS = 3  # a playbook that never lives to tell its end is not started for ever
MAX_LOOKS = 40  # at a host that is to be rolled back, while something is at work there: ten minutes
ROLLED_BACK = 3  # steps: look, play, look

OVER = frozenset({PieceState.FINISHED, PieceState.LOST})


@dataclass(frozen=True, slots=True)
class Track:
    """How far one host has come within one batch.

    `pre` and `post` count the steps that are behind it. `veto` is the pre-check's no. `in_doubt` means touched, and how it ended is not known;
    `looked_at` is when it was last looked at since. `attempts` counts how often the playbook was started, and `unheard` says that such an attempt was lost
    and no later one has told how the host stands; both go with the host into a later batch. `post_failure` is the first bad post-check.
    `silent` counts looks in a row that told nothing. `failures` counts transient failures, and `failed_at` is when the last one was, None when the last thing
    known is something else; `cleared` says that the host was looked at since and is fit for another attempt.
    `back` counts the steps of the rollback that are behind it, `rolled_back` is how the rollback ended, `back_tries` how often its playbook was not heard
    to its end, and `back_looks` and `back_looked_at` tell how often and when it was found that something is still at work.
    """

    host: str
    pre: int = 0
    veto: HostResult | None = None
    started: bool = False
    applied: HostResult | None = None
    in_doubt: bool = False
    looked_at: datetime | None = None
    attempts: int = 0
    unheard: bool = False
    post: int = 0
    post_failure: HostResult | None = None
    silent: int = 0
    failures: int = 0
    failed_at: datetime | None = None
    cleared: bool = False
    back: int = 0
    rolled_back: HostResult | None = None
    back_tries: int = 0
    back_looks: int = 0
    back_looked_at: datetime | None = None

    @property
    def consumed(self) -> bool:
        """Whether this host needs no further draw: it was refused, or the playbook was started on it."""
        return self.veto is not None or self.started

    @property
    def unresolved(self) -> bool:
        """Whether this host is in doubt and another attempt may still settle how it stands."""
        return self.in_doubt and self.attempts - self.failures < MAX_ATTEMPTS

    @property
    def touched(self) -> bool:
        """Whether anything of the playbook ran, or may have run, on this host."""
        if self.in_doubt or self.unheard:
            return True
        return self.applied is not None and self.applied.touched and self.applied.result is not Result.NOT_RUN

    @property
    def worked_on(self) -> bool:
        """Whether the playbook did, or may have done, its work here, were it only to look."""
        return self.touched or (self.applied is not None and self.applied.result.is_good)


@dataclass(frozen=True, slots=True)
class Batch:
    """Hosts of one wave that go through the stages together."""

    number: int
    wave: int
    pieces: tuple[PieceRecord, ...]
    tracks: Mapping[str, Track]

    @property
    def ended(self) -> datetime | None:
        """When its last piece ended."""
        return max((piece.ended for piece in self.pieces if piece.ended), default=None)


def batches_of(record: RunRecord) -> tuple[Batch, ...]:
    """The run's batches in order; pieces that were withdrawn before they began leave no trace."""
    grouped: dict[int, list[PieceRecord]] = {}
    for piece in record.pieces:
        if piece.state is not PieceState.WITHDRAWN:
            grouped.setdefault(piece.batch, []).append(piece)
    batches: list[Batch] = []
    for number, pieces in sorted(grouped.items()):
        batch = batch_from(number, pieces, before=last_tracks(batches))
        batches.append(looked_at_only(batch, record.plan) if record.plan.readiness else batch)
    return tuple(batches)


def looked_at_only(batch: Batch, plan: RunPlan) -> Batch:
    """In a readiness run a host that passed every check is done."""
    tracks = {host: ready(track) if is_through(track, plan) else track for host, track in batch.tracks.items()}
    return replace(batch, tracks=tracks)


def is_through(track: Track, plan: RunPlan) -> bool:
    """Whether a host has passed every check."""
    return track.veto is None and track.pre >= len(plan.before)


def ready(track: Track) -> Track:
    """A host that is fit; nothing was done to it."""
    return replace(track, started=True, applied=HostResult(track.host, Result.OK, touched=False))


def batch_from(number: int, pieces: Sequence[PieceRecord], *, before: Mapping[str, Track]) -> Batch:
    """Fold the pieces of one batch into a track per host; `before` tells what became of its hosts in earlier batches."""
    tracks: dict[str, Track] = {}
    for piece in pieces:
        for host in piece.hosts:
            tracks[host] = advanced(tracks.get(host) or drawn(host, before.get(host)), piece)
    return Batch(number, pieces[0].wave, tuple(pieces), tracks)


def drawn(host: str, earlier: Track | None) -> Track:
    """The track of a host that is drawn; drawn again, it is still one on which the playbook may have been at work."""
    if earlier is None:
        return Track(host)
    return Track(host, attempts=earlier.attempts, unheard=earlier.unheard, failures=earlier.failures)


def advanced(track: Track, piece: PieceRecord) -> Track:
    """The track of a host after one more piece; one that Ansible could not run at all did nothing, but leaves a post-check undone for good."""
    result = piece.results.get(track.host)
    undone = piece.problem and result is None and piece.stage in {Stage.PRE_CHECK, Stage.APPLY}
    if piece.state is PieceState.PLANNED or undone:
        return track
    return ADVANCE[piece.stage](track, piece, result)


def after_pre_check(track: Track, piece: PieceRecord, result: HostResult | None) -> Track:
    """A passed pre-check counts; a bad one is a veto, or leaves a host in doubt that was touched before."""
    if result is None:
        return unheard_before(track, piece)
    track = replace(track, silent=0)
    if track.in_doubt:
        return replace(
            track, in_doubt=not result.result.is_good, started=not result.result.is_good, looked_at=piece.ended
        )
    if track.applied is not None:
        return looked_at_again(track, piece, result)
    if result.result.is_good:
        return replace(track, pre=max(track.pre, piece.step + 1), veto=None, failed_at=None)
    not_reached = piece.step == 0 and result.result is Result.UNREACHABLE
    return counted(replace(track, veto=result), result, piece, transient=not_reached and may_pass(result))


def looked_at_again(track: Track, piece: PieceRecord, result: HostResult) -> Track:
    """The look before another attempt: it clears the host for it, uses the attempt up, or shows that there is no use in one."""
    if result.result.is_good:
        return replace(track, cleared=True)
    return counted(track, result, piece, transient=may_pass(result))


def counted(track: Track, result: HostResult, piece: PieceRecord, *, transient: bool) -> Track:
    """A failure of the kind that may pass by itself is counted, and when it was; any other ends the trying."""
    if result.result.is_good or not transient:
        return replace(track, failed_at=None, cleared=False)
    return replace(track, failures=track.failures + 1, failed_at=piece.ended, cleared=False)


def may_pass(result: HostResult) -> bool:
    """Whether trying once more may help without anybody mending anything."""
    return result.cause in set(CauseClass) and is_transient(CauseClass(str(result.cause)))


def after_apply(track: Track, piece: PieceRecord, result: HostResult | None) -> Track:
    """The playbook was started here; without a result its end is in doubt as soon as the piece is over."""
    attempts = track.attempts + 1
    if result is not None and result.result is not Result.IN_DOUBT:
        before = track.unheard or (track.applied is not None and track.applied.touched)
        known = replace(result, touched=result.touched or before)  # by an attempt before this one
        track = replace(track, started=True, applied=known, in_doubt=False, attempts=attempts, unheard=False)
        return counted(track, result, piece, transient=may_pass(result))
    over = piece.state in OVER
    return replace(
        track,
        started=True,
        applied=result,
        in_doubt=over,
        looked_at=None,
        attempts=attempts,
        unheard=over or track.unheard,
        failed_at=None,
        cleared=False,
    )


def after_post_check(track: Track, piece: PieceRecord, result: HostResult | None) -> Track:
    """A post-check that was answered is behind the host, and its first bad answer is kept."""
    result = result or (not_checked(track.host, piece.problem) if piece.problem else None)
    if result is None:
        if piece.state not in OVER or piece.attempt < MAX_ATTEMPTS:
            return track
        result = unheard(track.host)
    failure = track.post_failure or (None if result.result.is_good else result)
    return replace(track, post=max(track.post, piece.step + 1), post_failure=failure)


def unheard_before(track: Track, piece: PieceRecord) -> Track:
    """A pre-check that ended again and again without an answer is a veto; a host in doubt stays so."""
    if track.in_doubt or piece.state not in OVER:
        return track
    silent = track.silent + 1
    if silent < MAX_ATTEMPTS:
        return replace(track, silent=silent)
    if track.applied is not None:
        return replace(track, failed_at=None)
    return replace(track, veto=unheard(track.host))


def unheard(host: str) -> HostResult:
    """What stands for a check that never told how a host is."""
    text = f"the check ended {MAX_ATTEMPTS} times without telling how this host is"
    return HostResult(host, Result.FAILED, touched=False, cause="unknown", text=text, signature=text)


def after_rollback(track: Track, piece: PieceRecord, result: HostResult | None) -> Track:
    """One step of the rollback further; the look before it may have to be repeated, and a playbook whose end was not heard is played again."""
    if piece.problem and result is None:
        result = not_rolled_back(track.host, f"it could not be run: {piece.problem}")
    if result is None and piece.state not in OVER:
        return track
    return ROLL_BACK[piece.step](track, piece, result)


def after_look_before(track: Track, piece: PieceRecord, result: HostResult | None) -> Track:
    """Only a host that can be reached and where nothing is at work any more is rolled back."""
    if result is not None and result.result.is_good:
        return replace(track, back=piece.step + 1)
    if result is not None and result.result is not Result.IN_DOUBT:
        return replace(track, rolled_back=result, back=ROLLED_BACK)
    track = replace(track, back_looks=track.back_looks + 1, back_looked_at=piece.ended)
    if track.back_looks < MAX_LOOKS:
        return track
    why = not_rolled_back(track.host, result.text if result else "nobody could tell whether something is at work there")
    return replace(track, rolled_back=why, back=ROLLED_BACK)


def after_rollback_playbook(track: Track, piece: PieceRecord, result: HostResult | None) -> Track:
    """How the rollback itself ended."""
    if result is not None:
        return replace(track, rolled_back=result, back=piece.step + 1)
    if track.back_tries + 1 < MAX_ATTEMPTS:
        return replace(track, back_tries=track.back_tries + 1, back=0)
    why = not_rolled_back(track.host, f"its playbook ended {MAX_ATTEMPTS} times without telling how this host is")
    return replace(track, rolled_back=why, back=piece.step + 1)


def after_look_behind(track: Track, piece: PieceRecord, result: HostResult | None) -> Track:
    """The look that tells what is there now."""
    over = result is not None or piece.attempt >= MAX_ATTEMPTS
    return replace(track, back=piece.step + 1) if over else track


def not_rolled_back(host: str, why: str) -> HostResult:
    """What stands for a rollback that did not come to its end."""
    text = f"the rollback failed: {why}"
    return HostResult(host, Result.FAILED, cause=str(CauseClass.UNKNOWN), text=text, signature="the rollback failed")


def not_checked(host: str, problem: str) -> HostResult:
    """What stands for a post-check that Ansible could not run at all: nobody knows how the host is, which is never good news."""
    text = f"the check after the playbook could not be run: {problem}"
    cause = CauseClass.CHECK_NOT_RUN
    return HostResult(host, Result.FAILED, cause=str(cause), text=text, signature="the check could not be run")


ADVANCE: Mapping[Stage, Callable[[Track, PieceRecord, HostResult | None], Track]] = {
    Stage.PRE_CHECK: after_pre_check,
    Stage.APPLY: after_apply,
    Stage.POST_CHECK: after_post_check,
    Stage.ROLLBACK: after_rollback,
}

ROLL_BACK: Sequence[Callable[[Track, PieceRecord, HostResult | None], Track]] = (
    after_look_before,
    after_rollback_playbook,
    after_look_behind,
)


def last_tracks(batches: Sequence[Batch]) -> dict[str, Track]:
    """Each host's track in the last batch that it was part of."""
    return {host: track for batch in batches for host, track in batch.tracks.items()}


def in_flight(record: RunRecord) -> bool:
    """Whether a piece of this run is planned or going on."""
    return any(piece.state in {PieceState.PLANNED, PieceState.CLAIMED} for piece in record.pieces)
