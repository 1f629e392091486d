"""Overrides: a person's order to pass guards once, with a reason and an end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, update

from runner.domain.who import Actor
from runner.store.ids import new_id
from runner.store.schema import overrides
from runner.store.sql import read, read_one, select_as


@dataclass(frozen=True, slots=True)
class Override:
    """One override; `guards` may be passed until `expires_at`, by the one run that takes it."""

    id: str
    schedule: str
    reason: str
    by: Actor
    guards: tuple[str, ...]
    at: datetime
    expires_at: datetime
    run_id: str | None


def add(
    connection: Connection,
    *,
    schedule: str,
    reason: str,
    by: Actor,
    guards: Sequence[str],
    at: datetime,
    expires_at: datetime,
    id: str = "",  # noqa: A002 - the column's name
    run_id: str | None = None,
) -> str:
    """Keep an override, taken already when `run_id` is given; its id."""
    row = {"id": id or new_id(), "schedule": schedule, "reason": reason, "by": by, "guards": tuple(guards)}
    connection.execute(insert(overrides).values(**row, at=at, expires_at=expires_at, run_id=run_id))
    return str(row["id"])


def take(connection: Connection, override_id: str, *, run_id: str, now: datetime) -> bool:
    """Use an override for one run; False when it is over, or another run took it."""
    swap = update(overrides).where(
        overrides.c.id == override_id, overrides.c.run_id.is_(None), overrides.c.expires_at > now
    )
    return connection.execute(swap.values(run_id=run_id)).rowcount == 1


def get(connection: Connection, override_id: str) -> Override | None:
    """The override of that id."""
    return read_one(connection, Override, select_as(Override, overrides).where(overrides.c.id == override_id))


def between(connection: Connection, from_: datetime, to: datetime) -> list[Override]:
    """The overrides that were given in [from_, to); reports count them."""
    wanted = select_as(Override, overrides).where(overrides.c.at >= from_, overrides.c.at < to)
    return read(connection, Override, wanted.order_by(overrides.c.at, overrides.c.id))
