"""What the files said, by digest of what they said."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from runner.store.schema import definitions
from runner.store.sql import insert_new, read, read_one, select_as


@dataclass(frozen=True, slots=True)
class Definition:
    """One definition (kind: schedule, window, freeze …) as it was first seen with this content."""

    digest: str
    kind: str
    name: str
    body: Any
    first_seen: datetime


def keep(
    connection: Connection, *, digest: str, kind: str, name: str, body: Mapping[str, object], at: datetime
) -> bool:
    """Keep a definition; whether it is new."""
    return insert_new(connection, definitions, digest=digest, kind=kind, name=name, body=body, first_seen=at)


def get(connection: Connection, digest: str) -> Definition | None:
    """The definition with that digest."""
    return read_one(connection, Definition, select_as(Definition, definitions).where(definitions.c.digest == digest))


def of_kind(connection: Connection, kind: str, *, since: datetime) -> list[Definition]:
    """The definitions of a kind that were first seen since then, in that order."""
    wanted = select_as(Definition, definitions).where(definitions.c.kind == kind, definitions.c.first_seen >= since)
    return read(connection, Definition, wanted.order_by(definitions.c.first_seen, definitions.c.name))


def last_of(connection: Connection, kind: str, name: str) -> Definition | None:
    """The definition of that name that was first seen last."""
    named = select_as(Definition, definitions).where(definitions.c.kind == kind, definitions.c.name == name)
    return read_one(connection, Definition, named.order_by(definitions.c.first_seen.desc()))
