from __future__ import annotations

import pytest
from sqlalchemy import Connection, Transaction, create_engine, text
from sqlalchemy.exc import OperationalError

from runner.errors import StoreUnavailable
from runner.store.commits import Fate, commit
from runner.store.execution import runs
from runner.store.record import log
from tests.store.conftest import Place
from tests.store.making import NOON, a_run

pytestmark = pytest.mark.postgresql
END_US = "select pg_terminate_backend(:pid)"


class AnswerLost:
    """A transaction whose commit is done, and whose answer never arrives."""

    def __init__(self, real: Transaction) -> None:
        self.real = real

    def commit(self) -> None:
        self.real.commit()
        raise OperationalError("COMMIT", {}, Exception("server closed the connection"), connection_invalidated=True)


def own_pid(connection: Connection) -> int:
    return connection.execute(text("select pg_backend_pid()")).scalar_one()


def test_a_commit_whose_answer_was_lost_is_known_to_be_kept(postgresql_place: Place) -> None:
    store = postgresql_place.open()
    with store._engine.connect() as connection:
        transaction = connection.begin()
        runs.insert(connection, a_run())

        fate = commit(connection, AnswerLost(transaction), store._engine, patience=5)

    assert fate is Fate.KEPT
    assert len(store.read(runs.live)) == 1


def test_a_commit_that_never_arrived_is_known_to_be_dropped(postgresql_place: Place) -> None:
    store, other = postgresql_place.open(), postgresql_place.open()
    with store._engine.connect() as connection:
        transaction = connection.begin()
        runs.insert(connection, a_run())
        pid = own_pid(connection)

        class EndedJustBefore:
            def commit(self) -> None:
                other.read(lambda c: c.execute(text(END_US), {"pid": pid}).scalar())
                transaction.commit()

        fate = commit(connection, EndedJustBefore(), store._engine, patience=5)

    assert fate is Fate.DROPPED
    assert store.read(runs.live) == []


def test_a_write_that_lost_its_connection_is_done_once(postgresql_place: Place) -> None:
    store, other = postgresql_place.open(), postgresql_place.open()
    ended: list[int] = []

    def append(connection: Connection) -> None:
        log.append(connection, "run:1", [{"n": 1}], at=NOON)
        if not ended:
            ended.append(own_pid(connection))
            other.read(lambda c: c.execute(text(END_US), {"pid": ended[0]}).scalar())

    store.write(append)

    assert [entry.seq for entry in store.read(lambda c: list(log.entries(c, "run:1")))] == [1]


def test_when_nobody_can_be_asked_the_store_says_that_it_does_not_know(postgresql_place: Place) -> None:
    store = postgresql_place.open()
    nobody = create_engine("postgresql+psycopg://wellkept@/wellkept?host=/nowhere")
    with store._engine.connect() as connection:
        transaction = connection.begin()
        runs.insert(connection, a_run())

        with pytest.raises(StoreUnavailable, match="not known"):
            commit(connection, AnswerLost(transaction), nobody, patience=0.5)
