"""Which daemons are alive, by their own beats and the database's clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, insert, update

from runner.domain.who import Owner
from runner.store.columns import database_now
from runner.store.schema import daemons
from runner.store.sql import read, select_as

ALIVE_FOR = timedelta(seconds=30)
FORGOTTEN_AFTER = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Daemon:
    """A process that executes what is due; `beat_at` is the database's time of its last beat."""

    owner: Owner
    pid: int
    started_at: datetime
    beat_at: datetime


def beat(connection: Connection, owner: Owner, *, started_at: datetime) -> None:
    """Say that a daemon is alive; daemons that have been silent for a day are forgotten."""
    mine = daemons.c.owner == owner
    if connection.execute(update(daemons).where(mine).values(beat_at=database_now())).rowcount == 0:
        row = {"owner": owner, "pid": owner.pid, "started_at": started_at}
        connection.execute(insert(daemons).values(**row, beat_at=database_now()))
        silent = daemons.c.beat_at < database_now(-FORGOTTEN_AFTER.total_seconds())
        connection.execute(delete(daemons).where(silent))


def gone(connection: Connection, owner: Owner) -> None:
    """Say that a daemon has ended."""
    connection.execute(delete(daemons).where(daemons.c.owner == owner))


def alive(connection: Connection, within: timedelta = ALIVE_FOR) -> list[Daemon]:
    """The daemons that have beaten lately, the oldest first."""
    lately = daemons.c.beat_at > database_now(-within.total_seconds())
    return read(connection, Daemon, select_as(Daemon, daemons).where(lately).order_by(daemons.c.started_at))


def last_beat(connection: Connection) -> Daemon | None:
    """The daemon that was heard last, however long ago."""
    heard = read(connection, Daemon, select_as(Daemon, daemons).order_by(daemons.c.beat_at.desc()).limit(1))
    return heard[0] if heard else None
