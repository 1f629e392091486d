"""A person's order to let all work come to rest: what has begun is finished, nothing else begins, and runs go on when it is ended."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from runner.domain.execution.guards import Drain
from runner.domain.record.record import INSTALLATION
from runner.domain.who import Actor
from runner.errors import UsageError
from runner.ports import Clock, Monotonic
from runner.store.database import Store
from runner.store.execution import drains, pieces, runs
from runner.store.record import log as entries
from runner.store.transaction import Transaction

LOOK_EVERY = 0.5  # seconds


@dataclass(frozen=True, slots=True)
class InFlight:
    """A piece of work that is still going on: of which run, and on which hosts."""

    piece: str
    run: int
    schedule: str
    hosts: tuple[str, ...]


def drain_work(reason: str, *, by: Actor, store: Store, clock: Clock) -> bool:
    """Begin nothing more from now on; False when somebody had asked for that already. Raises UsageError without a reason."""
    if not reason.strip():
        raise UsageError(
            "Say why: --reason 'this machine is being rebooted'. Everybody who finds it drained reads that."
        )
    return store.write(partial(write_drain, reason=reason, by=by, at=clock()))


def write_drain(connection: Transaction, *, reason: str, by: Actor, at: datetime) -> bool:
    """The drain and its log entry in one transaction."""
    begun = drains.start(connection, reason=reason, by=by, at=at)
    if begun:
        body = {"action": "drain.started", "reason": reason, "by": by.name}
        entries.append(connection, INSTALLATION, [body], at=at)
    return begun


def end_drain(*, by: Actor, store: Store, clock: Clock) -> Drain | None:
    """Let work begin again; the drain that was ended, or None when there was none."""
    return store.write(partial(write_end, by=by, at=clock()))


def write_end(connection: Transaction, *, by: Actor, at: datetime) -> Drain | None:
    """The end and its log entry in one transaction."""
    ended = drains.end(connection, by=by, at=at)
    if ended:
        entries.append(connection, INSTALLATION, [{"action": "drain.ended", "by": by.name}], at=at)
    return ended


def in_flight(connection: Transaction) -> tuple[InFlight, ...]:
    """The pieces that somebody does, or did until it went away."""
    return tuple(
        InFlight(piece.id, (run := runs.get(connection, piece.run_id)).number, run.schedule, piece.hosts)
        for piece in pieces.claimed(connection)
    )


def wait_for_rest(
    *,
    store: Store,
    monotonic: Monotonic,
    sleep: Callable[[float], object],
    seconds: float | None,
    tell: Callable[[tuple[InFlight, ...]], None],
) -> bool:
    """Wait until nothing is in flight, at most `seconds`; `tell` hears of every change. False when something still is."""
    begun, told = monotonic(), None
    while left := store.read(in_flight):
        if left != told:
            tell(left)
            told = left
        if seconds is not None and monotonic() - begun >= seconds:
            return False
        sleep(LOOK_EVERY)
    return True
