"""Which hosts are drawn next: waves, canaries, carried hosts, locks, and room before the end of the window."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from runner.domain.execution.apart import drawn_apart
from runner.domain.execution.plan import PlannedWave
from runner.domain.execution.progress import Batch, Track, last_tracks
from runner.domain.execution.run import RunRecord
from runner.domain.execution.schedule import Amount, Split, Wave

CANARY_FROM = 5  # hosts; below it a canary would be a fifth of the fleet or more


@dataclass(frozen=True, slots=True)
class Draw:
    """The hosts drawn for a batch, or why there are none: all locked, no room for any of them, or no place beside other runs."""

    hosts: tuple[str, ...] = ()
    locked: bool = False
    no_room: bool = False
    no_place: bool = False


def planned_waves(
    waves: Sequence[Wave], *, hosts: Sequence[str], named: Sequence[tuple[str, ...]], itself: str | None, split: Split
) -> tuple[PlannedWave, ...]:
    """Turn a schedule's waves into sizes in hosts; `named` holds the hosts of each wave's own pattern, in step with `waves`.

    Without waves: a canary of one from five hosts up, then the rest. The host that runs Wellkept is a wave of its own, the last.
    """
    others = [host for host in hosts if host != itself]
    last = (PlannedWave("itself", hosts=(itself,)),) if itself and itself in hosts and others else ()
    if split is Split.WHOLE:
        return (PlannedWave("all"),)
    if not waves:
        canary = (PlannedWave("canary", size=1, is_canary=True),) if len(others) >= CANARY_FROM else ()
        return (*canary, PlannedWave("rest" if canary else "all"), *last)
    planned = [
        PlannedWave(
            name=wave.name,
            size=wave.size.rounded_up(len(hosts)) if wave.size else None,
            hosts=own,
            soak=wave.soak,
            is_canary=len(waves) > 1 and position == 0,
            tolerates=wave.tolerates,
        )
        for position, (wave, own) in enumerate(zip(waves, without(itself, named), strict=True))
        if own or not wave.hosts  # a wave whose own hosts are not in this run is none: it must not draw others
    ]
    takes_all = bool(planned) and planned[-1].size is None and not planned[-1].hosts
    implied = () if takes_all else (PlannedWave("rest"),)
    return (*planned, *implied, *last)


def without(itself: str | None, named: Sequence[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """The hosts of each wave's own pattern, but for the one that runs Wellkept."""
    return [tuple(host for host in own if host != itself) for own in named]


def budget_of(amount: Amount, total: int) -> int:
    """How many hosts may fail and the run still go on: percent of all planned hosts, rounded down."""
    return min(total, amount.rounded_down(total))


def wanted_in(wave: PlannedWave, record: RunRecord) -> tuple[str, ...]:
    """The hosts that a wave may draw from, in inventory order: its own, or all that no other wave names."""
    if wave.hosts:
        return tuple(host for host in record.plan.hosts if host in wave.hosts)
    elsewhere = {host for other in record.plan.waves for host in other.hosts}
    return tuple(host for host in record.plan.hosts if host not in elsewhere)


def remaining(position: int, record: RunRecord, batches: Sequence[Batch]) -> tuple[str, ...]:
    """The hosts that this wave still has to draw, in the order of drawing; empty when the wave is complete."""
    wave = record.plan.waves[position]
    done = {host for host, track in last_tracks(batches).items() if track.consumed}
    left_out = done | record.vanished | record.paused
    pool = [host for host in wanted_in(wave, record) if host not in left_out]
    if wave.size is not None and wave.size <= counted(position, wave, batches):
        return ()
    return tuple(ordered(pool, wave, record))


def counted(position: int, wave: PlannedWave, batches: Sequence[Batch]) -> int:
    """How many hosts count towards a wave's size: canaries only when the playbook was started on them, others when drawn."""
    own = [track for batch in batches if batch.wave == position for track in batch.tracks.values()]
    return sum(1 for track in own if (track.started if wave.is_canary else track.consumed))


def ordered(pool: Iterable[str], wave: PlannedWave, record: RunRecord) -> list[str]:
    """Carried hosts come last in a canary wave and first in any other; inventory order otherwise."""
    carried = set(record.plan.carried)
    return sorted(pool, key=lambda host: (host in carried) if wave.is_canary else (host not in carried))


def draw(position: int, record: RunRecord, batches: Sequence[Batch], *, now: datetime) -> Draw:
    """Draw the next batch of a wave: up to `concurrency` hosts whose locks can be had, that fit before the end, and that need not be kept apart."""
    pool = remaining(position, record, batches)
    if not pool:
        return Draw()
    fitting = [host for host in pool if fits(host, record, now=now)]
    free = [host for host in fitting if host not in record.locked]
    if not free:
        return Draw(locked=bool(fitting), no_room=not fitting)
    size = min(batch_size(position, record, batches), places_beside_others(len(free), record))
    return Draw(tuple(drawn_apart(free, record.plan.groups)[:size]), no_place=size == 0)


def places_beside_others(wanted: int, record: RunRecord) -> int:
    """How many of the hosts may be drawn while other runs are at work; one call for all hosts takes all of them or none."""
    if record.places is None or record.places >= wanted:
        return wanted
    return 0 if record.plan.split is Split.WHOLE else max(0, record.places)


def batch_size(position: int, record: RunRecord, batches: Sequence[Batch]) -> int:
    """How many hosts to draw: what the wave lacks, but a whole batch of candidates once canaries were refused."""
    wave = record.plan.waves[position]
    limit = len(record.plan.hosts) if record.plan.split is Split.WHOLE else record.plan.concurrency
    if wave.size is None:
        return limit
    lacking = wave.size - counted(position, wave, batches)
    refused = wave.is_canary and any(batch.wave == position for batch in batches)
    return limit if refused else min(limit, lacking)


def places_left(batch: Batch, record: RunRecord, batches: Sequence[Batch]) -> int:
    """On how many more hosts of this batch the playbook may be started."""
    wave = record.plan.waves[batch.wave]
    if not wave.is_canary or wave.size is None:
        return len(batch.tracks)
    return max(0, wave.size - counted(batch.wave, wave, batches))


def fits(host: str, record: RunRecord, *, now: datetime) -> bool:
    """Whether a host's usual duration ends before the window does."""
    if record.plan.ends is None:
        return True
    return now + record.estimates.get(host, record.reserve) <= record.plan.ends


def waiting(track: Track, record: RunRecord) -> bool:
    """Whether a drawn host was neither refused nor started, nor is in doubt, nor paused since."""
    return not track.consumed and not track.in_doubt and track.host not in record.paused
