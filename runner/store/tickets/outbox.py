"""What is to leave us: written in the transaction that it speaks of, sent afterwards, tried again until it arrives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, update

from runner.store.ids import new_id
from runner.store.schema import LetterState, outbox
from runner.store.sql import read, select_as


@dataclass(frozen=True, slots=True)
class Letter:
    """One message; `attempts` counts how often it was taken to be sent."""

    id: str
    kind: str
    target: str
    body: Any
    created_at: datetime
    next_try_at: datetime
    attempts: int
    state: LetterState
    error: str


def put(connection: Connection, *, kind: str, target: str, body: Mapping[str, object], at: datetime) -> str:
    """Write a message that is to be sent; its id."""
    row = {"id": new_id(), "kind": kind, "target": target, "body": body, "created_at": at, "next_try_at": at}
    connection.execute(insert(outbox).values(**row, attempts=0, state=LetterState.WAITING, error=""))
    return str(row["id"])


def due(connection: Connection, now: datetime, limit: int = 100) -> list[Letter]:
    """The messages whose time has come, the oldest first."""
    waiting = select_as(Letter, outbox).where(outbox.c.state == LetterState.WAITING, outbox.c.next_try_at <= now)
    return read(connection, Letter, waiting.order_by(outbox.c.next_try_at, outbox.c.id).limit(limit))


def take(connection: Connection, letter: Letter, *, again_at: datetime) -> bool:
    """Take a message to send it; False when somebody else did. Unless it is reported as sent, it comes again at `again_at`."""
    swap = update(outbox).where(
        outbox.c.id == letter.id, outbox.c.state == LetterState.WAITING, outbox.c.attempts == letter.attempts
    )
    return connection.execute(swap.values(attempts=letter.attempts + 1, next_try_at=again_at)).rowcount == 1


def sent(connection: Connection, letter_id: str) -> bool:
    """Note that a message has arrived."""
    return _becomes(connection, letter_id, state=LetterState.SENT, error="")


def failed(connection: Connection, letter_id: str, *, error: str, again_at: datetime) -> bool:
    """Note why a message did not arrive, and when to try again."""
    return _becomes(connection, letter_id, error=error, next_try_at=again_at)


def give_up(connection: Connection, letter_id: str, *, error: str) -> bool:
    """Note that a message cannot arrive; it is shown to people instead."""
    return _becomes(connection, letter_id, state=LetterState.DEAD, error=error)


def _becomes(connection: Connection, letter_id: str, **values: object) -> bool:
    swap = update(outbox).where(outbox.c.id == letter_id, outbox.c.state == LetterState.WAITING)
    return connection.execute(swap.values(**values)).rowcount == 1


def dead(connection: Connection) -> list[Letter]:
    """The messages that were given up, the oldest first."""
    given_up = select_as(Letter, outbox).where(outbox.c.state == LetterState.DEAD)
    return read(connection, Letter, given_up.order_by(outbox.c.created_at, outbox.c.id))
