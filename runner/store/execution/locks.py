"""Host locks: at most one run works on a host, or on a group of hosts that are kept apart.

They are rows, taken with a piece and kept until its processes are proved gone.
"""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection, delete, select

from runner.store.columns import database_now
from runner.store.schema import host_locks
from runner.store.sql import chunks, insert_missing


def take(connection: Connection, inventory: str, hosts: Collection[str], *, run_id: str, piece_id: str) -> bool:
    """Lock hosts, and groups (`variable=value`) in the place of a host, for a run; False when another run holds any of them.

    Then the caller must roll back what was taken.
    """
    row = {"inventory": inventory, "run_id": run_id, "piece_id": piece_id}
    now = connection.execute(select(database_now())).scalar_one()
    insert_missing(connection, host_locks, [{**row, "host": host, "since": now} for host in sorted(hosts)])
    holders = held(connection, inventory)
    return all(holders.get(host) == run_id for host in hosts)


def held(connection: Connection, inventory: str) -> dict[str, str]:
    """Which run holds which host of an inventory."""
    rows = connection.execute(select(host_locks.c.host, host_locks.c.run_id).where(host_locks.c.inventory == inventory))
    return {row.host: row.run_id for row in rows}


def release(connection: Connection, run_id: str, hosts: Collection[str] | None = None) -> int:
    """Let go of a run's hosts, or of some of them; how many it held. Only when nothing of the run can touch them any more."""
    ours = delete(host_locks).where(host_locks.c.run_id == run_id)
    if hosts is None:
        return connection.execute(ours).rowcount
    return sum(connection.execute(ours.where(host_locks.c.host.in_(some))).rowcount for some in chunks(sorted(hosts)))
