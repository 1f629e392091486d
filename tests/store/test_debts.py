from __future__ import annotations

from datetime import timedelta

from runner.store.database import Store
from runner.store.execution import debts
from runner.store.execution.debts import Debt
from tests.store.making import NOON


def owe(store: Store, run: str, *hosts: str, schedule: str = "patch-web", day: int = 0) -> None:
    at = NOON + timedelta(days=day)
    store.write(lambda c: debts.owe(c, "production", schedule, hosts, run=run, at=at))


def owed(store: Store, schedule: str = "patch-web") -> list[Debt]:
    return store.read(lambda c: debts.of_schedule(c, "production", schedule))


def test_a_debt_counts_the_windows_and_keeps_its_beginning(store: Store) -> None:
    owe(store, "r1", "web1")
    owe(store, "r2", "web1", day=7)

    assert owed(store) == [Debt("production", "web1", "patch-web", "r1", NOON, 2, "r2")]


def test_noting_a_run_s_debt_twice_counts_one_window(store: Store) -> None:
    owe(store, "r1", "web1")
    owe(store, "r1", "web1")

    assert owed(store)[0].windows == 1


def test_a_debt_older_than_three_windows_no_longer_reorders(store: Store) -> None:
    reorders = []
    for run in ("r1", "r2", "r3", "r4"):
        owe(store, run, "web1")
        reorders.append(owed(store)[0].reorders)

    assert reorders == [True, True, True, False]


def test_a_debt_is_owed_to_its_schedule_and_paid_there(store: Store) -> None:
    owe(store, "r1", "web1", "web2")
    owe(store, "r1", "web1", schedule="patch-db")

    paid = store.write(lambda c: debts.pay(c, "production", "patch-web", ["web1", "web3"]))

    assert paid == 1
    assert [debt.host for debt in owed(store)] == ["web2"]
    assert [debt.host for debt in owed(store, "patch-db")] == ["web1"]


def test_the_debts_of_a_host_that_is_gone_are_waived_everywhere(store: Store) -> None:
    owe(store, "r1", "web1", "web2")
    owe(store, "r1", "web1", schedule="patch-db")

    waived = store.write(lambda c: debts.waive(c, "production", ["web1"]))

    assert waived == 2
    assert [debt.host for debt in store.read(debts.every)] == ["web2"]


def test_the_oldest_debt_comes_first(store: Store) -> None:
    owe(store, "r2", "web1", day=7)
    owe(store, "r1", "web9", "web8")

    assert [debt.host for debt in owed(store)] == ["web8", "web9", "web1"]
