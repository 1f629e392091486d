"""What was seen of hosts, kept and never overwritten."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, insert, select

from runner.store.ids import new_id
from runner.store.schema import observations
from runner.store.sql import read, select_as


@dataclass(frozen=True, slots=True)
class Observation:
    """One thing seen of one host; a host with another machine_id is another machine under the same name."""

    id: str
    inventory: str
    host: str
    machine_id: str | None
    kind: str
    at: datetime
    value: Any


def add(
    connection: Connection,
    *,
    inventory: str,
    host: str,
    kind: str,
    value: object,
    at: datetime,
    machine_id: str | None = None,
) -> str:
    """Keep an observation; its id."""
    row = {
        "id": new_id(),
        "inventory": inventory,
        "host": host,
        "machine_id": machine_id or None,
        "kind": kind,
        "at": at,
    }
    connection.execute(insert(observations).values(**row, value=value))
    return str(row["id"])


def latest(connection: Connection, inventory: str, kind: str) -> dict[str, Observation]:
    """The latest observation of this kind per host."""
    of_kind = (observations.c.inventory == inventory) & (observations.c.kind == kind)
    place = func.row_number().over(
        partition_by=observations.c.host, order_by=(observations.c.at.desc(), observations.c.id.desc())
    )
    ranked = select(*observations.c, place.label("place")).where(of_kind).subquery()
    found = read(connection, Observation, select_as(Observation, ranked).where(ranked.c.place == 1))
    return {observation.host: observation for observation in found}


def of_host(connection: Connection, inventory: str, host: str, kind: str, limit: int = 100) -> list[Observation]:
    """What was seen of a host, newest first."""
    seen = select_as(Observation, observations).where(
        observations.c.inventory == inventory, observations.c.kind == kind, observations.c.host == host
    )
    return read(connection, Observation, seen.order_by(observations.c.at.desc(), observations.c.id.desc()).limit(limit))


def machine_ids(connection: Connection, inventory: str) -> dict[str, str]:
    """The machine-id that was last seen under each host's name."""
    seen = select(observations.c.host, observations.c.machine_id).where(
        observations.c.inventory == inventory, observations.c.machine_id.is_not(None)
    )
    place = func.row_number().over(
        partition_by=observations.c.host, order_by=(observations.c.at.desc(), observations.c.id.desc())
    )
    ranked = seen.add_columns(place.label("place")).subquery()
    rows = connection.execute(select(ranked.c.host, ranked.c.machine_id).where(ranked.c.place == 1))
    return {row.host: row.machine_id for row in rows}
