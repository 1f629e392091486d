"""The append-only log: streams of chained entries, continued by compare-and-swap on (stream, seq)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection, func, insert, select

from runner.domain.record.record import Link, LogEntry, chained
from runner.store.schema import log_entries
from runner.store.sql import chunks, insert_new, read, select_as

PAGE = 1000
ROWS_AT_ONCE = 5000


def append(connection: Connection, stream: str, bodies: Sequence[Mapping[str, object]], *, at: datetime) -> Link:
    """Continue a stream; where it ends afterwards.

    Safe between processes: the first entry takes its number by an insert that only one transaction can win, and until that transaction ends the others
    wait for it. So append to the installation's stream last, and keep the transaction short. Raises ValueError or TypeError for a body without canonical form.
    """
    while True:
        found = head(connection, stream)
        entries = chained(found, stream, bodies, at=at)
        if not entries:
            return found
        if insert_new(connection, log_entries, **_row(entries[0])):
            break
    for some in chunks(entries[1:], ROWS_AT_ONCE):
        connection.execute(insert(log_entries), [_row(entry) for entry in some])
    return Link(entries[-1].seq, entries[-1].hash)


def _row(entry: LogEntry) -> dict[str, object]:
    return {name: getattr(entry, name) for name in ("stream", "seq", "at", "prev", "hash", "body")}


def head(connection: Connection, stream: str) -> Link:
    """Where a stream ends now; (0, GENESIS) when it has no entry."""
    last = select_as(Link, log_entries).where(log_entries.c.stream == stream).order_by(log_entries.c.seq.desc())
    return next(iter(read(connection, Link, last.limit(1))), Link())


def entries(connection: Connection, stream: str, after: int = 0, until: int | None = None) -> Iterator[LogEntry]:
    """The entries of a stream with `after` < seq <= `until`, in order, a page in memory at a time."""
    while page := _page(connection, stream, after, until):
        yield from page
        after = page[-1].seq


def _page(connection: Connection, stream: str, after: int, until: int | None) -> list[LogEntry]:
    wanted = select_as(LogEntry, log_entries).where(log_entries.c.stream == stream, log_entries.c.seq > after)
    if until is not None:
        wanted = wanted.where(log_entries.c.seq <= until)
    return read(connection, LogEntry, wanted.order_by(log_entries.c.seq).limit(PAGE))


def streams(connection: Connection) -> list[str]:
    """Every stream that has an entry, by name."""
    found = connection.execute(select(log_entries.c.stream).distinct().order_by(log_entries.c.stream)).scalars()
    return list(found)


def count(connection: Connection, stream: str) -> int:
    """How many entries of a stream are kept."""
    number: int = connection.execute(select(func.count()).where(log_entries.c.stream == stream)).scalar_one()
    return number


def span(connection: Connection, stream: str, from_: datetime | None, to: datetime | None) -> tuple[int, int] | None:
    """The first and last number of a stream's entries dated in [from_, to); None when there is none."""
    wanted = select(func.min(log_entries.c.seq), func.max(log_entries.c.seq)).where(log_entries.c.stream == stream)
    if from_ is not None:
        wanted = wanted.where(log_entries.c.at >= from_)
    if to is not None:
        wanted = wanted.where(log_entries.c.at < to)
    first, last = connection.execute(wanted).one()
    return None if first is None else (first, last)
