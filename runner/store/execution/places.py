"""Places: how many hosts all runs together may have in hand, counted by the host locks that they hold."""

from __future__ import annotations

from sqlalchemy import Connection, select

from runner.store.execution import pieces, runs
from runner.store.execution.pieces import Piece
from runner.store.schema import host_locks
from runner.store.sql import serialise


def taken(connection: Connection, *, besides: str) -> int:
    """How many hosts the other runs that change something have in hand."""
    others = {run.id: run.plan for run in runs.live(connection) if run.id != besides}
    changed = {run_id: frozenset(plan.hosts) for run_id, plan in others.items() if plan.changes_something}
    rows = connection.execute(select(host_locks.c.run_id, host_locks.c.host))
    return sum(1 for row in rows if row.host in changed.get(row.run_id, ()))


def are_left(connection: Connection, piece: Piece, *, most: int) -> bool:
    """Whether there are places for the hosts of a piece, until this transaction ends; a batch that has begun has its places already."""
    serialise(connection, "places")
    begun = any(other.batch == piece.batch for other in pieces.of_run(connection, piece.run_id) if other.id != piece.id)
    return begun or taken(connection, besides=piece.run_id) + len(piece.hosts) <= most
