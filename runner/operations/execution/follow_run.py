"""Tells how a run goes, from its rows alone: whoever executes it, and wherever."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from runner.domain.execution.next_step import Wait, next_step
from runner.domain.execution.run import PieceState, RunState, Stage
from runner.domain.execution.waits_for import WaitsFor
from runner.operations.site import Site
from runner.store.execution import drains, holds, pieces, runs
from runner.store.transaction import Transaction

WORDS = {
    Stage.PRE_CHECK: "checks before",
    Stage.APPLY: "runs the playbook on",
    Stage.POST_CHECK: "checks after",
    Stage.ROLLBACK: "rolls back",
}
ITS_PLAYBOOK = 1  # the step of a rollback that is not a look


@dataclass(frozen=True, slots=True)
class Progress:
    """One thing that happened in a run, in words."""

    at: datetime | None
    text: str


def news(run: runs.Run, told: set[tuple[str, PieceState]], *, site: Site) -> Iterator[Progress]:
    """What has happened since the last call; `told` remembers what was said."""
    plan = run.plan
    for piece in site.store.read(lambda c: pieces.of_run(c, run.id)):
        key = (piece.id, piece.state)
        if key in told or piece.state in {PieceState.PLANNED, PieceState.WITHDRAWN}:
            continue
        told.add(key)
        wave = plan.waves[piece.wave].name
        if piece.state is PieceState.CLAIMED:
            yield Progress(piece.started_at, f"{wave}: {doing_in_words(piece)} {', '.join(piece.hosts)}")
        elif is_telling(piece):
            rollback = "rollback: " if piece.stage is Stage.ROLLBACK else ""
            yield Progress(piece.ended_at, f"{wave}: {rollback}{ended_in_words(piece, site=site)}")


def doing_in_words(piece: pieces.Piece) -> str:
    """What a piece does, and that it is not the first time."""
    if piece.stage is Stage.ROLLBACK and piece.step != ITS_PLAYBOOK:
        return "looks at"
    if piece.stage is Stage.PRE_CHECK and piece.attempt > 1:
        return "checks again"
    if piece.stage is Stage.APPLY and piece.attempt > 1:
        return f"runs the playbook, try {piece.attempt}, on"
    return WORDS[piece.stage]


def is_telling(piece: pieces.Piece) -> bool:
    """Whether people want to hear how a piece ended: the playbook, the rollback, and what was lost."""
    return (
        piece.stage is Stage.APPLY
        or (piece.stage is Stage.ROLLBACK and piece.step == ITS_PLAYBOOK)
        or piece.state is PieceState.LOST
    )


def ended_in_words(piece: pieces.Piece, *, site: Site) -> str:
    """How a piece ended, host by host."""
    if piece.state is PieceState.LOST:
        return f"lost sight of {', '.join(piece.hosts)}; they are looked at before anything touches them again"
    known = site.store.read(lambda c: pieces.results_of_run(c, piece.run_id)).get(piece.id, {})
    return ", ".join(
        f"{host} {known[host].result}" if host in known else f"{host} not heard of" for host in piece.hosts
    )


def waiting(connection: Transaction, run: runs.Run, *, now: datetime) -> WaitsFor | None:
    """What a run waits for, by its rows; None while a piece of it is going on, or when nothing keeps the next one from being planned."""
    record = runs.record(connection, run.id)
    if any(piece.state is PieceState.CLAIMED for piece in record.pieces):
        return None
    if drain := drains.in_force(connection):
        return WaitsFor(drain.words)
    step = next_step(record, now=now)
    if isinstance(step, Wait) and step.told:
        return step.told
    held = holds.up_to(connection, run.schedule, run.id, now)
    return WaitsFor("; ".join(hold.reason for hold in held), until_all_end(held)) if held else None


def until_all_end(held: Iterable[holds.HeldSlot]) -> datetime | None:
    """Until when, as far as each of them says so; the last one decides."""
    ends = [hold.until for hold in held]
    return max((end for end in ends if end), default=None) if None not in ends else None


def is_settled(run_id: str, *, site: Site) -> runs.Run | None:
    """The run when it has ended, else None."""
    run = site.store.read(lambda c: runs.get(c, run_id))
    return run if run.state is RunState.SETTLED else None
