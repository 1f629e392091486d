"""Column types that keep their promises on both databases: instants, canonical JSON, words, and text from outside."""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import DateTime, Dialect, Float, LargeBinary, String, Text, TypeDecorator, literal
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeEngine

from runner.domain.record.record import canonical, instant_text
from runner.domain.tickets.plain_words import PlainWords
from runner.domain.who import Actor, Owner

INSTANT_WIDTH = 27  # 2026-03-21T21:00:00.000000Z: one width, so that SQLite compares instants as text
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


class Instant(TypeDecorator[datetime]):
    """An aware instant in UTC, to the microsecond; naive ones are refused. SQLite: text of one width; PostgreSQL: timestamptz."""

    impl = DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Choose the database's own type."""
        return dialect.type_descriptor(
            DateTime(timezone=True) if dialect.name == "postgresql" else String(INSTANT_WIDTH)
        )

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:  # noqa: ANN401 - what a driver takes differs by database
        """Refuse what has no zone, and write the rest in UTC."""
        if value is None:
            return None
        text = instant_text(value)
        return value.astimezone(UTC) if dialect.name == "postgresql" else text

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:  # noqa: ANN401 - signature of SQLAlchemy
        """Read an aware instant in UTC."""
        if isinstance(value, str):
            return datetime.fromisoformat(value)
        return value.astimezone(UTC) if isinstance(value, datetime) else None


class Json(TypeDecorator[Any]):
    """Any JSON value, kept as canonical text, so that equal values are equal bytes."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:  # noqa: ANN401 - signature of SQLAlchemy
        """Write canonical JSON; None stays NULL."""
        return None if value is None else canonical(value).decode()

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:  # noqa: ANN401 - signature of SQLAlchemy
        """Read the value back."""
        return None if value is None else json.loads(value)


class Names(TypeDecorator[tuple[str, ...]]):
    """Names in their order, kept as a canonical JSON list."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Sequence[str] | None, dialect: Dialect) -> str | None:
        """Write the list; None stays NULL."""
        return None if value is None else canonical(list(value)).decode()

    def process_result_value(self, value: Any, dialect: Dialect) -> tuple[str, ...] | None:  # noqa: ANN401 - signature of SQLAlchemy
        """Read a tuple of names."""
        return None if value is None else tuple(json.loads(value))


class Word(TypeDecorator[StrEnum]):
    """One word of a closed list."""

    impl = Text
    cache_ok = True

    def __init__(self, words: type[StrEnum]) -> None:
        """Name the list."""
        super().__init__()
        self.words = words

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Refuse a word that is not on the list."""
        return None if value is None else str(self.words(value))

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:  # noqa: ANN401 - signature of SQLAlchemy
        """Read the word back as a member of the list."""
        return None if value is None else self.words(value)


class By(TypeDecorator[Actor]):
    """Who did it: a person or the system, kept as canonical JSON."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Actor | None, dialect: Dialect) -> str | None:
        """Write the actor; None stays NULL."""
        return None if value is None else canonical(asdict(value)).decode()

    def process_result_value(self, value: Any, dialect: Dialect) -> Actor | None:  # noqa: ANN401 - signature of SQLAlchemy
        """Read the actor back."""
        return None if value is None else Actor(**json.loads(value))


class OwnedBy(TypeDecorator[Owner]):
    """The process that owns a row, kept as canonical JSON, so that equal owners are equal bytes."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Owner | None, dialect: Dialect) -> str | None:
        """Write the owner; None stays NULL."""
        return None if value is None else canonical(asdict(value)).decode()

    def process_result_value(self, value: Any, dialect: Dialect) -> Owner | None:  # noqa: ANN401 - signature of SQLAlchemy
        """Read the owner back."""
        return None if value is None else Owner(**json.loads(value))


class Told(TypeDecorator[PlainWords]):
    """Four texts in plain words, kept as canonical JSON."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: PlainWords | None, dialect: Dialect) -> str | None:
        """Write the texts; None stays NULL."""
        return None if value is None else canonical(asdict(value)).decode()

    def process_result_value(self, value: Any, dialect: Dialect) -> PlainWords | None:  # noqa: ANN401 - signature of SQLAlchemy
        """Read the texts back."""
        return None if value is None else PlainWords(**json.loads(value))


class Prose(TypeDecorator[str]):
    """Text that comes from outside: what no database can keep (NUL, half surrogates) becomes a replacement mark."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Write what can be kept."""
        if value is None:
            return None
        return value.replace("\0", REPLACEMENT).encode("utf-8", "surrogatepass").decode("utf-8", "replace")

    def process_result_value(self, value: Any, dialect: Dialect) -> str | None:  # noqa: ANN401 - signature of SQLAlchemy
        """Read it as it was kept."""
        return None if value is None else str(value)


class Compressed(TypeDecorator[bytes]):
    """Bytes, kept compressed."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: bytes | None, dialect: Dialect) -> bytes | None:
        """Compress; None stays NULL."""
        return None if value is None else zlib.compress(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> bytes | None:  # noqa: ANN401 - signature of SQLAlchemy
        """Read the bytes as they were."""
        return None if value is None else zlib.decompress(value)


class database_now(FunctionElement[datetime]):  # noqa: N801 - it reads as the SQL function that it is
    """The database's own time, `seconds` from now; leases live by this clock alone, whoever asks."""

    type = Instant()
    inherit_cache = True

    def __init__(self, seconds: float = 0) -> None:
        """Say how far ahead (or back, when negative), in seconds."""
        super().__init__(literal(float(seconds), Float()))


@compiles(database_now, "sqlite")
def _sqlite_now(element: database_now, compiler: SQLCompiler, **options: Any) -> str:  # noqa: ANN401 - signature of SQLAlchemy
    seconds = compiler.process(element.clauses, **options)
    return f"(strftime('%Y-%m-%dT%H:%M:%f', 'now', printf('%+.3f seconds', {seconds})) || '000Z')"


@compiles(database_now, "postgresql")
def _postgresql_now(element: database_now, compiler: SQLCompiler, **options: Any) -> str:  # noqa: ANN401 - signature of SQLAlchemy
    seconds = compiler.process(element.clauses, **options)
    # not now(): that is the time at which the transaction began
    return f"(clock_timestamp() + make_interval(secs => CAST({seconds} AS double precision)))"
