from __future__ import annotations

from datetime import timedelta

import pytest

from runner.domain.execution.guards import Hold, Pause
from runner.store.database import Store
from runner.store.execution import approvals, holds, overrides, pauses
from tests.store.making import ANA, BOB, NOON, an_approval

HOUR = timedelta(hours=1)


def keep(store: Store, hold: Hold, at_hour: int = 0, slot: str = "s1") -> bool:
    return store.write(lambda c: holds.keep(c, slot_id=slot, schedule="patch-web", hold=hold, at=NOON + at_hour * HOUR))


def test_a_hold_that_is_heard_again_is_prolonged_and_another_is_added(store: Store) -> None:
    freeze, pause = Hold("freeze", "year's end", NOON + 9 * HOUR), Hold("pause", "ana said so")

    new = [keep(store, freeze), keep(store, freeze, 1), keep(store, pause, 2), keep(store, freeze, 3, slot="s2")]

    held = store.read(lambda c: holds.of_slot(c, "s1"))
    assert new == [True, False, True, True]
    assert [(hold.guard, hold.first_seen, hold.last_seen) for hold in held] == [
        ("freeze", NOON, NOON + HOUR),
        ("pause", NOON + 2 * HOUR, NOON + 2 * HOUR),
    ]
    assert held[0].until == NOON + 9 * HOUR


def test_a_hold_is_listed_for_every_time_in_which_it_was_heard(store: Store) -> None:
    keep(store, Hold("freeze", "x"))
    keep(store, Hold("freeze", "x"), 5)

    def heard(from_: int, to: int) -> int:
        return len(store.read(lambda c: holds.between(c, NOON + from_ * HOUR, NOON + to * HOUR)))

    assert (heard(2, 3), heard(-2, 0), heard(6, 9)) == (1, 0, 0)


def pause(store: Store, **more: object) -> str:
    return store.write(lambda c: pauses.start(c, **{"reason": "storm", "by": ANA, "at": NOON, **more}))


def active(store: Store, at_hour: float) -> list[str]:
    return [found.id for found in store.read(lambda c: pauses.active(c, NOON + at_hour * HOUR))]


def test_a_pause_lasts_until_its_end_or_until_somebody_resumes(store: Store) -> None:
    short, long = pause(store, until=NOON + 2 * HOUR), pause(store, hosts="web")

    resumed = store.write(lambda c: pauses.end(c, long, by=BOB, at=NOON + 3 * HOUR))
    again = store.write(lambda c: pauses.end(c, long, by=BOB, at=NOON + 4 * HOUR))

    assert (resumed, again) == (True, False)
    assert active(store, -1) == []
    assert active(store, 2) == []
    assert short not in active(store, 2.5)


def test_an_active_pause_is_what_the_guard_wants(store: Store) -> None:
    found = pause(store, hosts="web", until=NOON + HOUR)

    assert store.read(lambda c: pauses.active(c, NOON)) == [Pause(found, "storm", "ana", NOON, NOON + HOUR, "web")]


def test_a_pause_may_stop_what_is_in_flight(store: Store) -> None:
    pause(store, in_flight="stop")

    assert [kept.in_flight for kept in store.read(lambda c: pauses.in_force(c, NOON))] == ["stop"]
    with pytest.raises(ValueError, match="sideways"):
        pause(store, in_flight="sideways")


def test_an_approval_is_kept_as_it_was_given_and_found_by_slot_or_by_hand(store: Store) -> None:
    first, second, by_hand = (
        an_approval("1"),
        an_approval("2", 1),
        an_approval("3", slot_id=None, expires_at=NOON + HOUR),
    )

    for each in (first, second, by_hand, an_approval("4", schedule="other", slot_id=None)):
        store.write(lambda c, each=each: approvals.add(c, each))

    assert store.read(lambda c: approvals.of_slot(c, "s1")) == [second, first]
    assert store.read(lambda c: approvals.by_hand(c, "patch-web")) == [by_hand]
    assert store.read(lambda c: approvals.get(c, "2")) == second


def test_an_approval_is_taken_back_once(store: Store) -> None:
    store.write(lambda c: approvals.add(c, an_approval("1")))
    before = store.write(lambda c: approvals.is_in_force(c, "1"))

    taken = [store.write(lambda c: approvals.revoke(c, "1", by=ANA, at=NOON + HOUR)) for _ in range(2)]

    assert (before, taken) == (True, [True, False])
    assert not store.write(lambda c: approvals.is_in_force(c, "1"))
    assert store.read(lambda c: approvals.get(c, "1")).revoked_by == ANA


def test_an_override_is_taken_by_one_run_before_it_expires(store: Store) -> None:
    add = {"schedule": "patch-web", "reason": "zero day", "by": ANA, "guards": ["freeze"], "at": NOON}
    first, second = (store.write(lambda c: overrides.add(c, expires_at=NOON + HOUR, **add)) for _ in range(2))

    def take(override: str, run: str, at_hour: int) -> bool:
        return store.write(lambda c: overrides.take(c, override, run_id=run, now=NOON + at_hour * HOUR))

    assert [take(first, "r1", 0), take(first, "r2", 0), take(second, "r3", 1)] == [True, False, False]
    assert store.read(lambda c: overrides.get(c, first)).run_id == "r1"
    assert len(store.read(lambda c: overrides.between(c, NOON, NOON + HOUR))) == 2


def test_the_pauses_of_a_period_are_those_that_were_in_force_in_it_and_each_knows_when_it_was_over(
    store: Store,
) -> None:
    def pause(reason: str, at_hour: int, until_hour: int | None = None) -> str:
        until = NOON + until_hour * HOUR if until_hour else None
        return store.write(lambda c: pauses.start(c, reason=reason, by=ANA, at=NOON + at_hour * HOUR, until=until))

    pause("over before", 0, 2)
    resumed = pause("resumed", 1, 9)
    pause("without an end", 3)
    pause("later", 8)
    store.write(lambda c: pauses.end(c, resumed, by=BOB, at=NOON + 5 * HOUR))

    found = store.read(lambda c: pauses.touching(c, NOON + 2 * HOUR, NOON + 8 * HOUR))

    assert [(kept.reason, kept.over_at) for kept in found] == [
        ("resumed", NOON + 5 * HOUR),
        ("without an end", None),
    ]
