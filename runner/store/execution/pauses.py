"""Pauses: a person's order to touch nothing, of everything or of some hosts, for a time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import ColumnElement, Connection, and_, insert, or_, update

from runner.domain.execution.guards import Pause
from runner.domain.who import Actor
from runner.store.ids import new_id
from runner.store.schema import pauses
from runner.store.sql import read, select_as


class InFlight(StrEnum):
    """What a pause means for runs that are going: let the batch finish, or stop it now."""

    FINISH = "finish"
    STOP = "stop"


@dataclass(frozen=True, slots=True)
class KeptPause:
    """A pause as it was ordered, and how it ended."""

    id: str
    hosts: str
    reason: str
    by: Actor
    from_at: datetime
    until_at: datetime | None
    ended_at: datetime | None
    ended_by: Actor | None
    in_flight: str

    @property
    def over_at(self) -> datetime | None:
        """When it ended, or will end: by a person, or at its own end; None while nobody has said."""
        return min((moment for moment in (self.ended_at, self.until_at) if moment), default=None)


def start(
    connection: Connection,
    *,
    reason: str,
    by: Actor,
    at: datetime,
    until: datetime | None = None,
    hosts: str = "",
    in_flight: str = InFlight.FINISH,
) -> str:
    """Pause the hosts of a pattern, or everything, until an instant or until somebody resumes; the pause's id."""
    row = {"id": new_id(), "hosts": hosts, "reason": reason, "by": by, "from_at": at, "until_at": until}
    connection.execute(insert(pauses).values(**row, in_flight=str(InFlight(in_flight))))
    return str(row["id"])


def end(connection: Connection, pause_id: str, *, by: Actor, at: datetime) -> bool:
    """Resume; False when the pause was over already."""
    swap = update(pauses).where(pauses.c.id == pause_id, _going(at))
    return connection.execute(swap.values(ended_at=at, ended_by=by)).rowcount == 1


def active(connection: Connection, now: datetime) -> list[Pause]:
    """The pauses in force, the oldest first."""
    return [_as_rule(pause) for pause in in_force(connection, now)]


def in_force(connection: Connection, now: datetime) -> list[KeptPause]:
    """The pauses in force with everything that was kept about them, the oldest first."""
    going = select_as(KeptPause, pauses).where(pauses.c.from_at <= now, _going(now))
    return read(connection, KeptPause, going.order_by(pauses.c.from_at, pauses.c.id))


def touching(connection: Connection, from_: datetime, to: datetime) -> list[KeptPause]:
    """The pauses that were in force at some moment of [from_, to), the oldest first."""
    lasted = [or_(column.is_(None), column > from_) for column in (pauses.c.ended_at, pauses.c.until_at)]
    wanted = select_as(KeptPause, pauses).where(pauses.c.from_at < to, *lasted)
    return read(connection, KeptPause, wanted.order_by(pauses.c.from_at, pauses.c.id))


def _going(now: datetime) -> ColumnElement[bool]:
    return and_(pauses.c.ended_at.is_(None), or_(pauses.c.until_at.is_(None), pauses.c.until_at > now))


def _as_rule(pause: KeptPause) -> Pause:
    at_once = pause.in_flight == InFlight.STOP
    return Pause(pause.id, pause.reason, str(pause.by), pause.from_at, pause.until_at, pause.hosts, at_once)
