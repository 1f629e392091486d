"""A person's word that a host's new key is right: both are shown, nothing is automatic, and who said so is recorded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import partial

from runner.domain.record.record import INSTALLATION
from runner.domain.who import Actor
from runner.errors import BadResult, Unknown
from runner.operations.describe_hosts import Inventories, inventory_of
from runner.ports import Clock, HostKeys, HostKeySeen
from runner.store.database import Store
from runner.store.record import log as entries
from runner.store.transaction import Transaction

TRUSTED, UNDONE = "host.trusted", "host.trust_failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A host whose key was looked at."""

    host: str
    inventory: str
    variables: Mapping[str, object]
    seen: HostKeySeen


def look_at_key(host: str, *, inventory: str | None, among: Inventories, store: Store, keys: HostKeys) -> Shown:
    """What the host shows now, beside what is known; raises NotFound, Unknown, and BadResult when it cannot be reached."""
    name = inventory_of(host, inventory, among=among, store=store)
    answer = among.read(name)
    if host not in answer.hosts:
        raise Unknown(f"{host}: inventory {name!r} does not have it now. {'; '.join(answer.errors)}".strip())
    return Shown(host=host, inventory=name, variables=answer.hosts[host], seen=keys.look(host, answer.hosts[host]))


def trust_host(shown: Shown, *, fingerprint: str | None, by: Actor, store: Store, clock: Clock, keys: HostKeys) -> None:
    """Trust the key that was shown, and no other; raises BadResult when it is not the one with this fingerprint.

    The record comes first: no key is trusted without a name to it.
    """
    key = shown.seen.shown
    if fingerprint is not None and fingerprint != key.fingerprint:
        raise BadResult(
            f"{shown.host} shows the key {key.fingerprint}, not {fingerprint}; nothing was changed. "
            "Somebody may stand in between: find out before anything else."
        )
    tell = partial(write_entry, shown=shown, by=by, clock=clock)
    store.write(partial(tell, action=TRUSTED))
    try:
        keys.accept(shown.host, shown.variables, shown.seen)
    except Unknown:
        store.write(partial(tell, action=UNDONE))
        raise


def write_entry(connection: Transaction, *, action: str, shown: Shown, by: Actor, clock: Clock) -> None:
    """Who trusted which key in the place of which."""
    seen = shown.seen
    body: dict[str, object] = {
        "action": action,
        "inventory": shown.inventory,
        "host": shown.host,
        "address": seen.address,
        "file": seen.file,
        "known": [asdict(key) for key in seen.known],
        "shown": asdict(seen.shown),
        "by": by.name,
    }
    entries.append(connection, INSTALLATION, [body], at=clock())
