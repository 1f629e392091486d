"""Backs the database up, and records that it was done."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from runner.domain.record.record import INSTALLATION
from runner.domain.who import Actor
from runner.ports import Clock
from runner.store.backup import back_up as copy_database
from runner.store.database import Store
from runner.store.record import log as entries


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup: its file, its size in bytes and its SHA-256."""

    path: Path
    size: int
    digest: str


def back_up(target: Path, *, database: str, by: Actor, store: Store, clock: Clock) -> Backup:
    """Copy the database to a new file; raises UsageError and StoreUnavailable with the way out."""
    size = copy_database(database, target)
    with target.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    body = {"action": "database.backed_up", "by": by.name, "file": target.name, "size": size, "sha256": digest}
    store.write(lambda c: entries.append(c, INSTALLATION, [body], at=clock()))
    return Backup(target, size, digest)
