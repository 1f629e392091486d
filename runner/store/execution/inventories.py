"""The last good answer of each inventory, and the hosts that were retired from it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import Connection, delete, select

from runner.domain.who import Actor
from runner.store.schema import inventories_seen, retired_hosts
from runner.store.sql import chunks, put


def remember(connection: Connection, inventory: str, hosts: Sequence[str], *, at: datetime) -> None:
    """Keep an answer as the last good one. A retired host that it names is back, and no longer retired."""
    put(connection, inventories_seen, [{"inventory": inventory, "at": at, "hosts": tuple(hosts)}])
    unretire(connection, inventory, retired(connection, inventory) & set(hosts))


def last_good(connection: Connection, inventory: str) -> tuple[str, ...]:
    """The hosts of the last good answer, in its order; none when there has been no answer yet."""
    wanted = select(inventories_seen.c.hosts).where(inventories_seen.c.inventory == inventory)
    hosts: tuple[str, ...] | None = connection.execute(wanted).scalar()
    return hosts or ()


def heard_at(connection: Connection, inventory: str) -> datetime | None:
    """When the last good answer was given; None when there has been none yet."""
    wanted = select(inventories_seen.c.at).where(inventories_seen.c.inventory == inventory)
    at: datetime | None = connection.execute(wanted).scalar()
    return at


def retire(connection: Connection, inventory: str, host: str, *, by: Actor, at: datetime, reason: str) -> None:
    """Note that a host is gone for good, so that nobody waits for it."""
    put(connection, retired_hosts, [{"inventory": inventory, "host": host, "by": by, "at": at, "reason": reason}])


def retired(connection: Connection, inventory: str) -> frozenset[str]:
    """The hosts that were retired from an inventory."""
    gone = select(retired_hosts.c.host).where(retired_hosts.c.inventory == inventory)
    return frozenset(connection.execute(gone).scalars())


def unretire(connection: Connection, inventory: str, hosts: Collection[str]) -> None:
    """Take a retirement back."""
    for some in chunks(sorted(hosts)):
        back = delete(retired_hosts).where(retired_hosts.c.inventory == inventory, retired_hosts.c.host.in_(some))
        connection.execute(back)
