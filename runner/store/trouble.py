"""What a database's complaint means: worth another try, or something that a person must put right."""

from __future__ import annotations

import sqlite3

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

SQLITE_TRANSIENT = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL})
SQLITE_LASTING = {
    sqlite3.SQLITE_FULL: "the disk is full; make room on it",
    sqlite3.SQLITE_IOERR: "the disk cannot be written or read; look at its space, quota and health",
    sqlite3.SQLITE_READONLY: "the file or its folder is read-only; let this user write both",
    sqlite3.SQLITE_CANTOPEN: "the file cannot be opened; it, its folder, or the permission is missing",
    sqlite3.SQLITE_PERM: "this user may not open it",
    sqlite3.SQLITE_CORRUPT: "the file is damaged; restore a backup",
    sqlite3.SQLITE_NOTADB: "the file is not a database",
}
POSTGRESQL_TRANSIENT = frozenset({"40001", "40P01", "55P03", "57P01", "57P02", "57P03", "53300", "25P03"})
POSTGRESQL_LASTING = {
    "53100": "the database server's disk is full; make room on it",
    "53200": "the database server is out of memory",
    "25006": "the database server is read-only, perhaps a standby; use the primary",
    "28P01": "the password was refused",
    "28000": "the login was refused",
    "3D000": "there is no such database; create it with createdb",
    "42501": "this database user lacks a permission",
}
CONNECTION_CLASS = "08"


def is_transient(error: Exception) -> bool:
    """Whether the same transaction may well succeed when it is tried again: a lock, a lost connection, a serialization failure."""
    if isinstance(error, PoolTimeout):
        return True
    if not isinstance(error, DBAPIError):
        return False
    if (code := _sqlite_code(error)) is not None:
        return code in SQLITE_TRANSIENT
    state = _postgresql_state(error)
    if state is None:  # no word from the server: it could not be reached, or went away
        return error.connection_invalidated or type(error.orig).__name__ == "OperationalError"
    return state in POSTGRESQL_TRANSIENT or state.startswith(CONNECTION_CLASS)


def lasting_reason(error: Exception) -> str | None:
    """What a person must put right before it can succeed, in words; None when the error says no such thing."""
    if not isinstance(error, DBAPIError):
        return None
    if (code := _sqlite_code(error)) is not None:
        return SQLITE_LASTING.get(code)
    if (state := _postgresql_state(error)) is not None:
        return POSTGRESQL_LASTING.get(state)
    return _refused_login(str(error.orig))


def said(error: Exception) -> str:
    """The database's own words, on one line."""
    words = str(error.orig) if isinstance(error, DBAPIError) else str(error)
    return " ".join(words.split())


def _sqlite_code(error: DBAPIError) -> int | None:
    code = getattr(error.orig, "sqlite_errorcode", None)
    return code & 0xFF if isinstance(code, int) else None  # the low byte is the primary code


def _postgresql_state(error: DBAPIError) -> str | None:
    state = getattr(error.orig, "sqlstate", None)
    return state if isinstance(state, str) else None


def _refused_login(words: str) -> str | None:
    """While connecting, the driver keeps the server's words but not its code."""
    signs = {
        "password authentication failed": POSTGRESQL_LASTING["28P01"],
        "no pg_hba.conf entry": POSTGRESQL_LASTING["28000"],
        "does not exist": "there is no such database or user; create it with createdb or createuser",
    }
    return next((reason for sign, reason in signs.items() if sign in words), None)
