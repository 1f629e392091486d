"""Numbers for people: 1, 2, 3 … without a gap, whoever asks."""

from __future__ import annotations

from sqlalchemy import Connection, select, update

from runner.store.schema import counters
from runner.store.sql import insert_new


def following(connection: Connection, name: str) -> int:
    """The next number of this counter; others that ask wait until this transaction ends."""
    insert_new(connection, counters, name=name, value=0)
    connection.execute(update(counters).where(counters.c.name == name).values(value=counters.c.value + 1))
    number: int = connection.execute(select(counters.c.value).where(counters.c.name == name)).scalar_one()
    return number
