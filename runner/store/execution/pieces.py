"""Pieces of runs: planned once, claimed by one owner under a lease and a fence, ended once."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Select, Update, and_, exists, insert, select, update

from runner.domain.execution.apart import locks_for
from runner.domain.execution.outcome import HostResult
from runner.domain.execution.run import PieceRecord, PieceState, RunState, Stage
from runner.domain.who import Owner
from runner.errors import NotFound
from runner.store.columns import database_now
from runner.store.execution import locks, results
from runner.store.ids import new_id
from runner.store.schema import piece_results, pieces, runs
from runner.store.sql import insert_new, read, read_one


@dataclass(frozen=True, slots=True)
class Piece:
    """One piece as its row stands; `lapsed` says, by the database's clock, that its owner's lease is over."""

    id: str
    run_id: str
    wave: int
    batch: int
    stage: Stage
    step: int
    zone: str
    attempt: int
    hosts: tuple[str, ...]
    state: PieceState
    owner: Owner | None
    fence: int
    lease_until: datetime | None
    started_at: datetime | None
    ended_at: datetime | None
    problem: str | None
    unmatched: tuple[str, ...]
    complete: bool
    spool_offset: int
    closing_hash: str | None
    lapsed: bool


def _wanted() -> Select[Any]:
    lapsed = and_(pieces.c.state == PieceState.CLAIMED, pieces.c.lease_until <= database_now())
    return select(*pieces.c, lapsed.label("lapsed")).order_by(pieces.c.id)


def _read(connection: Connection, wanted: Select[Any]) -> list[Piece]:
    return read(connection, Piece, wanted)


def plan(
    connection: Connection,
    *,
    run: str,
    wave: int,
    batch: int,
    stage: Stage,
    step: int,
    attempt: int,
    hosts: Sequence[str],
    zone: str = "",
) -> str | None:
    """Write a piece down before anybody does it; its id, or None when somebody has planned it already or the run has ended."""
    going = select(runs.c.id).where(runs.c.id == run, runs.c.state == RunState.RUNNING)
    if connection.execute(going).first() is None:
        return None
    piece = new_id()
    identity = {
        "run_id": run,
        "wave": wave,
        "batch": batch,
        "stage": stage,
        "step": step,
        "zone": zone,
        "attempt": attempt,
    }
    fresh = {"state": PieceState.PLANNED, "fence": 0, "unmatched": (), "complete": False, "spool_offset": 0}
    written = insert_new(connection, pieces, id=piece, **identity, hosts=tuple(hosts), **fresh)
    return piece if written else None


def claim(
    connection: Connection,
    piece_id: str,
    *,
    owner: Owner,
    inventory: str,
    lease: timedelta,
    groups: Mapping[str, Sequence[str]] | None = None,
) -> int | None:
    """Make `owner` the one who does a planned piece, and lock its hosts and the `groups` that they belong to, all or none.

    The fence that each later word about the piece must carry; None when somebody else was first, its run has ended, or another run holds one of its hosts.
    """
    attempt = connection.begin_nested()
    if _swap_to_claimed(connection, piece_id, owner, lease):
        piece = get(connection, piece_id)
        wanted = locks_for(piece.hosts, groups or {})
        if locks.take(connection, inventory, wanted, run_id=piece.run_id, piece_id=piece.id):
            attempt.commit()
            return piece.fence
    attempt.rollback()
    return None


def _swap_to_claimed(connection: Connection, piece_id: str, owner: Owner, lease: timedelta) -> bool:
    going = exists().where(runs.c.id == pieces.c.run_id, runs.c.state == RunState.RUNNING)
    swap = update(pieces).where(pieces.c.id == piece_id, pieces.c.state == PieceState.PLANNED, going)
    values = {
        "state": PieceState.CLAIMED,
        "owner": owner,
        "fence": pieces.c.fence + 1,
        "lease_until": database_now(lease.total_seconds()),
        "started_at": database_now(),
    }
    return connection.execute(swap.values(**values)).rowcount == 1


def _claimed_under(piece_id: str, fence: int) -> Update:
    return update(pieces).where(pieces.c.id == piece_id, pieces.c.fence == fence, pieces.c.state == PieceState.CLAIMED)


def renew(connection: Connection, piece_id: str, *, fence: int, lease: timedelta) -> bool:
    """Prolong a lease from now on; False when it is over, for then somebody may be about to take the piece."""
    still = _claimed_under(piece_id, fence).where(pieces.c.lease_until > database_now())
    return connection.execute(still.values(lease_until=database_now(lease.total_seconds()))).rowcount == 1


def save_offset(connection: Connection, piece_id: str, *, fence: int, offset: int) -> bool:
    """Keep how far the spool was read, in bytes, in the same transaction as what was read; False when the fence is stale."""
    return connection.execute(_claimed_under(piece_id, fence).values(spool_offset=offset)).rowcount == 1


def finish(
    connection: Connection,
    piece_id: str,
    *,
    fence: int,
    results: Mapping[str, HostResult],
    problem: str | None,
    unmatched: Sequence[str],
    complete: bool,
    at: datetime,
) -> bool:
    """End a piece that was heard to its end; False, and nothing written, when the fence is stale."""
    values = {"problem": problem, "unmatched": tuple(unmatched), "complete": complete}
    return _end(connection, piece_id, fence, results, state=PieceState.FINISHED, ended_at=at, **values)


def lose(connection: Connection, piece_id: str, *, fence: int, results: Mapping[str, HostResult], at: datetime) -> bool:
    """End a piece whose owner is gone, and whose processes are too, with what is known; False when the fence is stale."""
    return _end(connection, piece_id, fence, results, state=PieceState.LOST, ended_at=at, complete=False)


def _end(connection: Connection, piece_id: str, fence: int, known: Mapping[str, HostResult], **values: object) -> bool:
    if connection.execute(_claimed_under(piece_id, fence).values(lease_until=None, **values)).rowcount != 1:
        return False
    if known:
        rows = [{**results.to_row(result), "host": host, "piece_id": piece_id} for host, result in known.items()]
        connection.execute(insert(piece_results), rows)
    return True


def release(connection: Connection, run_id: str, names: Collection[str], *, seen: int) -> int:
    """Let go of locks that a run no longer needs by what somebody saw of it; nothing when it has gone on since: `seen` is how many pieces it had then."""
    states = list(connection.execute(select(pieces.c.state).where(pieces.c.run_id == run_id)).scalars())
    going = {PieceState.PLANNED, PieceState.CLAIMED}
    if len(states) != seen or not going.isdisjoint(states):
        return 0
    return locks.release(connection, run_id, names)


def withdraw(connection: Connection, piece_id: str) -> bool:
    """Take a planned piece back; False when somebody has claimed it."""
    swap = update(pieces).where(pieces.c.id == piece_id, pieces.c.state == PieceState.PLANNED)
    return connection.execute(swap.values(state=PieceState.WITHDRAWN)).rowcount == 1


def set_closing_hash(connection: Connection, piece_id: str, closing_hash: str) -> bool:
    """Keep the last hash of an ended piece's stream; False when it was kept before, or the piece has not ended."""
    ended = pieces.c.state.in_([PieceState.FINISHED, PieceState.LOST])
    swap = update(pieces).where(pieces.c.id == piece_id, pieces.c.closing_hash.is_(None), ended)
    return connection.execute(swap.values(closing_hash=closing_hash)).rowcount == 1


def get(connection: Connection, piece_id: str) -> Piece:
    """The piece of that id; raises NotFound."""
    found = read_one(connection, Piece, _wanted().where(pieces.c.id == piece_id))
    if found is None:
        raise NotFound(f"There is no piece with the id {piece_id!r}.")
    return found


def of_run(connection: Connection, run_id: str) -> list[Piece]:
    """The pieces of a run, in the order in which they were planned."""
    return _read(connection, _wanted().where(pieces.c.run_id == run_id))


def planned(connection: Connection) -> list[Piece]:
    """The pieces that wait for somebody to do them, in the order in which they were planned."""
    return _read(connection, _wanted().where(pieces.c.state == PieceState.PLANNED))


def claimed(connection: Connection) -> list[Piece]:
    """The pieces that somebody does, or did until it went away."""
    return _read(connection, _wanted().where(pieces.c.state == PieceState.CLAIMED))


def live_marks(connection: Connection) -> set[tuple[str, int]]:
    """(piece, fence) of every piece under a lease that is not over; a process marked with any other pair is a stray."""
    alive = select(pieces.c.id, pieces.c.fence).where(pieces.c.state == PieceState.CLAIMED)
    rows = connection.execute(alive.where(pieces.c.lease_until > database_now()))
    return {(row.id, row.fence) for row in rows}


def closing_hashes(connection: Connection) -> dict[str, str | None]:
    """The last hash of each ended piece's stream, as its row tells it."""
    ended = pieces.c.state.in_([PieceState.FINISHED, PieceState.LOST])
    rows = connection.execute(select(pieces.c.id, pieces.c.closing_hash).where(ended))
    return {row.id: row.closing_hash for row in rows}


def records(connection: Connection, run_id: str) -> tuple[PieceRecord, ...]:
    """The pieces of a run with what is known per host, as the rules want them."""
    known = results_of_run(connection, run_id)
    return tuple(_record(piece, known.get(piece.id, {})) for piece in of_run(connection, run_id))


def results_of_run(connection: Connection, run_id: str) -> dict[str, dict[str, HostResult]]:
    """What is known per piece and host."""
    wanted = select(*piece_results.c).join(pieces, pieces.c.id == piece_results.c.piece_id)
    known: dict[str, dict[str, HostResult]] = {}
    for row in connection.execute(wanted.where(pieces.c.run_id == run_id).order_by(piece_results.c.host)).mappings():
        known.setdefault(row["piece_id"], {})[row["host"]] = results.from_row(row)
    return known


def _record(piece: Piece, known: Mapping[str, HostResult]) -> PieceRecord:
    return PieceRecord(
        id=piece.id,
        wave=piece.wave,
        batch=piece.batch,
        stage=piece.stage,
        step=piece.step,
        attempt=piece.attempt,
        hosts=piece.hosts,
        state=piece.state,
        zone=piece.zone,
        started=piece.started_at,
        ended=piece.ended_at,
        results=known,
        problem=piece.problem,
        unmatched=piece.unmatched,
        complete=piece.complete or piece.state not in {PieceState.FINISHED, PieceState.LOST},
    )
