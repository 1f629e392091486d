"""Commit, and know for certain whether it was kept: a connection that is lost during the commit leaves that open."""

from __future__ import annotations

import time
from enum import StrEnum

from sqlalchemy import Connection, Engine, Transaction, text
from sqlalchemy.exc import DBAPIError

from runner.errors import StoreUnavailable
from runner.store.trouble import is_transient

ASK_AGAIN = 0.2  # seconds
IN_THE_FUTURE = "22023"  # the server came back without having heard of the transaction


class Fate(StrEnum):
    """What became of a transaction."""

    KEPT = "committed"
    DROPPED = "aborted"


def commit(connection: Connection, transaction: Transaction, engine: Engine, *, patience: float) -> Fate:
    """Commit; when PostgreSQL goes away meanwhile, ask it by the transaction's number until `patience` seconds are over.

    Raises StoreUnavailable when it could not be asked: then nobody knows whether the transaction was kept.
    """
    number = _number(connection)
    try:
        transaction.commit()
    except DBAPIError as error:
        if number is None or not error.connection_invalidated:
            raise
        return _fate_in_time(engine, number, until=time.monotonic() + patience)
    return Fate.KEPT


def _number(connection: Connection) -> int | None:
    if connection.dialect.name != "postgresql":
        return None  # SQLite itself answers for certain
    found: int | None = connection.execute(text("SELECT txid_current_if_assigned()")).scalar()
    return found


def _fate_in_time(engine: Engine, number: int, *, until: float) -> Fate:
    while True:
        try:
            if (fate := _fate(engine, number)) is not None:
                return fate
        except DBAPIError as error:
            if not is_transient(error):
                raise
        if time.monotonic() > until:
            raise StoreUnavailable(
                "the database went away during a commit; whether the last change was kept is not known yet"
            )
        time.sleep(ASK_AGAIN)


def _fate(engine: Engine, number: int) -> Fate | None:
    """None while it goes on; it ends by itself, for the server ends the transactions of clients that are gone."""
    try:
        with engine.connect() as connection:
            status = connection.execute(text("SELECT txid_status(:number)"), {"number": number}).scalar()
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) == IN_THE_FUTURE:
            return Fate.DROPPED
        raise
    return None if status == "in progress" else Fate(status or Fate.DROPPED)
