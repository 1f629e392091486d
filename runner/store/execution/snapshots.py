"""The immutable copies of the maintenance repository that runs execute from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection

from runner.ports import SnapshotTaken
from runner.store.schema import snapshots
from runner.store.sql import insert_new, read_one, select_as


@dataclass(frozen=True, slots=True)
class KeptSnapshot:
    """A snapshot as a row; `at` is when it was first taken."""

    digest: str
    path: str
    commit: str | None
    dirty: bool
    at: datetime


def keep(connection: Connection, *, digest: str, path: str, commit: str | None, dirty: bool, at: datetime) -> bool:
    """Keep where a snapshot is; whether it is new."""
    return insert_new(connection, snapshots, digest=digest, path=path, commit=commit, dirty=dirty, at=at)


def get(connection: Connection, digest: str) -> SnapshotTaken | None:
    """The snapshot with that digest."""
    found = read_one(connection, KeptSnapshot, select_as(KeptSnapshot, snapshots).where(snapshots.c.digest == digest))
    return None if found is None else SnapshotTaken(found.digest, Path(found.path), found.commit, found.dirty)
