"""How far each host of each batch has come, folded from a run's pieces in the order in which they were planned."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from runner.domain.execution.outcome import HostResult, Result
from runner.domain.execution.run import PieceRecord, PieceState, RunRecord, Stage
from runner.domain.tickets.cause_rules import CauseClass

MAX_ATTEMPTS = 3  # a playbook that never lives to tell its end is not started for ever


OVER = frozenset({PieceState.FINISHED, PieceState.LOST})


@dataclass(frozen=True, slots=True)
class Track:
    """How far one host has come within one batch.

    `pre` and `post` count the steps that are behind it. `veto` is the pre-check's no. `in_doubt` means touched, and how it ended is not known;
    `looked_at` is when it was last looked at since. `attempts` counts how often the playbook was started, and `unheard` says that such an attempt was lost
    and no later one has told how the host stands; both go with the host into a later batch. `post_failure` is the first bad post-check.
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

    @property
    def consumed(self) -> bool:
        """Whether this host needs no further draw: it was refused, or the playbook was started on it."""
        return self.veto is not None or self.started

    @property
    def unresolved(self) -> bool:
        """Whether this host is in doubt and another attempt may still settle how it stands."""
        return self.in_doubt and self.attempts < MAX_ATTEMPTS

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
        batches.append(batch_from(number, pieces, before=last_tracks(batches)))
    return tuple(batches)


def batch_from(number: int, pieces: Sequence[PieceRecord], *, before: Mapping[str, Track]) -> Batch:
    """Fold the pieces of one batch into a track per host; `before` tells what became of its hosts in earlier batches."""
    tracks: dict[str, Track] = {}
    for piece in pieces:
        for host in piece.hosts:
            tracks[host] = advanced(tracks.get(host) or drawn(host, before.get(host)), piece)
    return Batch(number, pieces[0].wave, tuple(pieces), tracks)


def drawn(host: str, earlier: Track | None) -> Track:
    """The track of a host that is drawn; drawn again, it is still one on which the playbook may have been at work."""
    return Track(host, attempts=earlier.attempts, unheard=earlier.unheard) if earlier else Track(host)


def advanced(track: Track, piece: PieceRecord) -> Track:
    """The track of a host after one more piece; one that Ansible could not run at all did nothing, but leaves a post-check undone for good."""
    result = piece.results.get(track.host)
    if piece.state is PieceState.PLANNED or (piece.problem and result is None and piece.stage is not Stage.POST_CHECK):
        return track
    return ADVANCE[piece.stage](track, piece, result)


def after_pre_check(track: Track, piece: PieceRecord, result: HostResult | None) -> Track:
    """A passed pre-check counts; a bad one is a veto, or leaves a host in doubt that was touched before."""
    if result is None:
        return unheard_before(track, piece)
    if track.in_doubt:
        return replace(
            track, in_doubt=not result.result.is_good, started=not result.result.is_good, looked_at=piece.ended
        )
    if result.result.is_good:
        return replace(track, pre=max(track.pre, piece.step + 1))
    return replace(track, veto=result)


def after_apply(track: Track, piece: PieceRecord, result: HostResult | None) -> Track:
    """The playbook was started here; without a result its end is in doubt as soon as the piece is over."""
    attempts = track.attempts + 1
    if result is not None and result.result is not Result.IN_DOUBT:
        known = replace(
            result, touched=result.touched or track.unheard
        )  # by an attempt before, whose end was not heard
        return replace(track, started=True, applied=known, in_doubt=False, attempts=attempts, unheard=False)
    over = piece.state in OVER
    return replace(
        track,
        started=True,
        applied=result,
        in_doubt=over,
        looked_at=None,
        attempts=attempts,
        unheard=over or track.unheard,
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
    if track.in_doubt or piece.state not in OVER or piece.attempt < MAX_ATTEMPTS:
        return track
    return replace(track, veto=unheard(track.host))


def unheard(host: str) -> HostResult:
    """What stands for a check that never told how a host is."""
    text = f"the check ended {MAX_ATTEMPTS} times without telling how this host is"
    return HostResult(host, Result.FAILED, touched=False, cause="unknown", text=text, signature=text)


def not_checked(host: str, problem: str) -> HostResult:
    """What stands for a post-check that Ansible could not run at all: nobody knows how the host is, which is never good news."""
    text = f"the check after the playbook could not be run: {problem}"
    cause = CauseClass.CHECK_NOT_RUN
    return HostResult(host, Result.FAILED, cause=str(cause), text=text, signature="the check could not be run")


ADVANCE: Mapping[Stage, Callable[[Track, PieceRecord, HostResult | None], Track]] = {
    Stage.PRE_CHECK: after_pre_check,
    Stage.APPLY: after_apply,
    Stage.POST_CHECK: after_post_check,
    Stage.ROLLBACK: lambda track, _piece, _result: track,
}


def last_tracks(batches: Sequence[Batch]) -> dict[str, Track]:
    """Each host's track in the last batch that it was part of."""
    return {host: track for batch in batches for host, track in batch.tracks.items()}


def in_flight(record: RunRecord) -> bool:
    """Whether a piece of this run is planned or going on."""
    return any(piece.state in {PieceState.PLANNED, PieceState.CLAIMED} for piece in record.pieces)
