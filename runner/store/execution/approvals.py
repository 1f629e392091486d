"""Approvals: who allowed which plan, for which hosts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert

from runner.domain.who import Actor
from runner.store.ids import new_id
from runner.store.schema import approvals
from runner.store.sql import read, select_as


@dataclass(frozen=True, slots=True)
class Approval:
    """One approval; it holds for a plan with this digest, and for no host beyond `hosts`."""

    id: str
    slot_id: str | None
    run_id: str | None
    digest: str
    hosts: tuple[str, ...]
    by: Actor
    at: datetime
    signature: str | None


def add(
    connection: Connection,
    *,
    digest: str,
    hosts: Sequence[str],
    by: Actor,
    at: datetime,
    slot_id: str | None = None,
    run_id: str | None = None,
    signature: str | None = None,
) -> str:
    """Keep an approval; its id."""
    row = {
        "id": new_id(),
        "slot_id": slot_id,
        "run_id": run_id,
        "digest": digest,
        "hosts": tuple(sorted(hosts)),
        "by": by,
    }
    connection.execute(insert(approvals).values(**row, at=at, signature=signature))
    return str(row["id"])


def of_slot(connection: Connection, slot_id: str) -> list[Approval]:
    """The approvals that a slot was given, the first first."""
    wanted = select_as(Approval, approvals).where(approvals.c.slot_id == slot_id)
    return read(connection, Approval, wanted.order_by(approvals.c.at, approvals.c.id))


def of_digest(connection: Connection, digest: str) -> list[Approval]:
    """The approvals of a plan, the first first."""
    wanted = select_as(Approval, approvals).where(approvals.c.digest == digest)
    return read(connection, Approval, wanted.order_by(approvals.c.at, approvals.c.id))
