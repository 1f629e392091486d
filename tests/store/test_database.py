from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from sqlalchemy import text, update

from runner.errors import NotFound, StoreUnavailable
from runner.store import installation
from runner.store.database import Store, create, is_current, upgrade
from runner.store.execution import runs
from runner.store.revisions import REVISIONS
from runner.store.schema import installation as installation_rows
from tests.store.conftest import BEGINNING, Place
from tests.store.making import a_kept_run, a_run


def test_a_database_that_was_never_created_is_refused_with_the_way_out(empty_url: str, tmp_path: Path) -> None:
    (tmp_path / "var").mkdir()

    with pytest.raises(StoreUnavailable, match="wellkept init"):
        Store.open(empty_url, state_dir=tmp_path / "var")

    assert not (tmp_path / "var" / "wellkept.db").exists()


def test_a_created_database_can_be_opened_and_says_who_it_is(empty_url: str, tmp_path: Path) -> None:
    create(empty_url, state_dir=tmp_path / "var", now=BEGINNING)

    store = Store.open(empty_url, state_dir=tmp_path / "var")

    assert store.installation.created_at == BEGINNING
    assert store.installation.epoch == 1
    assert store.installation.id == installation.in_folder(tmp_path / "var")
    assert is_current(empty_url)


def test_creating_twice_changes_nothing(place: Place) -> None:
    before = place.open()
    run = a_kept_run(before)

    create(place.url, state_dir=place.state_dir, now=BEGINNING)

    after = place.open()
    assert after.installation == before.installation
    assert after.read(lambda c: runs.get(c, run)).number == 1


def test_a_second_state_directory_is_tied_by_upgrade_only(place: Place, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()

    with pytest.raises(StoreUnavailable, match="db upgrade"):
        Store.open(place.url, state_dir=other)
    upgrade(place.url, state_dir=other)

    assert Store.open(place.url, state_dir=other).installation.id == installation.in_folder(place.state_dir)


def test_a_stranger_s_state_directory_is_refused(place: Place) -> None:
    installation.tie(place.state_dir, "11111111-2222-4333-8444-555555555555")

    with pytest.raises(StoreUnavailable, match="11111111-2222-4333-8444-555555555555"):
        place.open()
    with pytest.raises(StoreUnavailable, match="belongs to installation"):
        create(place.url, state_dir=place.state_dir, now=BEGINNING)


def test_a_lost_database_is_not_replaced_by_an_empty_one(empty_url: str, tmp_path: Path) -> None:
    (tmp_path / "var").mkdir()
    installation.tie(tmp_path / "var", "11111111-2222-4333-8444-555555555555")

    with pytest.raises(StoreUnavailable, match="restore the database"):
        create(empty_url, state_dir=tmp_path / "var", now=BEGINNING)

    assert not is_current(empty_url)


def test_a_database_of_a_newer_version_is_refused(place: Place) -> None:
    place.open().write(lambda c: c.execute(text("update alembic_version set version_num = '9999'")))

    with pytest.raises(StoreUnavailable, match="newer Wellkept"):
        place.open()
    with pytest.raises(StoreUnavailable, match="newer Wellkept"):
        upgrade(place.url, state_dir=place.state_dir)
    assert not is_current(place.url)


def test_a_database_of_an_older_version_is_refused_with_the_way_out(place: Place, monkeypatch) -> None:
    monkeypatch.setattr("runner.store.database.REVISIONS", (*REVISIONS, "9998"))
    monkeypatch.setattr("runner.store.database.HEAD", "9998")

    with pytest.raises(StoreUnavailable, match="db upgrade"):
        place.open()


def test_a_missing_state_directory_is_refused(place: Place, tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match="no such directory"):
        Store.open(place.url, state_dir=tmp_path / "nowhere")


@pytest.mark.parametrize("url", ["mysql://root@localhost/x", "sqlite://", "sqlite:///:memory:", "not an address"])
def test_an_address_that_cannot_be_used_is_refused(url: str, tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match="database:"):
        create(url, state_dir=tmp_path, now=BEGINNING)


def test_a_password_never_shows_in_an_error(tmp_path: Path) -> None:
    (tmp_path / "var").mkdir()

    with pytest.raises(StoreUnavailable) as refused:
        Store.open("postgresql://ana:hunter2@127.0.0.1:1/nothing", state_dir=tmp_path / "var", patience=0.2)

    assert "hunter2" not in str(refused.value)
    assert "***" in str(refused.value)


def test_a_file_that_is_no_database_is_refused(sqlite_place: Place) -> None:
    (sqlite_place.state_dir / "wellkept.db").write_bytes(b"no database at all" * 100)

    with pytest.raises(StoreUnavailable, match="not a database"):
        sqlite_place.open()


def test_database_and_state_directory_can_be_read_by_their_owner_only(tmp_path: Path) -> None:
    os.umask(0o022)
    create(f"sqlite:///{tmp_path}/var/wellkept.db", state_dir=tmp_path / "var", now=BEGINNING)

    store = Store.open(f"sqlite:///{tmp_path}/var/wellkept.db", state_dir=tmp_path / "var")
    a_kept_run(store)

    modes = {path.name: path.stat().st_mode & 0o077 for path in [tmp_path / "var", *(tmp_path / "var").iterdir()]}
    assert set(modes.values()) == {0}, modes
    assert "wellkept.db-wal" in modes


def test_a_transaction_that_fails_leaves_nothing(store: Store) -> None:
    def fail(connection) -> None:
        runs.insert(connection, a_run())
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        store.write(fail)

    assert store.read(runs.live) == []


def test_a_read_sees_the_database_at_one_moment(store: Store, place: Place) -> None:
    other = place.open()

    def look_twice(connection) -> tuple[int, int]:
        before = len(runs.live(connection))
        thread = threading.Thread(target=a_kept_run, args=(other,))
        thread.start()
        thread.join()
        return before, len(runs.live(connection))

    assert store.read(look_twice) == (0, 0)
    assert len(store.read(runs.live)) == 1


def test_a_read_cannot_write(store: Store) -> None:
    run = a_run()

    if store._engine.dialect.name == "postgresql":
        with pytest.raises(StoreUnavailable, match="read-only"):
            store.read(lambda c: runs.insert(c, run))
        assert store.read(runs.live) == []


def test_a_store_that_is_locked_for_a_while_is_waited_for(sqlite_place: Place) -> None:
    store = sqlite_place.open(patience=20)
    holder = sqlite3.connect(sqlite_place.state_dir / "wellkept.db", isolation_level=None, check_same_thread=False)
    holder.execute("BEGIN IMMEDIATE")
    timer = threading.Timer(1.5, lambda: holder.execute("COMMIT"))

    timer.start()
    run = a_kept_run(store)

    assert store.read(lambda c: runs.get(c, run)).number == 1


def test_a_write_holds_the_file_from_its_beginning_so_that_it_never_fails_half_way(sqlite_place: Place) -> None:
    other = sqlite3.connect(sqlite_place.state_dir / "wellkept.db", isolation_level=None, timeout=0)

    def begin_too(_connection) -> str:
        with pytest.raises(sqlite3.OperationalError) as refused:
            other.execute("BEGIN IMMEDIATE")
        return str(refused.value)

    assert "locked" in sqlite_place.open().write(begin_too)


def test_a_commit_reaches_the_disk_before_it_is_told(sqlite_place: Place) -> None:
    pragmas = ("journal_mode", "synchronous", "foreign_keys")

    found = sqlite_place.open().read(lambda c: [c.exec_driver_sql(f"pragma {name}").scalar() for name in pragmas])

    assert found == ["wal", 2, 1]  # 2 is FULL


def test_a_store_that_stays_locked_is_unavailable_and_can_still_be_read(sqlite_place: Place) -> None:
    store = sqlite_place.open(patience=0.3)
    holder = sqlite3.connect(sqlite_place.state_dir / "wellkept.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")

    with pytest.raises(StoreUnavailable, match="locked"):
        a_kept_run(store)

    assert store.read(runs.live) == []
    holder.execute("COMMIT")
    assert a_kept_run(store)


@pytest.mark.postgresql
def test_a_row_lock_that_is_held_by_a_stopped_client_does_not_hang_us(postgresql_place: Place) -> None:
    other, store = postgresql_place.open(), postgresql_place.open(patience=1.0)
    held = other._engine.connect()
    held.begin()
    held.execute(update(installation_rows).values(epoch=2))

    with pytest.raises(StoreUnavailable, match="lock timeout"):
        store.write(lambda c: c.execute(update(installation_rows).values(epoch=3)))

    held.close()


@pytest.mark.postgresql
def test_connections_that_the_server_ended_are_replaced(postgresql_place: Place) -> None:
    store, other = postgresql_place.open(), postgresql_place.open()
    a_kept_run(store)
    end_others = "select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and datname = current_database()"

    ended = other.read(lambda c: c.execute(text(end_others)).all())

    assert len(ended) >= 1
    assert len(store.read(runs.live)) == 1
    a_kept_run(store)


@pytest.mark.postgresql
def test_a_deadlock_is_tried_again(postgresql_place: Place) -> None:
    store = postgresql_place.open()
    store.write(lambda c: c.execute(text("create table two (name text primary key, n int)")))
    store.write(lambda c: c.execute(text("insert into two values ('a', 0), ('b', 0)")))
    both_hold_one = threading.Barrier(2, timeout=20)
    waited = set()

    def count_both(names: str):
        def write(connection) -> None:
            connection.execute(text("update two set n = n + 1 where name = :name"), {"name": names[0]})
            if names not in waited:  # the first time only: when tried again, nobody waits
                waited.add(names)
                both_hold_one.wait()
            connection.execute(text("update two set n = n + 1 where name = :name"), {"name": names[1]})

        return write

    threads = [threading.Thread(target=store.write, args=(count_both(names),)) for names in ("ab", "ba")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert store.read(lambda c: c.execute(text("select n from two")).scalars().all()) == [2, 2]


def test_a_database_file_that_was_swapped_under_us_is_noticed(sqlite_place: Place) -> None:
    store = sqlite_place.open()
    run = a_kept_run(store)
    file = sqlite_place.state_dir / "wellkept.db"
    store.close()
    copy = file.read_bytes()
    a_kept_run(store)

    for path in sqlite_place.state_dir.glob("wellkept.db*"):
        path.unlink()
    file.write_bytes(copy)

    assert [found.id for found in store.read(runs.live)] == [run]


def test_a_database_file_that_was_deleted_under_us_is_an_error_and_not_made_anew(sqlite_place: Place) -> None:
    store = sqlite_place.open(patience=0.2)
    a_kept_run(store)

    for path in sqlite_place.state_dir.glob("wellkept.db*"):
        path.unlink()

    with pytest.raises(StoreUnavailable, match="cannot be opened"):
        a_kept_run(store)
    assert not (sqlite_place.state_dir / "wellkept.db").exists()


def test_opening_a_store_does_not_import_alembic(sqlite_place: Place) -> None:
    program = (
        "import sys; from pathlib import Path; from runner.store.database import Store; "
        f"Store.open({sqlite_place.url!r}, state_dir=Path({str(sqlite_place.state_dir)!r})).read(lambda c: None); "
        "print('alembic' in sys.modules, 'psycopg' in sys.modules)"
    )

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout.split() == ["False", "False"]


def test_many_threads_write_and_every_write_is_kept(store: Store) -> None:
    threads = [threading.Thread(target=lambda: [a_kept_run(store) for _ in range(5)]) for _ in range(8)]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [run.number for run in store.read(runs.live)] == list(range(1, 41))


def test_an_unknown_run_is_not_mistaken_for_trouble_with_the_database(store: Store) -> None:
    with pytest.raises(NotFound):
        store.read(lambda c: runs.get(c, "nothing"))
