"""Work on a cadence has no slots: a schedule's day is one row that says what was expected and what became of it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection, delete, select

from runner.domain.time.cadence import Interval
from runner.store.schema import cadence, last_intervals
from runner.store.sql import put, read, read_one, select_as


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


def last_of(connection: Connection, schedule: str) -> Interval | None:
    """The last interval of a schedule that was counted; None when nothing of it is expected yet."""
    return read_one(
        connection, Interval, select_as(Interval, last_intervals).where(last_intervals.c.schedule == schedule)
    )


def last_intervals_counted(connection: Connection) -> dict[str, Interval]:
    """The last interval that was counted, by schedule."""
    rows = connection.execute(select(last_intervals))
    return {row.schedule: Interval(row.begins, row.ends) for row in rows}


def keep_last(connection: Connection, schedule: str, interval: Interval) -> None:
    """Note which interval of a schedule was counted last."""
    put(connection, last_intervals, [{"schedule": schedule, "begins": interval.begins, "ends": interval.ends}])


def forget_last(connection: Connection, schedules: Collection[str]) -> None:
    """Expect nothing of schedules that are gone; should they come back, they begin anew."""
    connection.execute(delete(last_intervals).where(last_intervals.c.schedule.in_(schedules)))
