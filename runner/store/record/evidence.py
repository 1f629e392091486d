"""Evidence: texts and files that show what was found or done, kept compressed, known by their SHA-256."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, insert, select

from runner.store.ids import new_id
from runner.store.schema import evidence
from runner.store.sql import read, select_as

PLAIN_TEXT = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Evidence:
    """One piece of evidence without its body; `size` in bytes, as it was before compression."""

    id: str
    run_id: str | None
    piece_id: str | None
    host: str | None
    kind: str
    media_type: str
    digest: str
    size: int
    at: datetime


def add(
    connection: Connection,
    *,
    kind: str,
    media_type: str,
    body: bytes,
    at: datetime,
    run_id: str | None = None,
    piece_id: str | None = None,
    host: str | None = None,
) -> str:
    """Keep a piece of evidence; its id."""
    row = {"id": new_id(), "run_id": run_id, "piece_id": piece_id, "host": host, "kind": kind, "media_type": media_type}
    digest = hashlib.sha256(body).hexdigest()
    connection.execute(insert(evidence).values(**row, digest=digest, size=len(body), body=body, at=at))
    return str(row["id"])


def add_text(
    connection: Connection, *, run_id: str, piece_id: str | None, host: str, kind: str, text: str, at: datetime
) -> str:
    """Keep a text about one host; its id."""
    body = text.encode("utf-8", "backslashreplace")
    return add(
        connection, run_id=run_id, piece_id=piece_id, host=host, kind=kind, media_type=PLAIN_TEXT, body=body, at=at
    )


def body_of(connection: Connection, evidence_id: str) -> bytes | None:
    """The body of a piece of evidence."""
    body: bytes | None = connection.execute(select(evidence.c.body).where(evidence.c.id == evidence_id)).scalar()
    return body


def of_run(connection: Connection, run_id: str) -> list[Evidence]:
    """The evidence of a run, in the order in which it was kept."""
    wanted = select_as(Evidence, evidence).where(evidence.c.run_id == run_id)
    return read(connection, Evidence, wanted.order_by(evidence.c.at, evidence.c.id))


def first_text(connection: Connection, run_id: str, host: str, kind: str) -> str | None:
    """The earliest text of this kind about a host in a run."""
    return _text(connection, _texts(run_id, host, kind).order_by(evidence.c.at, evidence.c.id))


def last_text(connection: Connection, run_id: str, host: str, kind: str) -> str | None:
    """The latest text of this kind about a host in a run."""
    return _text(connection, _texts(run_id, host, kind).order_by(evidence.c.at.desc(), evidence.c.id.desc()))


def _texts(run_id: str, host: str, kind: str) -> Select[Any]:
    about: tuple[ColumnElement[bool], ...] = (
        evidence.c.run_id == run_id,
        evidence.c.host == host,
        evidence.c.kind == kind,
    )
    return select(evidence.c.body).where(*about)


def _text(connection: Connection, wanted: Select[Any]) -> str | None:
    body: bytes | None = connection.execute(wanted.limit(1)).scalar()
    return None if body is None else body.decode()
