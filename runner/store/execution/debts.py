"""Debts: hosts that were planned and not done, and so come first next time."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, case, delete, literal

from runner.store.schema import debts
from runner.store.sql import chunks, put, read, select_as

REORDERS_FOR = 3  # windows; an older debt is a ticket, so that one dead host never stops the fleet


@dataclass(frozen=True, slots=True)
class Debt:
    """A host that owes a schedule a run: since which run (or missed slot), and for how many windows."""

    inventory: str
    host: str
    schedule: str
    since_run: str
    since: datetime
    windows: int
    last_run: str

    @property
    def reorders(self) -> bool:
        """Whether the host still comes first after the canary."""
        return self.windows <= REORDERS_FOR


def owe(
    connection: Connection, inventory: str, schedule: str, hosts: Collection[str], *, run: str, at: datetime
) -> None:
    """Note that these hosts owe the schedule a run; one window more for each run (or missed slot), however often it is noted."""
    row = {"inventory": inventory, "schedule": schedule, "since_run": run, "since": at, "windows": 1, "last_run": run}
    again = case((debts.c.last_run == run, debts.c.windows), else_=debts.c.windows + 1)
    put(connection, debts, [{**row, "host": host} for host in sorted(hosts)], windows=again, last_run=literal(run))


def pay(connection: Connection, inventory: str, schedule: str, hosts: Collection[str]) -> int:
    """Forget what these hosts owed the schedule; how many owed something."""
    owed = delete(debts).where(debts.c.inventory == inventory, debts.c.schedule == schedule)
    return sum(connection.execute(owed.where(debts.c.host.in_(some))).rowcount for some in chunks(sorted(hosts)))


def waive(connection: Connection, inventory: str, hosts: Collection[str]) -> int:
    """Forget what these hosts owed any schedule, because they are gone for good; how many debts there were."""
    owed = delete(debts).where(debts.c.inventory == inventory)
    return sum(connection.execute(owed.where(debts.c.host.in_(some))).rowcount for some in chunks(sorted(hosts)))


def of_schedule(connection: Connection, inventory: str, schedule: str) -> list[Debt]:
    """The hosts that owe this schedule a run, the oldest debt first."""
    owed = select_as(Debt, debts).where(debts.c.inventory == inventory, debts.c.schedule == schedule)
    return read(connection, Debt, owed.order_by(debts.c.since, debts.c.host))


def every(connection: Connection) -> list[Debt]:
    """All debts, the oldest first."""
    return read(connection, Debt, select_as(Debt, debts).order_by(debts.c.since, debts.c.schedule, debts.c.host))
