"""Entries of the record for reading, the latest ones of a stream."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from runner.domain.record.record import INSTALLATION, piece_stream, run_stream
from runner.errors import NotFound, UsageError
from runner.store.database import Store
from runner.store.execution import runs
from runner.store.record import log
from runner.store.transaction import Transaction

WAYS = "Write installation, run:12 (a run's number or id) or piece:ID."


@dataclass(frozen=True, slots=True)
class EntryShown:
    """One entry of the record; `body` is what was recorded, `hash` seals it together with everything before it in its stream."""

    stream: str
    seq: int
    at: datetime
    action: str
    body: Mapping[str, Any]
    hash: str


def show_record(name: str, *, limit: int, store: Store) -> list[EntryShown]:
    """At most `limit` of the latest entries of a stream, in their order; raises UsageError and NotFound for a name that is none."""
    return store.read(partial(read_entries, name=name, limit=limit))


def read_entries(connection: Transaction, *, name: str, limit: int) -> list[EntryShown]:
    """The entries at one moment."""
    stream = stream_named(connection, name)
    last = log.head(connection, stream).seq
    return [
        EntryShown(entry.stream, entry.seq, entry.at, str(body.get("action", "")), body, entry.hash)
        for entry in log.entries(connection, stream, after=max(0, last - limit))
        for body in (entry.content,)
    ]


def stream_named(connection: Transaction, name: str) -> str:
    """The stream that a person names."""
    kind, _, rest = name.partition(":")
    if kind == INSTALLATION and not rest:
        return INSTALLATION
    if kind == "run" and rest:
        return run_stream(runs.find(connection, rest).id)
    if kind == "piece" and rest:
        stream = piece_stream(rest)
        if not log.head(connection, stream).seq:
            raise NotFound(f"There is no stream {name!r}. `wellkept runs show RUN --format json` names its pieces.")
        return stream
    raise UsageError(f"There is no stream {name!r}. {WAYS}")
