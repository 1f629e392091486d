"""Tells how a run goes, from its rows alone: whoever executes it, and wherever."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from runner.domain.execution.run import PieceState, RunState, Stage
from runner.operations.site import Site
from runner.store.execution import pieces, runs

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


def is_settled(run_id: str, *, site: Site) -> runs.Run | None:
    """The run when it has ended, else None."""
    run = site.store.read(lambda c: runs.get(c, run_id))
    return run if run.state is RunState.SETTLED else None
