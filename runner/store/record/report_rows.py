"""Reads everything that the reports of a period are made of, at one moment, and changes nothing.

A slot belongs to the period in which it opens, and its run goes with it; a run without a slot belongs to the period in which it was asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Connection, FromClause, Select, func, or_, select

from runner.domain.execution.run import SlotState, Stage
from runner.domain.record.record import INSTALLATION, Link, piece_stream, run_stream
from runner.errors import UsageError
from runner.store import schema
from runner.store.execution import pauses, runs
from runner.store.execution.runs import Run
from runner.store.record.period_rows import (
    ApprovalRow,
    CheckpointRow,
    CheckRow,
    Cut,
    EvidenceRow,
    InventoryRow,
    OutcomeRow,
    OverrideRow,
    PeriodRows,
    PieceRow,
    RetiredRow,
    SnapshotRow,
    StreamRow,
    TicketEventRow,
    TicketRow,
)
from runner.store.sql import chunks, read, select_as
from runner.store.time import cadence, slots
from runner.store.time.slots import Slot

T = TypeVar("T")
MOST_OUTCOMES = 50_000  # host outcomes of one report; 30,000 were measured to take half a gigabyte of memory


@dataclass(frozen=True, slots=True)
class _Reading:
    """One reading of a period: the open transaction, and [starts, ends)."""

    connection: Connection
    starts: datetime
    ends: datetime

    def within(self, moment: ColumnElement[Any]) -> ColumnElement[bool]:
        """Whether a moment lies in the period."""
        return (moment >= self.starts) & (moment < self.ends)

    def all(self, value: type[T], table: FromClause, *order: str) -> tuple[T, ...]:
        """Every row of a table."""
        return tuple(read(self.connection, value, select_as(value, table).order_by(*(table.c[name] for name in order))))

    def dated(self, value: type[T], table: FromClause, moment: str = "at") -> tuple[T, ...]:
        """The rows of a table whose moment lies in the period, in order."""
        wanted = select_as(value, table).where(self.within(table.c[moment])).order_by(table.c[moment], table.c.id)
        return tuple(read(self.connection, value, wanted))

    def of(
        self, value: type[T], column: ColumnElement[Any], keys: Iterable[str], key: Callable[[T], Any]
    ) -> tuple[T, ...]:
        """The rows of a column's table where that column holds one of the keys, sorted by `key`."""
        return self.asked(value, select_as(value, column.table), column, keys, key)

    def asked(
        self,
        value: type[T],
        wanted: Select[Any],
        column: ColumnElement[Any],
        keys: Iterable[str],
        key: Callable[[T], Any],
    ) -> tuple[T, ...]:
        """The rows of a statement where a column holds one of the keys, asked for in portions and sorted by `key`."""
        found = (row for some in chunks(keys) for row in read(self.connection, value, wanted.where(column.in_(some))))
        return tuple(sorted(found, key=key))


def of_period(connection: Connection, *, starts: datetime, ends: datetime) -> PeriodRows:
    """Read all rows of [starts, ends); raises UsageError for a period with more host outcomes than one report can hold."""
    reading = _Reading(connection, starts, ends)
    ledger = slots.between(connection, starts, ends)
    found = _runs(reading)
    run_ids = [run.id for run in found]
    _refuse_too_many(connection, run_ids)
    pieces = reading.of(
        PieceRow, schema.pieces.c.run_id, run_ids, lambda row: (row.run_id, row.wave, row.batch, row.id)
    )
    tickets = _tickets(reading)
    streams = [*map(run_stream, run_ids), *(piece_stream(piece.id) for piece in pieces)]
    return PeriodRows(
        slots=tuple(ledger),
        withdrawn=_withdrawn(reading),
        cadence=tuple(cadence.between(connection, _day_from(starts), _day_from(ends))),
        runs=found,
        snapshots=_snapshots(reading, found),
        outcomes=reading.of(
            OutcomeRow, schema.host_outcomes.c.run_id, run_ids, lambda row: (row.run_id, row.inventory, row.host)
        ),
        checks=_checks(reading, run_ids),
        pieces=pieces,
        tickets=tickets,
        ticket_events=_events(reading, tickets),
        overrides=_overrides(reading, run_ids),
        pauses=tuple(pauses.touching(connection, starts, ends)),
        approvals=_approvals(reading, found, ledger),
        evidence=reading.of(EvidenceRow, schema.evidence.c.run_id, run_ids, lambda row: (row.at, row.id)),
        checkpoints=reading.dated(CheckpointRow, schema.checkpoints),
        streams=_streams(reading, streams),
        cut=_cut(reading),
        inventories=reading.all(InventoryRow, schema.inventories_seen, "inventory"),
        retired=reading.all(RetiredRow, schema.retired_hosts, "inventory", "host"),
        definitions=_definitions(reading, {slot.definition for slot in ledger} | {run.definition for run in found}),
    )


def _day_from(instant: datetime) -> date:
    """The first UTC day that begins at an instant or later."""
    utc = instant.astimezone(UTC)
    return utc.date() + timedelta(days=utc.time() != time(0))


def _runs(reading: _Reading) -> tuple[Run, ...]:
    table, ledger = schema.runs, schema.slots
    moment = func.coalesce(ledger.c.opens_at, table.c.created_at, type_=table.c.created_at.type)
    wanted = select(table.c.id).select_from(table.outerjoin(ledger, ledger.c.id == table.c.slot_id))
    found = reading.connection.execute(wanted.where(reading.within(moment)).order_by(table.c.number)).scalars()
    return tuple(runs.get(reading.connection, run_id) for run_id in found.all())


def _withdrawn(reading: _Reading) -> int:
    ledger = schema.slots
    wanted = select(func.count()).where(reading.within(ledger.c.opens_at), ledger.c.state == SlotState.WITHDRAWN)
    number: int = reading.connection.execute(wanted).scalar_one()
    return number


def _refuse_too_many(connection: Connection, run_ids: Iterable[str]) -> None:
    column = schema.host_outcomes.c.run_id
    portions = (select(func.count()).where(column.in_(some)) for some in chunks(run_ids))
    number = sum(connection.execute(portion).scalar_one() for portion in portions)
    if number > MOST_OUTCOMES:
        raise UsageError(
            f"The period holds {number} host outcomes, more than the {MOST_OUTCOMES} that one report can show. "
            "Write reports of shorter periods."
        )


def _snapshots(reading: _Reading, executed: Iterable[Run]) -> Mapping[str, SnapshotRow]:
    digests = {run.snapshot for run in executed}
    found = reading.of(SnapshotRow, schema.snapshots.c.digest, digests, lambda row: row.digest)
    return {row.digest: row for row in found}


def _checks(reading: _Reading, run_ids: Iterable[str]) -> tuple[CheckRow, ...]:
    pieces, results = schema.pieces, schema.piece_results
    wanted = (
        select(*(pieces.c[name] for name in ("run_id", "batch", "step", "attempt")))
        .add_columns(*(results.c[name] for name in ("host", "result", "text")))
        .select_from(results.join(pieces, pieces.c.id == results.c.piece_id))
        .where(pieces.c.stage == Stage.POST_CHECK)
    )
    order = lambda row: (row.run_id, row.host, row.batch, row.step, row.attempt)  # noqa: E731
    return reading.asked(CheckRow, wanted, pieces.c.run_id, run_ids, order)


def _tickets(reading: _Reading) -> tuple[TicketRow, ...]:
    """Tickets that were live at any moment of the period."""
    tickets = schema.tickets
    live = or_(tickets.c.resolved_at.is_(None), tickets.c.resolved_at >= reading.starts)
    wanted = select_as(TicketRow, tickets).where(tickets.c.opened_at < reading.ends, live)
    return tuple(read(reading.connection, TicketRow, wanted.order_by(tickets.c.number)))


def _events(reading: _Reading, tickets: Iterable[TicketRow]) -> tuple[TicketEventRow, ...]:
    keys = [ticket.id for ticket in tickets]
    return reading.of(TicketEventRow, schema.ticket_events.c.ticket_id, keys, lambda row: (row.ticket_id, row.seq))


def _overrides(reading: _Reading, run_ids: Iterable[str]) -> tuple[OverrideRow, ...]:
    """Overrides that were given in the period, or that a run of the period used."""
    used = reading.of(OverrideRow, schema.overrides.c.run_id, run_ids, lambda row: row.id)
    found = {row.id: row for row in (*reading.dated(OverrideRow, schema.overrides), *used)}
    return tuple(sorted(found.values(), key=lambda row: (row.at, row.id)))


def _approvals(reading: _Reading, found_runs: Sequence[Run], ledger: Sequence[Slot]) -> tuple[ApprovalRow, ...]:
    columns = schema.approvals.c
    named = [run.approval_id for run in found_runs if run.approval_id]
    of_runs = reading.of(ApprovalRow, columns.id, named, lambda row: row.id)
    of_slots = reading.of(ApprovalRow, columns.slot_id, [slot.id for slot in ledger], lambda row: row.id)
    found = {row.id: row for row in (*of_runs, *of_slots)}
    return tuple(sorted(found.values(), key=lambda row: (row.at, row.id)))


def _streams(reading: _Reading, names: Iterable[str]) -> tuple[StreamRow, ...]:
    """How far each of these streams goes, and the hash that it ends with; those without entries are left out."""
    entries = schema.log_entries
    ends = select(
        entries.c.stream,
        func.count().label("count"),
        func.min(entries.c.seq).label("first_seq"),
        func.max(entries.c.seq).label("last_seq"),
    ).group_by(entries.c.stream)
    found: list[StreamRow] = []
    for some in chunks(names):
        span = ends.where(entries.c.stream.in_(some)).subquery()
        last = span.join(entries, (entries.c.stream == span.c.stream) & (entries.c.seq == span.c.last_seq))
        found += read(reading.connection, StreamRow, select(*span.c, entries.c.hash).select_from(last))
    return tuple(sorted(found, key=lambda row: row.stream))


def _cut(reading: _Reading) -> Cut:
    entries = schema.log_entries
    links = select_as(Link, entries).where(entries.c.stream == INSTALLATION)
    within = links.where(reading.within(entries.c.at))

    def first(wanted: Select[Any]) -> Link | None:
        return next(iter(read(reading.connection, Link, wanted.limit(1))), None)

    return Cut(
        first=first(within.order_by(entries.c.seq)),
        last=first(within.order_by(entries.c.seq.desc())),
        head=first(links.order_by(entries.c.seq.desc())) or Link(),
    )


def _definitions(reading: _Reading, digests: Iterable[str]) -> Mapping[str, Mapping[str, Any]]:
    table = schema.definitions
    return {
        row.digest: row.body
        for some in chunks(sorted(digests))
        for row in reading.connection.execute(select(table.c.digest, table.c.body).where(table.c.digest.in_(some)))
    }
