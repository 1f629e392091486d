"""The few statements that both databases need said in their own dialect, and rows as values."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Connection, FromClause, Select, Table, func, select

T = TypeVar("T")
Insert = Any  # the two dialects' inserts have the same methods, but no common ancestor that names them
CHUNK = 500  # values in one IN list; SQLite takes 999 in its smallest build


def insert_new(connection: Connection, table: Table, **values: object) -> bool:
    """Insert a row unless a unique key of it is taken; whether it was written. Waits for another transaction that is taking the same key."""
    statement = _insert(connection, table).values(**values).on_conflict_do_nothing()
    # without the option the number of inserted rows is not always kept, and -1 would read as "taken"
    return connection.execute(statement, execution_options={"preserve_rowcount": True}).rowcount == 1


def insert_missing(connection: Connection, table: Table, rows: Sequence[Mapping[str, object]]) -> None:
    """Insert those rows of which no unique key is taken."""
    if rows:
        connection.execute(_insert(connection, table).on_conflict_do_nothing(), [dict(row) for row in rows])


def put(
    connection: Connection, table: Table, rows: Sequence[Mapping[str, object]], **changes: ColumnElement[Any]
) -> None:
    """Insert rows; where the primary key is taken, write the row's other columns over the kept ones, or `changes` when given."""
    if not rows:
        return
    statement = _insert(connection, table)
    keys = list(table.primary_key.columns)
    overwritten = {name: statement.excluded[name] for name in rows[0] if name not in table.primary_key.columns}
    connection.execute(
        statement.on_conflict_do_update(index_elements=keys, set_=changes or overwritten), [dict(row) for row in rows]
    )


def _insert(connection: Connection, table: Table) -> Insert:
    if connection.dialect.name == "postgresql":
        from sqlalchemy.dialects.postgresql import insert  # each is imported where it is used only: they take time
    else:
        from sqlalchemy.dialects.sqlite import insert  # type: ignore[assignment]
    return insert(table)


def serialise(connection: Connection, name: str) -> None:
    """Let one transaction at a time pass here, by name, until it ends. SQLite's writers are one at a time as they are."""
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(name, 0))))


def select_as(value: type[T], source: FromClause) -> Select[Any]:
    """Select the columns that bear the names of the value's fields."""
    return select(*(source.c[field.name] for field in fields(value)))  # type: ignore[arg-type]


def read(connection: Connection, value: type[T], statement: Select[Any]) -> list[T]:
    """Every row as a value, by column names."""
    return [value(**row) for row in connection.execute(statement).mappings()]


def read_one(connection: Connection, value: type[T], statement: Select[Any]) -> T | None:
    """The first row as a value, or None."""
    row = connection.execute(statement.limit(1)).mappings().first()
    return None if row is None else value(**row)


def chunks(values: Iterable[T], size: int = CHUNK) -> Iterator[list[T]]:
    """The values, in lists short enough for one statement."""
    whole = list(values)
    for start in range(0, len(whole), size):
        yield whole[start : start + size]
