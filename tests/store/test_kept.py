from __future__ import annotations

import hashlib
from datetime import date, timedelta
from pathlib import Path

from runner.domain.record.record import Checkpoint, Link
from runner.domain.time.cadence import interval_at
from runner.ports import SnapshotTaken
from runner.store.database import Store
from runner.store.execution import daemons, definitions, inventories, snapshots
from runner.store.ids import new_id
from runner.store.record import checkpoints, evidence, observations
from runner.store.schema import LetterState
from runner.store.tickets import outbox
from runner.store.time import cadence
from tests.store.making import ANA, NOON, an_owner

HOUR = timedelta(hours=1)


def test_a_definition_is_kept_once_as_it_was_first_seen(store: Store) -> None:
    keep = {"digest": "d1", "kind": "schedule", "name": "patch-web", "body": {"hosts": "web"}}

    first = store.write(lambda c: definitions.keep(c, at=NOON, **keep))
    second = store.write(lambda c: definitions.keep(c, at=NOON + HOUR, **keep))

    kept = store.read(lambda c: definitions.get(c, "d1"))
    assert (first, second) == (True, False)
    assert (kept.first_seen, kept.body) == (NOON, {"hosts": "web"})
    assert store.read(lambda c: definitions.last_of(c, "schedule", "patch-web")) == kept
    assert store.read(lambda c: definitions.get(c, "d2")) is None


def test_a_snapshot_is_kept_once(store: Store) -> None:
    keep = {"digest": "s1", "path": "/snapshots/s1", "commit": "c1", "dirty": True, "at": NOON}

    assert [store.write(lambda c: snapshots.keep(c, **keep)) for _ in range(2)] == [True, False]
    assert store.read(lambda c: snapshots.get(c, "s1")) == SnapshotTaken("s1", Path("/snapshots/s1"), "c1", dirty=True)


def test_evidence_is_kept_small_and_comes_back_byte_for_byte(store: Store) -> None:
    body = b"Package: nginx\n" * 10_000

    kept = store.write(
        lambda c: evidence.add(c, kind="dpkg", media_type="text/plain", body=body, at=NOON, run_id="r1", host="web1")
    )

    (found,) = store.read(lambda c: evidence.of_run(c, "r1"))
    assert store.read(lambda c: evidence.body_of(c, kept)) == body
    assert (found.size, found.digest) == (len(body), hashlib.sha256(body).hexdigest())
    assert store.read(lambda c: c.exec_driver_sql("select length(body) from evidence").scalar()) < 5_000


def test_the_first_and_the_last_text_about_a_host_are_found(store: Store) -> None:
    for hour, text in ((1, "second"), (0, "first"), (2, "third \udcff")):
        add = {
            "run_id": "r1",
            "piece_id": None,
            "host": "web1",
            "kind": "look:before",
            "text": text,
            "at": NOON + hour * HOUR,
        }
        store.write(lambda c, add=add: evidence.add_text(c, **add))

    assert store.read(lambda c: evidence.first_text(c, "r1", "web1", "look:before")) == "first"
    assert store.read(lambda c: evidence.last_text(c, "r1", "web1", "look:before")) == "third \\udcff"
    assert store.read(lambda c: evidence.last_text(c, "r1", "web1", "look:after")) is None


def observe(store: Store, host: str, value: object, hour: int, machine: str | None = "m1") -> None:
    row = {
        "inventory": "production",
        "host": host,
        "kind": "look",
        "value": value,
        "at": NOON + hour * HOUR,
        "machine_id": machine,
    }
    store.write(lambda c: observations.add(c, **row))


def test_the_latest_observation_of_each_host_is_found_and_none_is_overwritten(store: Store) -> None:
    observe(store, "web1", {"n": 2}, 2)
    observe(store, "web1", {"n": 1}, 1)
    observe(store, "web2", {"n": 9}, 0)

    latest = store.read(lambda c: observations.latest(c, "production", "look"))
    history = store.read(lambda c: observations.of_host(c, "production", "web1", "look"))

    assert {host: seen.value["n"] for host, seen in latest.items()} == {"web1": 2, "web2": 9}
    assert [seen.value["n"] for seen in history] == [2, 1]


def test_a_reinstalled_host_is_known_by_its_new_machine_id(store: Store) -> None:
    observe(store, "web1", {}, 0, "old")
    observe(store, "web1", {}, 1, "new")
    observe(store, "web1", {}, 2, "")
    observe(store, "web2", {}, 0, None)

    assert store.read(lambda c: observations.machine_ids(c, "production")) == {"web1": "new"}


def test_the_last_good_answer_of_an_inventory_is_remembered_in_its_order(store: Store) -> None:
    nothing = store.read(lambda c: inventories.last_good(c, "production"))
    for hosts in (["b", "a"], ["c", "a", "b"]):
        store.write(lambda c, hosts=hosts: inventories.remember(c, "production", hosts, at=NOON))

    assert nothing == ()
    assert store.read(lambda c: inventories.last_good(c, "production")) == ("c", "a", "b")


def test_a_retired_host_that_comes_back_is_no_longer_retired(store: Store) -> None:
    for host in ("old", "lent", "lent"):
        store.write(lambda c, host=host: inventories.retire(c, "production", host, by=ANA, at=NOON, reason="sold"))
    retired = store.read(lambda c: inventories.retired(c, "production"))

    store.write(lambda c: inventories.remember(c, "production", ["web1", "lent"], at=NOON))

    assert retired == {"old", "lent"}
    assert store.read(lambda c: inventories.retired(c, "production")) == {"old"}


def test_a_day_on_a_cadence_adds_up(store: Store) -> None:
    day = date(2026, 3, 1)
    for added in ({"expected": 96}, {"run": 1}, {"run": 1, "late": 1}, {"missed": 3}):
        store.write(lambda c, added=added: cadence.count(c, "health", day, **added))

    (kept,) = store.read(lambda c: cadence.between(c, day, date(2026, 3, 2)))
    assert (kept.expected, kept.run, kept.late, kept.missed) == (96, 2, 1, 3)


def test_the_last_interval_of_a_cadence_is_kept_until_it_is_forgotten(store: Store) -> None:
    first, second = (interval_at(NOON + number * HOUR, HOUR) for number in (0, 1))
    for interval in (first, second):
        store.write(lambda c, interval=interval: cadence.keep_last(c, "health:disk", interval))
    store.write(lambda c: cadence.keep_last(c, "health:answers", first))

    store.write(lambda c: cadence.forget_last(c, ["health:answers"]))

    assert store.read(lambda c: cadence.last_of(c, "health:disk")) == second
    assert store.read(cadence.last_intervals_counted) == {"health:disk": second}


def a_checkpoint(seq: int, key: str = "k1") -> Checkpoint:
    return Checkpoint("installation", seq, f"{seq:064}", seq, NOON, key, "public", "signature", "message")


def test_checkpoints_are_kept_once_per_place_and_key_and_found_by_place(store: Store) -> None:
    wanted = [a_checkpoint(5), a_checkpoint(5), a_checkpoint(5, "k2"), a_checkpoint(9)]

    added = [store.write(lambda c, each=each: checkpoints.add(c, each)) for each in wanted]

    assert added == [True, False, True, True]
    assert store.read(lambda c: checkpoints.last(c, "installation")) == a_checkpoint(9)
    assert store.read(lambda c: checkpoints.next_from(c, "installation", 6)) == Link(9, f"{9:064}")
    assert store.read(lambda c: checkpoints.next_from(c, "installation", 10)) is None
    assert [each.seq for each in store.read(lambda c: checkpoints.of_stream(c, "installation", 1, 5))] == [5, 5]


def test_a_daemon_is_alive_while_it_beats(store: Store) -> None:
    for _ in range(2):
        store.write(lambda c: daemons.beat(c, an_owner(7), started_at=NOON))
    alive = store.read(daemons.alive)
    by_a_past_clock = store.read(lambda c: daemons.alive(c, within=timedelta(seconds=-1)))
    store.write(lambda c: daemons.gone(c, an_owner(7)))

    assert [(daemon.owner, daemon.pid, daemon.started_at) for daemon in alive] == [(an_owner(7), 7, NOON)]
    assert by_a_past_clock == []
    assert store.read(daemons.alive) == []


def test_a_letter_is_taken_by_one_and_comes_again_until_it_is_sent(store: Store) -> None:
    letter_id = store.write(lambda c: outbox.put(c, kind="mail", target="ana", body={"text": "hi"}, at=NOON))
    (letter,) = store.read(lambda c: outbox.due(c, NOON))

    taken = [store.write(lambda c: outbox.take(c, letter, again_at=NOON + HOUR)) for _ in range(2)]
    too_early = store.read(lambda c: outbox.due(c, NOON))
    (again,) = store.read(lambda c: outbox.due(c, NOON + HOUR))
    sent = [store.write(lambda c: outbox.sent(c, letter_id)) for _ in range(2)]

    assert taken == [True, False]
    assert too_early == []
    assert (again.id, again.attempts, again.body) == (letter_id, 1, {"text": "hi"})
    assert sent == [True, False]
    assert store.read(lambda c: outbox.due(c, NOON + HOUR)) == []


def test_a_letter_that_cannot_arrive_is_shown(store: Store) -> None:
    letter = store.write(lambda c: outbox.put(c, kind="mail", target="ana", body={}, at=NOON))
    store.write(lambda c: outbox.failed(c, letter, error="full", again_at=NOON + HOUR))

    store.write(lambda c: outbox.give_up(c, letter, error="no such address"))

    (dead,) = store.read(outbox.dead)
    assert (dead.id, dead.state, dead.error) == (letter, LetterState.DEAD, "no such address")


def test_ids_are_uuids_of_version_7_that_sort_by_time() -> None:
    made = [new_id() for _ in range(2000)]

    assert len(set(made)) == len(made)
    assert {(each[14], each[19] in "89ab", len(each)) for each in made} == {("7", True, 36)}
    assert made[0][:18] <= made[-1][:18]
    assert sorted(each[:13] for each in made) == [each[:13] for each in made]
