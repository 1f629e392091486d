"""How far each host of each batch has come, folded from a run's pieces in the order in which they were planned."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from runner.domain.execution.outcome import HostResult, Result
from runner.domain.execution.run import PieceRecord, PieceState, RunRecord, Stage

MAX_ATTEMPTS = 3  # a playbook that never lives to tell its end is not started for ever


OVER = frozenset({PieceState.FINISHED, PieceState.LOST})


@dataclass(frozen=True, slots=True)
class Track:
    """How far one host has come within one batch.

    `pre` and `post` count the steps that are behind it. `veto` is the pre-check's no. `in_doubt` means touched, and how it ended is not known;
    `looked_at` is when it was last looked at since. `attempts` counts how often the playbook was started. `post_failure` is the first bad post-check.
    """

    host: str
    pre: int = 0
    veto: HostResult | None = None
    started: bool = False
    applied: HostResult | None = None
    in_doubt: bool = False
    looked_at: datetime | None = None
    attempts: int = 0
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
        if self.in_doubt:
            return True
        return self.applied is not None and self.applied.touched and self.applied.result is not Result.NOT_RUN


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
    return tuple(batch_from(number, pieces) for number, pieces in sorted(grouped.items()))


def batch_from(number: int, pieces: Sequence[PieceRecord]) -> Batch:
    """Fold the pieces of one batch into a track per host."""
    tracks: dict[str, Track] = {}
    for piece in pieces:
        for host in piece.hosts:
            tracks[host] = advanced(tracks.get(host, Track(host)), piece)
    return Batch(number, pieces[0].wave, tuple(pieces), tracks)


def advanced(track: Track, piece: PieceRecord) -> Track:
    """The track of a host after one more piece."""
    if piece.state is PieceState.PLANNED:
        return track
    return ADVANCE[piece.stage](track, piece, piece.results.get(track.host))


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
        return replace(track, started=True, applied=result, in_doubt=False, attempts=attempts)
    over = piece.state in OVER
    return replace(track, started=True, applied=result, in_doubt=over, looked_at=None, attempts=attempts)


def after_post_check(track: Track, piece: PieceRecord, result: HostResult | None) -> Track:
    """A post-check that was answered is behind the host, and its first bad answer is kept."""
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
