"""A person's order to pause maintenance, of everything or of some hosts, and to go on; recorded with their name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

from runner.domain.execution import host_pattern
from runner.domain.record.record import INSTALLATION
from runner.domain.who import Actor
from runner.errors import NotFound, UsageError
from runner.operations.describe_hosts import Inventories
from runner.operations.execution.match_hosts import matching
from runner.operations.execution.read_pauses import PauseFile, pause_file
from runner.ports import Clock, InventoryAnswer
from runner.store.database import Store
from runner.store.execution import pauses
from runner.store.record import log as entries
from runner.store.transaction import Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A pause as a person wants it; `hosts` is a pattern, empty for everything. `until` None lasts until somebody resumes."""

    reason: str
    hosts: str = ""
    until: datetime | None = None
    in_flight: str = pauses.InFlight.FINISH


@dataclass(frozen=True, slots=True)
class Named:
    """The hosts that a pattern names, and what went wrong while the inventories were read."""

    hosts: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Resumed:
    """The pauses that were ended, and what still pauses something."""

    ended: tuple[pauses.KeptPause, ...]
    left: tuple[pauses.KeptPause, ...]
    file: PauseFile | None


def pause_maintenance(order: Order, *, among: Inventories, by: Actor, store: Store, clock: Clock) -> Named:
    """Pause from now on; gives the hosts that the pattern names. Raises UsageError, and NotFound for a pattern that names nobody.

    An inventory that cannot be read keeps nobody from pausing.
    """
    if not order.reason.strip():
        raise UsageError("Say why: --reason 'the storage is being moved'. Everybody who finds it paused reads that.")
    if order.until is not None and order.until <= clock():
        raise UsageError("That pause would be over before it begins. Give --for 4h, or an --until that is still ahead.")
    named = hosts_named(order.hosts, among=among) if order.hosts else Named()
    store.write(partial(write_pause, order=order, by=by, at=clock()))
    return named


def hosts_named(pattern: str, *, among: Inventories) -> Named:
    """The hosts that a pattern names in any inventory; raises NotFound for a name that none has, unless one of them cannot be read."""
    answers = [among.read(name) for name in among.names(None)]
    hosts = [host for answer in answers for host in matching(pattern, answer)]
    errors = tuple(error for answer in answers for error in answer.errors)
    unknown = set.intersection(*(unknown_in(pattern, answer) for answer in answers)) if answers else set[str]()
    if not errors and (unknown or not hosts):
        what = ", ".join(map(repr, sorted(unknown))) or repr(pattern)
        raise NotFound(f"No inventory has {what}; nothing was paused. `wellkept hosts list` shows all hosts.")
    return Named(tuple(dict.fromkeys(hosts)), errors)


def unknown_in(pattern: str, answer: InventoryAnswer) -> set[str]:
    """The parts of a pattern that this inventory does not know."""
    return set(host_pattern.unknown_names(pattern, hosts=tuple(answer.hosts), groups=answer.groups))


def write_pause(connection: Transaction, *, order: Order, by: Actor, at: datetime) -> None:
    """The pause and its log entry in one transaction."""
    kept = {"hosts": order.hosts, "reason": order.reason, "in_flight": order.in_flight}
    pause = pauses.start(connection, by=by, at=at, until=order.until, **kept)
    until = order.until.isoformat() if order.until else None
    entries.append(connection, INSTALLATION, [{"action": "pause.started", "pause": pause, "by": by.name, "until": until, **kept}], at=at)  # fmt: skip


def resume_maintenance(hosts: str, *, state_dir: Path, by: Actor, store: Store, clock: Clock) -> Resumed:
    """End the pauses of that very pattern, or of everything for an empty one; raises NotFound when only others are in force.

    That nothing is paused at all is no error: it is what was wanted.
    """
    resumed = store.write(partial(write_resumption, hosts=hosts, file=pause_file(state_dir), by=by, at=clock()))
    if not resumed.ended and resumed.left:
        raise NotFound("\n".join(not_that_one(hosts, resumed.left)))
    return resumed


def not_that_one(hosts: str, others: tuple[pauses.KeptPause, ...]) -> Iterator[str]:
    """What is paused instead, and how each is ended."""
    yield f"No pause of {repr(hosts) if hosts else 'everything'} is in force; nothing was changed. These are:"
    for pause in others:
        command = f"wellkept resume --hosts '{pause.hosts}'" if pause.hosts else "wellkept resume"
        yield f"  {pause.hosts or 'everything'}, by {pause.by}: {pause.reason} (to end it: {command})"


def write_resumption(
    connection: Transaction, *, hosts: str, file: PauseFile | None, by: Actor, at: datetime
) -> Resumed:
    """The end of each such pause, with its log entry, in one transaction."""
    going = pauses.in_force(connection, at)
    ended = [pause for pause in going if pause.hosts == hosts and pauses.end(connection, pause.id, by=by, at=at)]
    bodies = [{"action": "pause.ended", "pause": pause.id, "hosts": pause.hosts, "by": by.name} for pause in ended]
    entries.append(connection, INSTALLATION, bodies, at=at)
    return Resumed(tuple(ended), tuple(pause for pause in going if pause not in ended), file)
