"""The one id that ties a database and a state directory together, so that neither is used with a stranger."""

from __future__ import annotations

import os
import uuid
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, insert

from runner.errors import StoreUnavailable
from runner.store.columns import database_now
from runner.store.schema import installation
from runner.store.sql import read_one, select_as

FILE = "installation"
HEADER = "# Ties this directory to its database; `wellkept init` wrote it. Do not edit.\n"


@dataclass(frozen=True, slots=True)
class Installation:
    """Who we are: a UUID, since when, and how often a restore has begun a new epoch."""

    id: str
    created_at: datetime
    epoch: int


def get(connection: Connection) -> Installation | None:
    """The installation that this database belongs to."""
    return read_one(connection, Installation, select_as(Installation, installation))


def ensure(connection: Connection, *, now: datetime | None = None) -> str:
    """The id of the installation that this database belongs to; a new one, dated `now` or by the database's clock, when it has none yet."""
    if (known := get(connection)) is not None:
        return known.id
    identity = str(uuid.uuid4())
    connection.execute(insert(installation).values(id=identity, created_at=now or database_now(), epoch=1, one=1))
    return identity


def in_folder(state_dir: Path) -> str | None:
    """The installation that a state directory belongs to; None when it belongs to none yet."""
    try:
        lines = (state_dir / FILE).read_text("utf-8").splitlines()
    except FileNotFoundError:
        return None
    except OSError as reason:
        raise StoreUnavailable(
            f"{state_dir / FILE}: cannot be read ({reason.strerror}); let this user read it"
        ) from reason
    return next((line.strip() for line in lines if line.strip() and not line.startswith("#")), None)


def tie(state_dir: Path, identity: str) -> None:
    """Write the id into the state directory, whole or not at all."""
    draft = state_dir / f".{FILE}.{os.getpid()}"
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(f"{HEADER}{identity}\n")
        file.flush()
        os.fsync(file.fileno())
    draft.replace(state_dir / FILE)


def check_tie(state_dir: Path, database_id: str, *, database: str) -> None:
    """Refuse a database and a state directory that belong to different installations."""
    folder_id = in_folder(state_dir)
    if folder_id is None:
        raise StoreUnavailable(
            f"{state_dir}: belongs to no installation yet; `wellkept init` or `wellkept db upgrade` ties it to {database}"
        )
    if folder_id != database_id:
        raise StoreUnavailable(
            f"{state_dir}: belongs to installation {folder_id}, but {database} to {database_id}; set database: or state_dir: in wellkept.yml right"
        )


def check_folder(state_dir: Path) -> None:
    """Refuse a state directory that is missing or cannot be written."""
    if not state_dir.is_dir():
        raise StoreUnavailable(
            f"{state_dir}: there is no such directory; `wellkept init` or `wellkept db upgrade` creates it"
        )
    if not os.access(state_dir, os.R_OK | os.W_OK | os.X_OK):
        raise StoreUnavailable(
            f"{state_dir}: this user cannot write there; set its owner, or state_dir: in wellkept.yml"
        )
