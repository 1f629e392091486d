"""What happens next in a run, from its rows alone, and which changes of state are allowed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from runner.domain.execution.guards import Hold
from runner.domain.execution.outcome import HostResult, NotRun
from runner.domain.execution.plan import RunPlan


class Trigger(StrEnum):
    """What started a run."""

    SLOT = "slot"
    CADENCE = "cadence"
    READINESS = "readiness"
    HAND = "hand"
    ONCE = "once"
    CONTINUED = "continued"


class SlotState(StrEnum):
    """Where a slot stands in the ledger."""

    PLANNED = "planned"
    DUE = "due"
    CLAIMED = "claimed"
    SETTLED = "settled"
    WITHDRAWN = "withdrawn"


SLOT_CHANGES: Mapping[SlotState, frozenset[SlotState]] = {
    SlotState.PLANNED: frozenset(
        {SlotState.DUE, SlotState.SETTLED, SlotState.WITHDRAWN}
    ),  # settled: waived by a person before it opened
    SlotState.DUE: frozenset({SlotState.CLAIMED, SlotState.SETTLED}),  # settled: missed, held, frozen, paused
    SlotState.CLAIMED: frozenset({SlotState.SETTLED}),
    SlotState.SETTLED: frozenset({SlotState.PLANNED}),  # a waiver that a person took back before the opening
    SlotState.WITHDRAWN: frozenset({SlotState.PLANNED}),  # its definition came back before the opening
}


class RunState(StrEnum):
    """Where a run stands."""

    RUNNING = "running"
    SETTLED = "settled"


class Stage(StrEnum):
    """The stages that each batch of hosts goes through."""

    PRE_CHECK = "pre_check"
    APPLY = "apply"
    POST_CHECK = "post_check"
    ROLLBACK = "rollback"


class PieceState(StrEnum):
    """Where a piece stands."""

    PLANNED = "planned"
    CLAIMED = "claimed"
    FINISHED = "finished"
    LOST = "lost"
    WITHDRAWN = "withdrawn"


PIECE_CHANGES: Mapping[PieceState, frozenset[PieceState]] = {
    PieceState.PLANNED: frozenset(
        {PieceState.CLAIMED, PieceState.WITHDRAWN}
    ),  # withdrawn: a lock could not be had, or the run stopped first
    PieceState.CLAIMED: frozenset(
        {PieceState.FINISHED, PieceState.LOST}
    ),  # lost: its owner is gone and so are its processes
    PieceState.FINISHED: frozenset(),
    PieceState.LOST: frozenset(),
    PieceState.WITHDRAWN: frozenset(),
}


class Verdict(StrEnum):
    """How a run ended, in the order in which the first match wins."""

    EXPIRED = "expired"
    CANCELLED = "cancelled"
    MISCONFIGURED = "failed(configuration)"
    HALTED = "halted"
    FAILED = "failed"
    DEGRADED = "degraded"
    SUCCEEDED = "succeeded"


class SlotOutcome(StrEnum):
    """How a slot ended that never became a run; a slot with a run takes the run's verdict."""

    MISSED = "missed"
    FROZEN = "frozen"
    HELD = "held"
    PAUSED = "paused"
    SKIPPED = "skipped(overlap)"
    WAIVED = "waived"
    DONE = "done"
    UNKNOWN = "unknown"


class Interruption(StrEnum):
    """A reason from outside to touch no further host, as the rows say it now."""

    CANCELLED = "cancelled"
    FROZEN = "frozen"
    PAUSED = "paused"


@dataclass(frozen=True, slots=True)
class PieceRecord:
    """One piece as its rows tell it; `results` holds what is known per host, also of a lost piece.

    `step` counts within the stage from 0, `batch` within the run from 1, `attempt` from 1.
    `problem` is set when Ansible could not run at all (a configuration error). `unmatched` names plays that matched no host.
    """

    id: str
    wave: int
    batch: int
    stage: Stage
    step: int
    attempt: int
    hosts: tuple[str, ...]
    state: PieceState
    zone: str = ""
    started: datetime | None = None
    ended: datetime | None = None
    results: Mapping[str, HostResult] = field(default_factory=dict)
    problem: str | None = None
    unmatched: tuple[str, ...] = ()
    complete: bool = True


@dataclass(frozen=True, slots=True)
class RunRecord:
    """A run as its rows tell it, and what else bears on its next step.

    `locked` are hosts that other runs hold now, or a group of which they hold; `held` names what this run has locked.
    `vanished` are planned hosts that the inventory no longer has; `paused` those that nobody may touch now.
    `ended_now` says that a person wants everything of it to end at once, what would be owed to touched hosts too.
    `places` is how many hosts may be drawn as long as other runs are at work; None for any number.
    `gate` is what keeps it from drawing hosts for now.
    `estimates` are p90 durations of each host's own past; `reserve` stands in where there is none.
    """

    id: str
    plan: RunPlan
    pieces: tuple[PieceRecord, ...] = ()
    interruption: Interruption | None = None
    ended_now: bool = False
    locked: frozenset[str] = frozenset()
    held: frozenset[str] = frozenset()
    vanished: frozenset[str] = frozenset()
    paused: frozenset[str] = frozenset()
    places: int | None = None
    gate: Hold | None = None
    estimates: Mapping[str, timedelta] = field(default_factory=dict)
    reserve: timedelta = timedelta(0)
    record_incomplete: bool = False


class StopReason(StrEnum):
    """Why a run touches no further host."""

    CANCELLED = "cancelled"
    CONFIGURATION = "configuration"
    BUDGET = "budget"
    CANARY = "canary"
    NONE_QUALIFIED = "none_qualified"
    EXPIRED = "expired"
    CUTOFF = "cutoff"
    NO_ROOM = "no_room"
    LOCK = "lock"
    FROZEN = "frozen"
    PAUSED = "paused"


NOT_RUN_BECAUSE: Mapping[StopReason, NotRun] = {
    StopReason.CANCELLED: NotRun.CANCELLED,
    StopReason.CONFIGURATION: NotRun.CONFIGURATION,
    StopReason.BUDGET: NotRun.BUDGET,
    StopReason.CANARY: NotRun.BUDGET,
    StopReason.NONE_QUALIFIED: NotRun.PRE_CHECK,
    StopReason.EXPIRED: NotRun.CUTOFF,
    StopReason.CUTOFF: NotRun.CUTOFF,
    StopReason.NO_ROOM: NotRun.NO_ROOM,
    StopReason.LOCK: NotRun.LOCK,
    StopReason.FROZEN: NotRun.FROZEN,
    StopReason.PAUSED: NotRun.PAUSED,
}
