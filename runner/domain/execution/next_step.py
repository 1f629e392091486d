"""The one idea that everything hangs on: what happens next in a run is a pure function of its rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from runner.domain.execution import waits_for
from runner.domain.execution.again import awaits_retry, due_at, is_rolled_back
from runner.domain.execution.apart import locks_for
from runner.domain.execution.guards import BOUNDARY, Hold
from runner.domain.execution.progress import Batch, Track, batches_of, in_flight, last_tracks
from runner.domain.execution.run import Interruption, RunRecord, Stage, StopReason
from runner.domain.execution.schedule import Split
from runner.domain.execution.verdict import none_qualified, over_budget, wants_rollback
from runner.domain.execution.waits_for import WaitsFor
from runner.domain.execution.waves import draw, places_left, remaining, waiting

LOOK_AGAIN = timedelta(seconds=15)  # a host in doubt, while something is still at work there
LOCK_AGAIN = timedelta(seconds=10)  # a host that another run holds, or its place
GATE_AGAIN = timedelta(seconds=15)  # what keeps a run from drawing hosts for now
NO_PLACE = Hold(BOUNDARY, "other runs are at work on as many hosts as the boundary max_concurrent_hosts allows")


@dataclass(frozen=True, slots=True)
class StartPiece:
    """Plan this piece and hand it to the dispatcher."""

    wave: int
    batch: int
    stage: Stage
    step: int
    attempt: int
    hosts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing to start now; ask again at `until`, or, when it is None, as soon as the piece in flight has ended.

    `hold` is what a guard says, `told` what people may want to hear.
    """

    until: datetime | None = None
    hold: Hold | None = None
    told: WaitsFor | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Stop:
    """No further host is touched, and nothing is in flight: settle the run."""

    reason: StopReason


@dataclass(frozen=True, slots=True)
class Finish:
    """Every wave is done: settle the run."""


NextStep = StartPiece | Wait | Stop | Finish


def next_step(record: RunRecord, *, now: datetime) -> NextStep:
    """What happens next in this run, from its rows alone; the same answer whoever asks, before or after a crash."""
    batches = batches_of(record)
    if in_flight(record):
        return Wait()
    if reason := reason_to_stop(record, now=now):
        return closing_step(record, batches, reason, now=now)
    step = within(batches[-1], record, batches, now=now) if batches else None
    return not_early(step or step_in_waves(record, batches, now=now), record, now=now)


def no_longer_needed(record: RunRecord, *, now: datetime) -> frozenset[str]:
    """The locks that this run holds and has no more use for: a host is busy until its batch is through all stages, and one in doubt until the run ends."""
    batches = batches_of(record)
    if not record.held or not batches or in_flight(record) or reason_to_stop(record, now=now):
        return frozenset()
    if within(batches[-1], record, batches, now=now):
        return frozenset()
    doubtful = [host for host, track in last_tracks(batches).items() if track.in_doubt]
    return record.held - locks_for(doubtful, record.plan.groups)


def not_early(step: NextStep, record: RunRecord, *, now: datetime) -> NextStep:
    """Where the clock was set back in the middle of a run, no playbook begins before the window opens (once more)."""
    opens = record.plan.opens
    touches = isinstance(step, StartPiece) and step.stage is Stage.APPLY
    if not touches or opens is None or now >= opens:
        return step
    return Wait(opens, told=waits_for.opening(opens))


def reason_to_stop(record: RunRecord, *, now: datetime) -> StopReason | None:
    """Why no further host may be touched, or None; the order is the order in which a reader would want to hear it."""
    if record.interruption is Interruption.CANCELLED and unfinished(record, batches_of(record)):
        return StopReason.CANCELLED
    if not record.plan.hosts or any(piece.problem for piece in record.pieces):
        return StopReason.CONFIGURATION
    if spent := over_budget(record):
        return spent
    batches = batches_of(record)
    if not unfinished(record, batches):
        return None
    return stop_by_time(record, batches, now=now) or stop_by_interruption(record)


def unfinished(record: RunRecord, batches: Sequence[Batch]) -> bool:
    """Whether there is a host left that a run without end would still touch."""
    for batch in batches[-1:]:
        if to_try_again(batch, record, batches):
            return True
        if any(track.unresolved or would_start(track, batch, record, batches) for track in batch.tracks.values()):
            return True
    return any(remaining(position, record, batches) for position in range(len(record.plan.waves)))


def would_start(track: Track, batch: Batch, record: RunRecord, batches: Sequence[Batch]) -> bool:
    """Whether a drawn host still has a place in its batch."""
    return waiting(track, record) and places_left(batch, record, batches) > 0


def stop_by_time(record: RunRecord, batches: Sequence[Batch], *, now: datetime) -> StopReason | None:
    """The window's last start is over; a run that lost a piece and has no window left is expired."""
    plan = record.plan
    unheard = bool(batches) and any(
        track.unresolved and track.looked_at is None for track in batches[-1].tracks.values()
    )
    if plan.ends is not None and now >= plan.ends and unheard:
        return StopReason.EXPIRED
    if plan.last_start is not None and now >= plan.last_start:
        return StopReason.CUTOFF
    return None


def stop_by_interruption(record: RunRecord) -> StopReason | None:
    """A freeze or a pause stops the run; a person's cancel was looked at before."""
    match record.interruption:
        case Interruption.FROZEN:
            return StopReason.FROZEN
        case Interruption.PAUSED:
            return StopReason.PAUSED
        case _:
            return None


def closing_step(record: RunRecord, batches: Sequence[Batch], reason: StopReason, *, now: datetime) -> NextStep:
    """Hosts that were touched still get their post-checks and, if failed, their rollback, also past the end; then the run stops."""
    for batch in batches[-1:]:
        if step := post_check(batch, record, doubtful=True) or roll_back(batch, record, now=now):
            return step
    return Stop(reason)


def within(
    batch: Batch, record: RunRecord, batches: Sequence[Batch], *, now: datetime
) -> StartPiece | Wait | Stop | None:
    """The next step of the batch that is going on; None when it is complete."""
    if record.plan.split is Split.WHOLE and any(track.veto for track in batch.tracks.values()):
        return Stop(StopReason.NONE_QUALIFIED)  # one call for all hosts: it cannot leave out the one that is not fit
    return (
        pre_check(batch, record, batches)
        or apply(batch, record, batches)
        or post_check(batch, record, doubtful=False)
        or sooner(recheck(batch, record, now=now), try_again(batch, record, batches, now=now))
        or post_check(batch, record, doubtful=True)
        or roll_back(batch, record, now=now)
    )


def sooner(*steps: StartPiece | Wait | None) -> StartPiece | Wait | None:
    """Of several steps that may come next, one that can begin, else the shortest wait."""
    waits = [step for step in steps if isinstance(step, Wait)]
    begin = next((step for step in steps if isinstance(step, StartPiece)), None)
    return begin or min(waits, key=lambda wait: wait.until or datetime.max.replace(tzinfo=UTC), default=None)


def pre_check(batch: Batch, record: RunRecord, batches: Sequence[Batch]) -> StartPiece | None:
    """The first pre-check step that a host of this batch still lacks."""
    if places_left(batch, record, batches) == 0:
        return None
    return lacking(
        batch,
        record,
        Stage.PRE_CHECK,
        len(record.plan.before),
        {t.host: t.pre for t in batch.tracks.values() if waiting(t, record)},
    )


def recheck(batch: Batch, record: RunRecord, *, now: datetime) -> StartPiece | Wait | None:
    """A host in doubt is looked at before anything touches it again, and again while something is at work there."""
    doubtful = [track for track in batch.tracks.values() if track.unresolved]
    if not doubtful:
        return None
    looked = [track.looked_at for track in doubtful if track.looked_at]
    if looked and now < max(looked) + LOOK_AGAIN:
        return Wait(max(looked) + LOOK_AGAIN, told=waits_for.work_to_end(track.host for track in doubtful))
    return piece_for(batch, record, Stage.PRE_CHECK, 0, tuple(track.host for track in doubtful))


def try_again(batch: Batch, record: RunRecord, batches: Sequence[Batch], *, now: datetime) -> StartPiece | Wait | None:
    """A host that failed for a transient cause is looked at once more after a while, and, fit again, gets another attempt."""
    pending = to_try_again(batch, record, batches)
    if cleared := tuple(track.host for track in pending if track.cleared):
        return piece_for(batch, record, Stage.APPLY, 0, cleared)
    due = {track.host: due_at(track.failed_at, record.plan) for track in pending if track.failed_at}
    if ready := tuple(host for host, moment in due.items() if moment <= now):
        return piece_for(batch, record, Stage.PRE_CHECK, 0, ready)
    soonest = min(due.values(), default=None)
    return Wait(soonest, told=waits_for.another_try(due, soonest)) if soonest else None


def to_try_again(batch: Batch, record: RunRecord, batches: Sequence[Batch]) -> list[Track]:
    """The hosts that wait for another attempt; one that its look refused only as long as the wave has a place for it."""
    places = places_left(batch, record, batches)
    return [track for track in batch.tracks.values() if awaits_retry(track, record) and (track.started or places > 0)]


def roll_back(batch: Batch, record: RunRecord, *, now: datetime) -> StartPiece | Wait | None:
    """The first step of the rollback that a host which ended badly still lacks; a person's cancel ends rollback too."""
    if not record.plan.rollback or record.ended_now:
        return None
    left = [track for track in batch.tracks.values() if wants_rollback(track) and not is_rolled_back(track)]
    again = {
        track.host: track.back_looked_at + LOOK_AGAIN for track in left if track.back == 0 and track.back_looked_at
    }
    done = {track.host: track.back for track in left if again.get(track.host, now) <= now}
    if step := lacking(batch, record, Stage.ROLLBACK, len(record.plan.rollback), done):
        return step
    return Wait(min(again.values()), told=waits_for.work_to_end(again)) if again else None


def apply(batch: Batch, record: RunRecord, batches: Sequence[Batch]) -> StartPiece | None:
    """Start the playbook on the hosts that passed every pre-check, as many as the wave has places for."""
    passed = [track for track in batch.tracks.values() if track.pre >= len(record.plan.before)]
    ready = [track.host for track in passed if waiting(track, record)]
    hosts = tuple(ready[: places_left(batch, record, batches)])
    return piece_for(batch, record, Stage.APPLY, 0, hosts) if hosts else None


def post_check(batch: Batch, record: RunRecord, *, doubtful: bool) -> StartPiece | None:
    """The first post-check step that a touched host of this batch still lacks; hosts in doubt or to be tried again only when nothing more is tried on them."""
    done = {
        track.host: track.post
        for track in batch.tracks.values()
        if track.touched and (doubtful or not (track.in_doubt or awaits_retry(track, record)))
    }
    return lacking(batch, record, Stage.POST_CHECK, len(record.plan.after), done)


def lacking(batch: Batch, record: RunRecord, stage: Stage, steps: int, done: dict[str, int]) -> StartPiece | None:
    """A piece for the hosts that are furthest behind, or None when all are through."""
    step = min(done.values(), default=steps)
    hosts = tuple(host for host, behind in done.items() if behind == step)
    return piece_for(batch, record, stage, step, hosts) if step < steps else None


def piece_for(batch: Batch, record: RunRecord, stage: Stage, step: int, hosts: tuple[str, ...]) -> StartPiece:
    """The next attempt at this step of this batch."""
    earlier = [p.attempt for p in record.pieces if (p.batch, p.stage, p.step) == (batch.number, stage, step)]
    return StartPiece(batch.wave, batch.number, stage, step, max(earlier, default=0) + 1, hosts)


def step_in_waves(record: RunRecord, batches: Sequence[Batch], *, now: datetime) -> NextStep:
    """Draw the next batch of the first wave that is not complete, after the soak of the wave before it."""
    for position in range(len(record.plan.waves)):
        if not remaining(position, record, batches):
            continue
        if soaking := soak_until(position, record, batches, now=now):
            before = record.plan.waves[batches[-1].wave].name
            return Wait(soaking, told=waits_for.soak(before, soaking))
        return draw_step(position, record, batches, now=now)
    return Stop(StopReason.NONE_QUALIFIED) if none_qualified(record) else Finish()


def draw_step(position: int, record: RunRecord, batches: Sequence[Batch], *, now: datetime) -> NextStep:
    """Start a new batch with the hosts drawn for it."""
    drawn = draw(position, record, batches, now=now)
    if drawn.no_room:
        return Stop(StopReason.NO_ROOM)
    if drawn.locked:
        pool = remaining(position, record, batches)
        return Wait(now + LOCK_AGAIN, told=waits_for.other_runs(host for host in pool if host in record.locked))
    if record.gate:
        return Wait(now + GATE_AGAIN, record.gate)
    if drawn.no_place:
        return Wait(now + LOCK_AGAIN, NO_PLACE)
    if (
        position > 0
        and not any(track.started for batch in batches for track in batch.tracks.values())
        and record.plan.waves[0].is_canary
    ):
        return Stop(StopReason.NONE_QUALIFIED)  # no canary passed its pre-check: nobody is touched
    number = max((piece.batch for piece in record.pieces), default=0) + 1
    return StartPiece(position, number, Stage.PRE_CHECK, 0, 1, drawn.hosts)


def soak_until(position: int, record: RunRecord, batches: Sequence[Batch], *, now: datetime) -> datetime | None:
    """Until when the wave before this one is still being watched; None when it is over."""
    before = [batch for batch in batches if batch.wave < position]
    if not before or any(batch.wave == position for batch in batches):
        return None
    ended = before[-1].ended
    until = ended + record.plan.waves[before[-1].wave].soak if ended else None
    return until if until and until > now else None
