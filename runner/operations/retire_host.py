"""Retires a host that is gone for good: nobody waits for it any more, and what it owed is waived."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from runner.domain.record.record import INSTALLATION
from runner.domain.who import Actor
from runner.errors import Unknown, UsageError
from runner.operations.describe_hosts import Inventories, inventory_of
from runner.ports import Clock
from runner.store.database import Store
from runner.store.execution import debts, inventories
from runner.store.record import log as entries
from runner.store.transaction import Transaction


@dataclass(frozen=True, slots=True)
class Retired:
    """A host that was retired, and how many debts were waived with it."""

    inventory: str
    host: str
    debts: int


def retire_host(
    host: str,
    *,
    reason: str,
    inventory: str | None,
    by: Actor,
    among: Inventories,
    store: Store,
    clock: Clock,
) -> Retired:
    """Note that a host is gone for good; raises NotFound, UsageError while its inventory still has it, Unknown when that cannot be asked."""
    if not reason.strip():
        raise UsageError("Say why it is retired: --reason 'replaced by web-04'. It becomes part of the record.")
    name = inventory_of(host, inventory, among=among, store=store)
    answer = among.read(name)
    if host in answer.hosts:
        raise UsageError(
            f"{host!r} is still in inventory {name!r}. Take it out there first: retiring says that it is gone for good."
        )
    if answer.errors:
        raise Unknown(
            f"Inventory {name!r} cannot be read now, so {host!r} may still be in it: {'; '.join(answer.errors)}"
        )
    return store.write(partial(write_retirement, inventory=name, host=host, reason=reason, by=by, clock=clock))


def write_retirement(
    connection: Transaction, *, inventory: str, host: str, reason: str, by: Actor, clock: Clock
) -> Retired:
    """The retirement, the waived debts and the log entry in one transaction."""
    at = clock()
    inventories.retire(connection, inventory, host, by=by, at=at, reason=reason)
    waived = debts.waive(connection, inventory, [host])
    body = {
        "action": "host.retired",
        "inventory": inventory,
        "host": host,
        "reason": reason,
        "by": by.name,
        "debts_waived": waived,
    }
    entries.append(connection, INSTALLATION, [body], at=at)
    return Retired(inventory, host, waived)
