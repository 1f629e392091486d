"""How each database is opened: which driver, which promises about durability, and never by making a new one."""

from __future__ import annotations

import math
import sqlite3
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DisconnectionError
from sqlalchemy.pool import ConnectionPoolEntry

from runner.errors import StoreUnavailable

BUSY_SECONDS = 1.0  # how long SQLite itself waits for a lock, before our own back-off
IDLE_SECONDS = 60  # a client that stops inside a transaction must not hold its locks for ever
POOL_SIZE = 30


def parse(url: str) -> URL:
    """The database's address; raises StoreUnavailable for one that cannot be used."""
    try:
        parsed = make_url(url)
    except ArgumentError as reason:
        raise StoreUnavailable(
            "database: not an address; write sqlite:///var/wellkept.db or postgresql://user@host/name"
        ) from reason
    if parsed.get_backend_name() == "sqlite" and parsed.database and parsed.database != ":memory:":
        return parsed
    if parsed.get_backend_name() == "postgresql":
        return parsed.set(drivername="postgresql+psycopg")
    shown = parsed.render_as_string(hide_password=True)
    raise StoreUnavailable(
        f"database: {shown} cannot be used; a file (sqlite:///var/wellkept.db) or PostgreSQL (postgresql://user@host/name) can"
    )


def sqlite_path(url: URL) -> Path | None:
    """The file of an SQLite database; None for PostgreSQL."""
    return Path(url.database or "") if url.get_backend_name() == "sqlite" else None


def open_engine(url: URL, *, patience: float) -> Engine:
    """An engine on a database that exists; `patience` in seconds bounds every wait for a connection or a lock."""
    path = sqlite_path(url)
    return _postgresql(url, patience=patience) if path is None else _sqlite(url, path, patience=patience)


def _sqlite(url: URL, path: Path, *, patience: float) -> Engine:
    target = f"file:{quote(str(path))}?mode=rw"  # rw: a file that is not there is an error, not a new empty database
    wait = min(BUSY_SECONDS, patience)

    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(target, uri=True, timeout=wait, isolation_level=None, check_same_thread=False)
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}").close()
        return connection

    engine = create_engine(url, creator=connect, pool_size=POOL_SIZE, max_overflow=0, pool_timeout=patience)
    event.listen(engine, "begin", _begin)
    _refuse_replaced_files(engine, path)
    return engine


def _begin(connection: Connection) -> None:
    kind = "IMMEDIATE" if connection.get_execution_options().get("writes") else "DEFERRED"
    connection.exec_driver_sql(f"BEGIN {kind}")


def _refuse_replaced_files(engine: Engine, path: Path) -> None:
    """Reconnect when the file was deleted or restored: SQLite would go on writing into the old one, which nobody can see."""

    def identity() -> tuple[int, int] | None:
        try:
            found = path.stat()
        except OSError:
            return None
        return found.st_dev, found.st_ino

    def remember(_driver: Any, entry: ConnectionPoolEntry) -> None:  # noqa: ANN401 - signature of SQLAlchemy
        entry.info["file"] = identity()

    def compare(_driver: Any, entry: ConnectionPoolEntry, _proxy: Any) -> None:  # noqa: ANN401 - signature of SQLAlchemy
        now = identity()
        if now is None or now != entry.info.get("file"):
            raise DisconnectionError(f"{path} is another file now")

    event.listen(engine, "connect", remember)
    event.listen(engine, "checkout", compare)


def _postgresql(url: URL, *, patience: float) -> Engine:
    seconds = max(1, math.ceil(patience))
    waits = {
        "connect_timeout": max(2, seconds),
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "tcp_user_timeout": 30_000,
    }
    try:
        engine = create_engine(
            url, connect_args={**waits, **url.query}, pool_size=POOL_SIZE, max_overflow=0, pool_timeout=patience
        )
    except ModuleNotFoundError as reason:
        raise StoreUnavailable(
            "database: PostgreSQL needs its driver; install it with: pip install 'wellkept[postgresql]'"
        ) from reason

    def prepare(driver: Any, _entry: ConnectionPoolEntry) -> None:  # noqa: ANN401 - signature of SQLAlchemy
        with driver.cursor() as cursor:
            for name, value in (
                ("timezone", "UTC"),
                ("lock_timeout", f"{seconds}s"),
                ("idle_in_transaction_session_timeout", f"{IDLE_SECONDS}s"),
            ):
                cursor.execute("SELECT set_config(%s, %s, false)", (name, value))
        driver.commit()

    event.listen(engine, "connect", prepare)
    return engine
