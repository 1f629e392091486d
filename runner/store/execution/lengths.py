"""How long runs took."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, func, select

from runner.domain.execution.run import Stage, Verdict
from runner.store.schema import pieces, runs

WENT_THROUGH = (Verdict.SUCCEEDED, Verdict.DEGRADED)  # others were stopped before they had done their hosts


@dataclass(frozen=True, slots=True)
class Length:
    """One run of a schedule: how long it took, and how long after its beginning its last batch began."""

    schedule: str
    took: timedelta
    last_batch_after: timedelta


def since(connection: Connection, earliest: datetime) -> list[Length]:
    """The runs since an instant that went through all their hosts, the latest first; check mode does not count."""
    began = (
        pieces.c.started_at
    )  # pieces are timed by the database's clock, runs by the scheduler's: the two are not mixed
    first_piece, last_batch = func.min(began), func.max(began).filter(pieces.c.stage == Stage.APPLY)
    of_run = (runs.c.id, runs.c.number, runs.c.schedule, runs.c.started_at, runs.c.ended_at)
    wanted = (
        select(*of_run, first_piece.label("first_piece"), last_batch.label("last_batch"))
        .join(pieces, pieces.c.run_id == runs.c.id)
        .where(
            runs.c.created_at >= earliest,
            runs.c.started_at.is_not(None),
            runs.c.ended_at.is_not(None),
            runs.c.verdict.in_(WENT_THROUGH),
            runs.c.check_mode.is_(False),
        )
        .group_by(*of_run)
        .having(last_batch.is_not(None))
        .order_by(runs.c.number.desc())
    )
    return [
        Length(row.schedule, row.ended_at - row.started_at, row.last_batch - row.first_piece)
        for row in connection.execute(wanted)
    ]
