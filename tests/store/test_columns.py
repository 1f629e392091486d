from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, select
from sqlalchemy.exc import StatementError

from runner.domain.record.record import canonical
from runner.store.columns import database_now
from runner.store.database import Store
from runner.store.execution import runs
from runner.store.ids import new_id
from runner.store.record import observations
from runner.store.schema import observations as observation_rows
from runner.store.schema import pauses
from tests.store.making import NOON, a_run

slow_store = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
zones = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
instants = st.datetimes(datetime(1000, 1, 2), datetime(9998, 1, 1), timezones=zones)  # noqa: DTZ001 - hypothesis wants naive bounds
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def kept(store: Store, value: Any, at: datetime = NOON) -> observations.Observation:
    store.write(lambda c: observations.add(c, inventory="i", host="h", kind="k", value=value, at=at))
    return store.read(lambda c: observations.of_host(c, "i", "h", "k", limit=100_000))[-1]


def test_an_instant_without_a_zone_is_refused(store: Store) -> None:
    naive = datetime(2026, 3, 1)  # noqa: DTZ001 - the point of the test

    with pytest.raises(StatementError, match="no time zone"):
        kept(store, {}, at=naive)


@slow_store
@given(at=instants)
def test_an_instant_comes_back_to_the_microsecond_in_utc(store: Store, at: datetime) -> None:
    key = new_id()
    row = {"id": key, "hosts": "", "reason": "", "by": None, "from_at": at, "in_flight": "finish"}
    del row["by"]
    store.write(lambda c: c.execute(insert(pauses).values(**row, by=a_run().requested_by)))

    found = store.read(lambda c: c.execute(select(pauses.c.from_at).where(pauses.c.id == key)).scalar_one())

    assert found == at
    assert found.tzinfo is UTC


@slow_store
@given(first=instants, second=instants)
def test_the_database_compares_instants_as_instants(store: Store, first: datetime, second: datetime) -> None:
    key = new_id()
    row = {"id": key, "hosts": "", "reason": "", "by": a_run().requested_by, "from_at": first, "in_flight": "finish"}
    store.write(lambda c: c.execute(insert(pauses).values(**row)))

    earlier = store.read(
        lambda c: c.execute(select(pauses.c.id).where(pauses.c.id == key, pauses.c.from_at < second)).scalar()
    )

    assert (earlier is not None) == (first < second)


@slow_store
@given(value=values)
def test_a_json_value_comes_back_equal(store: Store, value: Any) -> None:
    key = new_id()
    row = {
        "id": key,
        "inventory": "i",
        "host": "h",
        "kind": "k",
        "at": NOON,
        "value": value if value is not None else 0,
    }
    store.write(lambda c: c.execute(insert(observation_rows).values(**row)))

    found = store.read(
        lambda c: c.execute(select(observation_rows.c.value).where(observation_rows.c.id == key)).scalar_one()
    )

    assert found == row["value"]
    assert canonical(found) == canonical(row["value"])


def test_text_that_no_database_can_keep_is_marked_and_kept(store: Store) -> None:
    odd = "before\0after \udcff and \ud800 end"

    run = store.write(lambda c: runs.insert(c, a_run(title=odd)))

    title = store.read(lambda c: runs.get(c, run)).title
    assert title.startswith("before\N{REPLACEMENT CHARACTER}after ")
    assert title.endswith(" end")
    title.encode()


def test_a_word_that_is_not_on_its_list_is_refused(store: Store) -> None:
    with pytest.raises(StatementError, match="sideways"):
        store.write(lambda c: runs.insert(c, a_run(trigger="sideways")))


def test_the_database_s_clock_moves_by_the_seconds_that_are_asked_for(store: Store) -> None:
    ahead, now, behind = store.read(
        lambda c: c.execute(select(database_now(180), database_now(), database_now(-90.5))).one()
    )

    assert timedelta(seconds=179) < ahead - now <= timedelta(seconds=180)
    assert timedelta(seconds=90) < now - behind < timedelta(seconds=91.5)
    assert now.tzinfo is UTC


def test_the_database_s_clock_is_the_machine_s_clock_here(store: Store) -> None:
    before = datetime.now(UTC) - timedelta(milliseconds=1)

    now = store.read(lambda c: c.execute(select(database_now())).scalar_one())

    assert before <= now <= datetime.now(UTC) + timedelta(milliseconds=1)


def test_json_is_kept_as_canonical_text(store: Store) -> None:
    value = {"b": [1, 2.5], "a": "ü"}
    kept(store, value)

    raw = store.read(lambda c: c.exec_driver_sql("select value from observations").scalar_one())

    assert raw == '{"a":"ü","b":[1,2.5]}'
    assert json.loads(raw) == value
