"""Copies an SQLite database whole while it is being written to."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from pathlib import Path
from urllib.parse import quote

from runner.errors import StoreUnavailable, UsageError
from runner.store.connect import parse, sqlite_path


def back_up(url: str, target: Path) -> int:
    """Copy the database to a new file that only its owner can read; gives its size in bytes.

    Raises UsageError for PostgreSQL, which has its own tool, and for a file that is there; StoreUnavailable when the copy cannot be made or is not sound.
    """
    source = sqlite_path(parse(url))
    if source is None:
        shown = parse(url)._replace(drivername="postgresql", password=None).render_as_string()
        raise UsageError(f"PostgreSQL is backed up by its own tool: pg_dump --format=custom --file={target} {shown}")
    if target.exists():
        raise UsageError(f"{target}: is there already, and a backup overwrites nothing. Name another file.")
    draft = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        _copy(source, draft)
        os.link(draft, target)
    except FileExistsError as reason:
        raise UsageError(f"{target}: is there already, and a backup overwrites nothing. Name another file.") from reason
    except (OSError, sqlite3.Error) as reason:
        raise StoreUnavailable(f"{target}: the backup could not be made: {reason}") from reason
    finally:
        draft.unlink(missing_ok=True)
    return target.stat().st_size


def _copy(source: Path, draft: Path) -> None:
    """SQLite's online backup: a copy of one moment, checked, and on the disk when this returns."""
    with (
        contextlib.closing(sqlite3.connect(f"file:{quote(str(source))}?mode=ro", uri=True)) as reading,
        contextlib.closing(sqlite3.connect(draft)) as writing,
    ):
        reading.backup(writing)
        writing.execute("PRAGMA journal_mode=DELETE").close()
        if (verdict := writing.execute("PRAGMA integrity_check").fetchone()[0]) != "ok":
            raise sqlite3.DatabaseError(f"the copy is not sound: {verdict}")
    with draft.open("rb") as file:
        os.fsync(file.fileno())
