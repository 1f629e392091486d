"""Approvals: who allowed what, on which hosts, for which slot or run by hand, and whether it was taken back."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, insert, update

from runner.domain.execution.approval import Approval
from runner.domain.who import Actor
from runner.store.schema import approvals
from runner.store.sql import read, read_one, select_as


def add(connection: Connection, approval: Approval) -> None:
    """Keep an approval."""
    row = {name: getattr(approval, name) for name in Approval.__slots__}
    connection.execute(insert(approvals).values(**row | {"content": dict(approval.content)}))


def get(connection: Connection, approval_id: str) -> Approval | None:
    """The approval of that id."""
    return read_one(connection, Approval, select_as(Approval, approvals).where(approvals.c.id == approval_id))


def of_slot(connection: Connection, slot_id: str) -> list[Approval]:
    """The approvals that a slot was given, the last first; also those that were taken back."""
    wanted = select_as(Approval, approvals).where(approvals.c.slot_id == slot_id)
    return read(connection, Approval, wanted.order_by(approvals.c.at.desc(), approvals.c.id.desc()))


def by_hand(connection: Connection, schedule: str) -> list[Approval]:
    """The approvals of runs by hand of a schedule, the last first."""
    wanted = select_as(Approval, approvals).where(approvals.c.schedule == schedule, approvals.c.slot_id.is_(None))
    return read(connection, Approval, wanted.order_by(approvals.c.at.desc(), approvals.c.id.desc()))


def signed(connection: Connection) -> list[Approval]:
    """The approvals that their approvers signed, the first first."""
    wanted = select_as(Approval, approvals).where(approvals.c.signature.is_not(None))
    return read(connection, Approval, wanted.order_by(approvals.c.at, approvals.c.id))


def revoke(connection: Connection, approval_id: str, *, by: Actor, at: datetime) -> bool:
    """Take an approval back; False when somebody has done so already."""
    swap = update(approvals).where(approvals.c.id == approval_id, approvals.c.revoked_at.is_(None))
    return connection.execute(swap.values(revoked_at=at, revoked_by=by)).rowcount == 1


def is_in_force(connection: Connection, approval_id: str) -> bool:
    """Whether nobody has taken an approval back; no one can, until this writing transaction ends."""
    wanted = select_as(Approval, approvals).where(approvals.c.id == approval_id).with_for_update()
    found = read_one(connection, Approval, wanted)
    return found is not None and found.revoked_at is None
