"""Drains: a person's order to begin no further piece of work, whatever its run, until somebody ends it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, update

from runner.domain.execution.guards import Drain
from runner.domain.who import Actor
from runner.store.ids import new_id
from runner.store.schema import drains
from runner.store.sql import read, select_as, serialise


@dataclass(frozen=True, slots=True)
class KeptDrain:
    """A drain as it was ordered."""

    reason: str
    by: Actor
    from_at: datetime


def start(connection: Connection, *, reason: str, by: Actor, at: datetime) -> bool:
    """Begin to drain; False when that is going on already."""
    serialise(connection, "drains")
    if in_force(connection) is not None:
        return False
    connection.execute(insert(drains).values(id=new_id(), reason=reason, by=by, from_at=at))
    return True


def end(connection: Connection, *, by: Actor, at: datetime) -> Drain | None:
    """Let work begin again; the drain that was ended, or None when there was none."""
    going = in_force(connection)
    swap = update(drains).where(drains.c.ended_at.is_(None)).values(ended_at=at, ended_by=by)
    return going if connection.execute(swap).rowcount else None


def in_force(connection: Connection) -> Drain | None:
    """The drain in force."""
    wanted = select_as(KeptDrain, drains).where(drains.c.ended_at.is_(None)).order_by(drains.c.from_at)
    found = read(connection, KeptDrain, wanted)
    return Drain(found[0].reason, str(found[0].by), found[0].from_at) if found else None
