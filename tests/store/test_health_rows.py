from __future__ import annotations

from datetime import timedelta

from runner.domain.health import Condition, Finding
from runner.store import health
from runner.store.database import Store
from runner.store.health import HealthChange
from runner.store.record import observations
from tests.store.making import NOON

OK, WARNING, CRITICAL = Condition.OK, Condition.WARNING, Condition.CRITICAL


def record(
    store: Store, *conditions: Condition, down_after: int = 1, host: str = "web1"
) -> list[list[tuple[Condition | None, Condition]]]:
    """Record findings one after the other; the changes that each confirmed."""
    changes: list[list[HealthChange]] = []
    for minute, condition in enumerate(conditions):
        finding = Finding("disk", "production", host, condition, f"it is {condition}", number=minute)
        at = NOON + timedelta(minutes=minute)
        changes.append(
            store.write(lambda c, f=finding, at=at: health.record(c, [f], at=at, down_after={"disk": down_after}))
        )
    return [[(change.before, change.after) for change in each] for each in changes]


def test_a_change_is_told_once(store: Store) -> None:
    assert record(store, OK, OK, CRITICAL, CRITICAL, OK) == [[(None, OK)], [], [(OK, CRITICAL)], [], [(CRITICAL, OK)]]


def test_one_bad_answer_is_no_change_when_several_are_asked_for(store: Store) -> None:
    assert record(store, OK, CRITICAL, OK, CRITICAL, WARNING, down_after=2)[1:] == [[], [], [], [(OK, WARNING)]]


def test_a_host_that_is_bad_from_the_start_is_told_when_that_is_confirmed(store: Store) -> None:
    assert record(store, CRITICAL, CRITICAL, down_after=2) == [[], [(Condition.UNKNOWN, CRITICAL)]]


def test_a_state_keeps_since_when_it_is_so_and_the_last_words(store: Store) -> None:
    record(store, OK, CRITICAL, CRITICAL)

    (state,) = store.read(health.states)
    assert (state.condition, state.since, state.last_at) == (
        CRITICAL,
        NOON + timedelta(minutes=1),
        NOON + timedelta(minutes=2),
    )
    assert (state.summary, state.number, state.failures) == ("it is critical", 2, 2)


def test_every_confirmed_change_is_kept_as_an_observation(store: Store) -> None:
    record(store, OK, CRITICAL, OK)

    seen = store.read(lambda c: observations.of_host(c, "production", "web1", "health"))

    assert [(each.value["before"], each.value["condition"]) for each in seen] == [
        ("critical", "ok"),
        ("ok", "critical"),
        (None, "ok"),
    ]


def test_hosts_do_not_mix(store: Store) -> None:
    record(store, CRITICAL, host="web1")

    assert record(store, OK, host="web2") == [[(None, OK)]]
    assert [(state.host, state.condition) for state in store.read(health.states)] == [("web1", CRITICAL), ("web2", OK)]
