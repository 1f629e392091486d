"""Work on a cadence has no slots: a schedule's day is one row that says what was expected and what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection

from runner.store.schema import cadence
from runner.store.sql import put, read, select_as


@dataclass(frozen=True, slots=True)
class CadenceDay:
    """One schedule on one UTC day, in runs."""

    schedule: str
    day: date
    expected: int
    run: int
    late: int
    missed: int


def count(
    connection: Connection, schedule: str, day: date, *, expected: int = 0, run: int = 0, late: int = 0, missed: int = 0
) -> None:
    """Add to a schedule's day."""
    added = {"expected": expected, "run": run, "late": late, "missed": missed}
    put(
        connection,
        cadence,
        [{"schedule": schedule, "day": day, **added}],
        **{name: cadence.c[name] + more for name, more in added.items()},
    )


def between(connection: Connection, from_: date, to: date) -> list[CadenceDay]:
    """The days in [from_, to)."""
    days = select_as(CadenceDay, cadence).where(cadence.c.day >= from_, cadence.c.day < to)
    return read(connection, CadenceDay, days.order_by(cadence.c.schedule, cadence.c.day))
