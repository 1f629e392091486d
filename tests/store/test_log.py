from __future__ import annotations

import itertools
import threading
import tracemalloc

import pytest

from runner.domain.record.record import GENESIS, INSTALLATION, Link
from runner.store.database import Store
from runner.store.record import log
from tests.store.making import NOON


def test_an_empty_stream_begins_at_genesis(store: Store) -> None:
    assert store.read(lambda c: log.head(c, "run:1")) == Link(0, GENESIS)


def test_entries_continue_their_stream_and_keep_their_hashes(store: Store) -> None:
    first = store.write(lambda c: log.append(c, "run:1", [{"action": "begun"}, {"action": "went on"}], at=NOON))
    last = store.write(lambda c: log.append(c, "run:1", [{"action": "ended"}], at=NOON))

    kept = store.read(lambda c: list(log.entries(c, "run:1")))

    assert [entry.seq for entry in kept] == [1, 2, 3]
    assert [entry.prev for entry in kept] == [GENESIS, kept[0].hash, kept[1].hash]
    assert (first, last) == (Link(2, kept[1].hash), Link(3, kept[2].hash))
    assert all(entry.is_sound for entry in kept)
    assert kept[2].content == {"action": "ended"}


def test_streams_do_not_mix(store: Store) -> None:
    for stream in ("piece:1", "run:1", INSTALLATION):
        store.write(lambda c, stream=stream: log.append(c, stream, [{"of": stream}], at=NOON))

    assert store.read(log.streams) == ["installation", "piece:1", "run:1"]
    assert store.read(lambda c: [entry.body for entry in log.entries(c, "run:1")]) == ['{"of":"run:1"}']


def test_nothing_to_append_is_nothing_appended(store: Store) -> None:
    assert store.write(lambda c: log.append(c, "run:1", [], at=NOON)) == Link()
    assert store.read(log.streams) == []


def test_a_body_without_a_canonical_form_is_refused_and_nothing_is_kept(store: Store) -> None:
    with pytest.raises(ValueError, match="JSON"):
        store.write(lambda c: log.append(c, "run:1", [{"fine": 1}, {"seconds": float("nan")}], at=NOON))

    assert store.read(log.streams) == []


def test_entries_can_be_read_from_anywhere_to_anywhere(store: Store) -> None:
    store.write(lambda c: log.append(c, "run:1", [{"n": n} for n in range(2500)], at=NOON))

    some = store.read(lambda c: [entry.seq for entry in log.entries(c, "run:1", after=999, until=2001)])

    assert some == list(range(1000, 2002))


def test_threads_that_append_to_one_stream_make_one_chain(store: Store) -> None:
    def append(name: str) -> None:
        for n in range(10):
            store.write(lambda c, n=n: log.append(c, INSTALLATION, [{"by": name, "n": n}, {"more": n}], at=NOON))

    threads = [threading.Thread(target=append, args=(f"thread {n}",)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    kept = store.read(lambda c: list(log.entries(c, INSTALLATION)))
    assert [entry.seq for entry in kept] == list(range(1, 121))
    assert all(after.prev == before.hash for before, after in itertools.pairwise(kept))


def test_reading_a_long_stream_takes_little_memory(store: Store) -> None:
    for _ in range(10):
        store.write(lambda c: log.append(c, "piece:1", [{"n": n, "text": "x" * 200} for n in range(2000)], at=NOON))

    def read_all(connection) -> int:
        tracemalloc.start()
        for _entry in log.entries(connection, "piece:1"):
            pass
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    assert store.read(read_all) < 6_000_000  # the whole stream is over 20 MB of objects
