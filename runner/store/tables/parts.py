"""The parts that tables are made of."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, MetaData, Text, text

from runner.domain.execution.outcome import NotRun, Result
from runner.store.columns import By, Instant, Json, Names, Prose, Told, Word

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)


def id_() -> Column[str]:
    """The id that the row is known by."""
    return Column("id", Text, primary_key=True)


def text_(name: str, *, null: bool = False, key: bool = False) -> Column[str]:
    """Text of ours."""
    return Column(name, Text, primary_key=key, nullable=null)


def prose_(name: str, *, null: bool = False) -> Column[str]:
    """Text that comes from outside."""
    return Column(name, Prose, nullable=null)


def instant_(name: str, *, null: bool = False) -> Column[object]:
    """An instant."""
    return Column(name, Instant, nullable=null)


def json_(name: str, *, null: bool = False) -> Column[object]:
    """A JSON value."""
    return Column(name, Json, nullable=null)


def integer_(name: str, *, null: bool = False, key: bool = False) -> Column[int]:
    """A whole number."""
    return Column(name, Integer, primary_key=key, nullable=null, autoincrement=False)


def by_(name: str, *, null: bool = False) -> Column[Any]:
    """Who did it."""
    return Column(name, By, nullable=null)


def names_(name: str, *, null: bool = False) -> Column[tuple[str, ...]]:
    """Names in their order."""
    return Column(name, Names, nullable=null)


def unique_where(name: str, condition: str, *columns: str) -> Index:
    """A unique index over those rows only that the condition names."""
    where = text(condition)
    return Index(name, *columns, unique=True, sqlite_where=where, postgresql_where=where)


def big_(name: str, *, key: bool = False) -> Column[int]:
    """A number that outgrows 32 bits."""
    return Column(name, BigInteger, primary_key=key, nullable=False, autoincrement=False)


def flag_(name: str) -> Column[bool]:
    """Yes or no."""
    return Column(name, Boolean, nullable=False)


def host_result_() -> list[Column[Any]]:
    """The columns of domain.outcome.HostResult, but for the host and for what `cause_told_` has."""
    columns: list[Column[Any]] = [
        Column("result", Word(Result), nullable=False),
        flag_("touched"),
        Column("reason", Word(NotRun), nullable=True),
        text_("cause", null=True),
    ]
    columns += [prose_(name) for name in ("text", "signature", "task", "module", "role")]
    return [*columns, instant_("started_at", null=True), instant_("ended_at", null=True)]


def cause_told_() -> list[Column[Any]]:
    """The columns of domain.outcome.HostResult that came later and stand last: by which rules a cause was named, and in whose words."""
    return [text_("cause_rules", null=True), Column("own_words", Told, nullable=True)]
