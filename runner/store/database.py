"""The door to the database: create it, open it, and read or write in short transactions that are tried again after transient trouble."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from sqlalchemy import URL, Connection, Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from runner.errors import StoreUnavailable
from runner.store import installation
from runner.store.commits import Fate, commit
from runner.store.connect import open_engine, parse, sqlite_path
from runner.store.revisions import HEAD, REVISIONS, revision_of
from runner.store.sql import serialise
from runner.store.trouble import is_transient, lasting_reason, said

T = TypeVar("T")
FIRST_PAUSE = 0.02
LONGEST_PAUSE = 1.0
CREATION_PATIENCE = 30.0
WAY_IN = "`wellkept init` or `wellkept db upgrade` creates it"


def create(url: str, *, state_dir: Path, now: datetime) -> None:
    """Make the database, and tie it to `state_dir`; one that is there already is brought up to date, never emptied.

    Raises StoreUnavailable when it cannot be made, or when the state directory belongs to another database.
    """
    _bring_up(url, state_dir=state_dir, now=now)


def upgrade(url: str, *, state_dir: Path) -> tuple[str, str]:
    """Bring the database to the newest revision, creating it if need be; the revision before ("" for none) and after."""
    return _bring_up(url, state_dir=state_dir, now=None), HEAD


def _bring_up(url: str, *, state_dir: Path, now: datetime | None) -> str:
    address = parse(url)
    _make_folder(state_dir)
    if (path := sqlite_path(address)) is not None:
        _make_folder(path.parent)
        _make_file(path)
    engine = open_engine(address, patience=CREATION_PATIENCE)
    try:
        before, identity = _patiently(lambda: _migrate(engine, state_dir, now), address, CREATION_PATIENCE)
    finally:
        engine.dispose()
    if installation.in_folder(state_dir) is None:
        installation.tie(state_dir, identity)
    return before


def _migrate(engine: Engine, state_dir: Path, now: datetime | None) -> tuple[str, str]:
    from runner.store.migrate import to_head

    with engine.connect().execution_options(writes=True) as connection, connection.begin():
        serialise(connection, "migration")
        before = revision_of(connection)
        _refuse_newer(before, _shown(engine.url))
        tied_to = installation.in_folder(state_dir)
        if before is None and tied_to is not None:
            raise StoreUnavailable(
                f"{state_dir}: belongs to installation {tied_to}, but {_shown(engine.url)} is empty; restore the database, or name another state_dir:"
            )
        to_head(connection)
        identity = installation.ensure(connection, now=now)
        if tied_to is not None:
            installation.check_tie(state_dir, identity, database=_shown(engine.url))
        return before or "", identity


def is_current(url: str) -> bool:
    """Whether the database exists and has the newest revision; raises StoreUnavailable when it cannot be asked."""
    address = parse(url)
    path = sqlite_path(address)
    if path is not None and not path.exists():
        return False
    engine = open_engine(address, patience=FIRST_PAUSE)
    try:
        return _patiently(lambda: _revision(engine), address, 0.0) == HEAD
    finally:
        engine.dispose()


class Store:
    """One open database. Every method may be called from any thread."""

    def __init__(self, engine: Engine, *, patience: float, identity: installation.Installation) -> None:
        """Use `Store.open`."""
        self._engine = engine
        self._patience = patience
        self.installation = identity

    @classmethod
    def open(cls, url: str, *, state_dir: Path, patience: float = 10.0) -> Store:
        """Open a database that exists, has our revision and belongs to `state_dir`; `patience` in seconds bounds each later wait too.

        Raises StoreUnavailable with the way out. Never creates anything.
        """
        address = parse(url)
        installation.check_folder(state_dir)
        _check_file(address)
        engine = open_engine(address, patience=patience)
        try:
            identity = _patiently(lambda: _identity(engine, state_dir), address, patience)
        except BaseException:
            engine.dispose()
            raise
        return cls(engine, patience=patience, identity=identity)

    def read(self, function: Callable[[Connection], T]) -> T:
        """Call `function` in one transaction that sees the database at one moment; tried again, so it must have no other effect."""
        return _patiently(lambda: _read(self._engine, function), self._engine.url, self._patience)

    def write(self, function: Callable[[Connection], T]) -> T:
        """Call `function` in one short transaction: all of it is kept, or nothing.

        It is tried again after transient trouble, so `function` may be called several times and must have no effect but through its connection; do no
        input or output inside. Raises StoreUnavailable after `patience` seconds, or at once when a person must put something right (a full disk).
        """
        return _patiently(lambda: _write(self._engine, function, self._patience), self._engine.url, self._patience)

    @property
    def files(self) -> tuple[Path, ...]:
        """The files that an SQLite database consists of; none for PostgreSQL."""
        path = sqlite_path(self._engine.url)
        return () if path is None else tuple(path.with_name(path.name + end) for end in ("", "-wal", "-shm"))

    def close(self) -> None:
        """Let go of all connections; the store can still be used, and would open new ones."""
        self._engine.dispose()


def _read(engine: Engine, function: Callable[[Connection], T]) -> T:
    options = (
        {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        if engine.dialect.name == "postgresql"
        else {}
    )
    with engine.connect().execution_options(**options) as connection, connection.begin():
        return function(connection)


def _write(engine: Engine, function: Callable[[Connection], T], patience: float) -> T:
    with engine.connect().execution_options(writes=True) as connection:
        transaction = connection.begin()
        try:
            result = function(connection)
        except BaseException:
            transaction.rollback()
            raise
        if commit(connection, transaction, engine, patience=patience) is Fate.DROPPED:
            raise CommitLostError("the connection was lost during the commit, and nothing was kept")
        return result


class CommitLostError(Exception):
    """The connection went away during the commit, and the database says that nothing was kept."""


def _patiently(attempt: Callable[[], T], address: URL, patience: float) -> T:
    """Try again with growing, jittered pauses while the trouble is transient and patience lasts."""
    until = time.monotonic() + patience
    pause = FIRST_PAUSE
    while True:
        try:
            return attempt()
        except (DBAPIError, PoolTimeout, CommitLostError) as error:
            _give_up_on_lasting(error, address)
            if time.monotonic() + pause > until:
                raise StoreUnavailable(
                    f"{_shown(address)}: not available for {patience:g} s ({said(error)}); is it running, and who holds it?"
                ) from error
        time.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311 - jitter, not a secret
        pause = min(pause * 2, LONGEST_PAUSE)


def _give_up_on_lasting(error: Exception, address: URL) -> None:
    if (reason := lasting_reason(error)) is not None:
        raise StoreUnavailable(f"{_shown(address)}: {reason} ({said(error)})") from error
    if not isinstance(error, CommitLostError) and not is_transient(error):
        raise error


def _revision(engine: Engine) -> str | None:
    with engine.connect() as connection, connection.begin():
        return revision_of(connection)


def _identity(engine: Engine, state_dir: Path) -> installation.Installation:
    shown = _shown(engine.url)
    with engine.connect() as connection, connection.begin():
        found = revision_of(connection)
        _refuse_newer(found, shown)
        if found is None:
            raise StoreUnavailable(f"{shown}: nothing was created in it yet; {WAY_IN}")
        if found != HEAD:
            raise StoreUnavailable(
                f"{shown}: has revision {found}, and this version needs {HEAD}; run `wellkept db upgrade`"
            )
        known = installation.get(connection)
        if known is None:
            raise StoreUnavailable(f"{shown}: has tables but no installation; {WAY_IN.replace('creates', 'completes')}")
        installation.check_tie(state_dir, known.id, database=shown)
        return known


def _refuse_newer(found: str | None, shown: str) -> None:
    if found is not None and found not in REVISIONS:
        raise StoreUnavailable(
            f"{shown}: has revision {found}, which a newer Wellkept wrote (this one knows up to {HEAD}); install that version"
        )


def _check_file(address: URL) -> None:
    path = sqlite_path(address)
    if path is None:
        return
    if not path.exists():
        raise StoreUnavailable(f"{path}: there is no database yet; {WAY_IN}")
    if not os.access(path, os.R_OK | os.W_OK) or not os.access(path.parent, os.W_OK | os.X_OK):
        raise StoreUnavailable(
            f"{path}: this user cannot write it and its folder; let them, or set database: in wellkept.yml"
        )


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as reason:
        raise StoreUnavailable(
            f"{folder}: cannot be made ({reason.strerror}); let this user write there, or name another place"
        ) from reason


def _make_file(path: Path) -> None:
    """Make an empty file that only its owner can read; what SQLite makes beside it takes its permissions."""
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as reason:
        raise StoreUnavailable(
            f"{path}: cannot be made ({reason.strerror}); let this user write there, or set database:"
        ) from reason


def _shown(address: URL) -> str:
    return str(sqlite_path(address) or address.set(drivername="postgresql").render_as_string(hide_password=True))
