"""Finds work that lost its owner: ends what is left of its processes, drains what it had told, and gives it up for the rules to go on from."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial

from runner.domain.execution.fold import PieceFold
from runner.domain.execution.outcome import HostResult
from runner.domain.execution.run import RunState
from runner.domain.record.record import closing_body, piece_stream, run_stream
from runner.operations.execution.advance_run import advance_run
from runner.operations.execution.execute_playbook import body_of
from runner.operations.site import Site
from runner.ports import Dispatcher, Stray
from runner.store.execution import pieces, runs
from runner.store.record import log as entries
from runner.store.transaction import Transaction

log = logging.getLogger(__name__)


def settle_runs(*, site: Site, dispatcher: Dispatcher, only: str | None = None) -> None:
    """One pass: end strays, drain spools, give up lost pieces, then let every live run take its next step.

    `only` keeps a process that executes one run to that run.
    """
    orphans = [piece for piece in site.store.read(pieces.claimed) if is_orphan(piece, site=site)]
    if orphans:
        give_up(orphans, site=site)
    for run in site.store.read(runs.live):
        if only in {None, run.id}:
            advance_safely(run, site=site, dispatcher=dispatcher)


def advance_safely(run: runs.Run, *, site: Site, dispatcher: Dispatcher) -> None:
    """One run's trouble never stops another."""
    try:
        advance_run(run.id, site=site, dispatcher=dispatcher)
    except Exception:
        log.exception(
            "Run %s of %s could not be continued",
            run.number,
            run.schedule,
            extra={"action": "run.stuck", "run": run.id},
        )


def is_orphan(piece: pieces.Piece, *, site: Site) -> bool:
    """Whether a claimed piece may be taken over: its lease has lapsed by the database's clock, or its owner is seen to be gone.

    A lapsed piece of our own is an orphan as well: its heartbeat has stopped, so its leash ended it long before.
    """
    return piece.lapsed or (piece.owner is not None and site.is_gone(piece.owner))


def give_up(orphans: Sequence[pieces.Piece], *, site: Site) -> None:
    """End marked processes, drain the spools, then write the pieces off as lost; none is written off while its own processes may live."""
    dead = {(piece.id, piece.fence) for piece in orphans}
    left = site.executor.end_strays(live=lambda: site.store.read(pieces.live_marks) - dead).left
    if left:
        log.error("Processes could not be ended: %s", left, extra={"action": "strays.left"})
    for piece in orphans:
        lose_safely(piece, left, site=site)


def may_be_of(stray: Stray, piece: pieces.Piece, *, site: Site) -> bool:
    """Whether a process that could not be ended may be this piece's; one that nobody can place may be anybody's."""
    if stray.piece is not None:
        return stray.piece == piece.id
    if stray.control_path is not None:
        return stray.control_path.resolve() == site.control_path(piece.run_id).resolve()
    return True


def lose_safely(piece: pieces.Piece, left: Sequence[Stray], *, site: Site) -> None:
    """Give a piece up if none of the processes that are left may be its; one piece's trouble never keeps another from being given up."""
    try:
        if not any(may_be_of(stray, piece, site=site) for stray in left):
            lose_piece(piece, site=site)
    except Exception:
        log.exception("Piece %s could not be given up", piece.id, extra={"action": "piece.stuck", "piece": piece.id})


def lose_piece(piece: pieces.Piece, *, site: Site) -> None:
    """Record what a lost piece had told before it fell silent, and that it is lost."""
    run = site.store.read(lambda c: runs.get(c, piece.run_id))
    if run.state is RunState.SETTLED:
        return
    fold = PieceFold(piece.hosts, piece.stage, site.snapshotted.of(run.snapshot).causes)
    late = []
    folder = site.state_dir / "runs" / str(run.number) / piece.id
    for event in site.executor.drain(folder, offset=0):
        fold.add(event)
        late += [body_of(event)] if event.offset > piece.spool_offset else []
    if site.store.write(partial(write_loss, piece=piece, results=fold.results(), late=late, at=site.clock())):
        log.warning(
            "Piece %s of run %s had lost its owner",
            piece.id,
            run.number,
            extra={"action": "piece.lost", "piece": piece.id},
        )


def write_loss(
    connection: Transaction,
    *,
    piece: pieces.Piece,
    results: Mapping[str, HostResult],
    late: Sequence[Mapping[str, object]],
    at: datetime,
) -> bool:
    """The late events, the loss, and the stream's closing hash in one transaction; False when somebody else was first."""
    if not pieces.lose(connection, piece.id, fence=piece.fence, results=results, at=at):
        return False
    stream = piece_stream(piece.id)
    told = {host: str(result.result) for host, result in results.items()}
    closing = entries.append(connection, stream, [*late, {"action": "piece.lost", "results": told}], at=at)
    pieces.set_closing_hash(connection, piece.id, closing.hash)
    entries.append(connection, run_stream(piece.run_id), [closing_body("piece.closed", stream, closing)], at=at)
    return True
