"""Signed statements of where a stream stood."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict

from sqlalchemy import Connection, select

from runner.domain.record.record import Checkpoint, Link
from runner.store.ids import new_id
from runner.store.schema import checkpoints
from runner.store.sql import insert_new, read, read_one, select_as


def add(connection: Connection, checkpoint: Checkpoint) -> bool:
    """Keep a checkpoint; False when the same key has signed the same place before."""
    return insert_new(connection, checkpoints, id=new_id(), **asdict(checkpoint))


def last(connection: Connection, stream: str) -> Checkpoint | None:
    """The furthest checkpoint of a stream."""
    of_stream = select_as(Checkpoint, checkpoints).where(checkpoints.c.stream == stream)
    return read_one(connection, Checkpoint, of_stream.order_by(checkpoints.c.seq.desc(), checkpoints.c.at.desc()))


def of_stream(connection: Connection, stream: str, first: int = 1, until: int | None = None) -> list[Checkpoint]:
    """The checkpoints of a stream with `first` <= seq <= `until`, in order."""
    wanted = select_as(Checkpoint, checkpoints).where(checkpoints.c.stream == stream, checkpoints.c.seq >= first)
    if until is not None:
        wanted = wanted.where(checkpoints.c.seq <= until)
    return read(connection, Checkpoint, wanted.order_by(checkpoints.c.seq, checkpoints.c.at))


def next_from(connection: Connection, stream: str, seq: int) -> Link | None:
    """The first signed place of a stream at or after an entry: up to it, everything is proved."""
    wanted = select(checkpoints.c.seq, checkpoints.c.hash).where(
        checkpoints.c.stream == stream, checkpoints.c.seq >= seq
    )
    return read_one(connection, Link, wanted.order_by(checkpoints.c.seq))


def every(connection: Connection) -> Iterator[Checkpoint]:
    """All checkpoints, stream by stream."""
    for stream in (
        connection.execute(select(checkpoints.c.stream).distinct().order_by(checkpoints.c.stream)).scalars().all()
    ):
        yield from of_stream(connection, stream)
