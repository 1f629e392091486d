"""What the calendar says about hosts: schedules that meet on one, hosts that no schedule covers, and services whose upgrades come too rarely."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from runner.domain.execution.schedule import Schedule
from runner.operations.time.find_rare_upgrades import RareUpgrade, rare_upgrades
from runner.operations.time.heed_ledger import DUE, RUNNING
from runner.operations.time.inventoried import Inventoried
from runner.operations.time.list_openings import CUT_SHORT, PLANNED, Entry

HOSTS_SHOWN = 5
HAPPENS = frozenset({PLANNED, CUT_SHORT, DUE, RUNNING})


@dataclass(frozen=True, slots=True)
class Collision:
    """Two openings that overlap and share hosts: whichever locks a host first has it, and the other waits or leaves it out."""

    schedules: tuple[str, str]
    inventory: str
    hosts: tuple[str, ...]
    starts: datetime
    ends: datetime


@dataclass(frozen=True, slots=True)
class UncoveredHost:
    """A host that no schedule covers; those that are switched off do not count."""

    inventory: str
    host: str


@dataclass(frozen=True, slots=True)
class HostsLookedAt:
    """Everything that was found, and inventories that could not be read, about whose hosts nothing is known."""

    collisions: tuple[Collision, ...] = ()
    uncovered_hosts: tuple[UncoveredHost, ...] = ()
    rare_upgrades: tuple[RareUpgrade, ...] = ()
    unread: tuple[str, ...] = ()


def look_at_hosts(entries: Sequence[Entry], inventoried: Inventoried, *, now: datetime) -> HostsLookedAt:
    """Everything that only the hosts can tell about these openings, and about what is scheduled at all."""
    return HostsLookedAt(
        collisions=tuple(collisions(entries, inventoried)),
        uncovered_hosts=tuple(uncovered_hosts(inventoried)),
        rare_upgrades=tuple(rare_upgrades(inventoried, now=now)),
        unread=tuple(f"{name}: {error}" for name, answer in inventoried.answers.items() for error in answer.errors),
    )


def collisions(entries: Sequence[Entry], inventoried: Inventoried) -> Iterator[Collision]:
    """Every two openings of different schedules that overlap by their usable parts, and share hosts."""
    schedules = inventoried.definitions.with_playbooks
    hosts = {name: inventoried.hosts_of(each.hosts, each.inventory) for name, each in schedules.items()}
    open_now: list[Entry] = []
    happening = (entry for entry in entries if happens(entry, schedules))
    for entry in sorted(happening, key=lambda each: (each.opening.usable_from, each.schedule)):
        open_now = [each for each in open_now if each.opening.usable_until > entry.opening.usable_from]
        for other in open_now:
            mine, its = schedules[entry.schedule], schedules[other.schedule]
            shared = tuple(host for host in hosts[mine.name] if host in set(hosts[its.name]))
            if shared and mine.inventory == its.inventory and mine.name != its.name:
                yield collision(other, entry, mine.inventory, shared)
        open_now.append(entry)


def happens(entry: Entry, schedules: Mapping[str, Schedule]) -> bool:
    """Whether an opening may become a run, or is one."""
    return entry.schedule in schedules and entry.state in HAPPENS


def collision(first: Entry, second: Entry, inventory: str, hosts: tuple[str, ...]) -> Collision:
    """Where two openings overlap."""
    return Collision(
        schedules=(first.schedule, second.schedule),
        inventory=inventory,
        hosts=hosts,
        starts=second.opening.usable_from,
        ends=min(first.opening.usable_until, second.opening.usable_until),
    )


def with_collisions(entries: Sequence[Entry], found: Sequence[Collision]) -> list[Entry]:
    """The same openings, with a note on each of the two that meet."""
    return [noted(entry, [each for each in found if concerns(each, entry)]) for entry in entries]


def concerns(found: Collision, entry: Entry) -> bool:
    """Whether this opening is one of the two."""
    opening = entry.opening
    return entry.schedule in found.schedules and opening.usable_from <= found.starts < opening.usable_until


def noted(entry: Entry, found: Sequence[Collision]) -> Entry:
    """An opening with a note for every other that it meets."""
    notes = tuple(f"meets {other_of(each, entry.schedule)} on {named(each.hosts)}" for each in found)
    return replace(entry, opening=replace(entry.opening, notes=(*entry.opening.notes, *notes))) if notes else entry


def other_of(found: Collision, schedule: str) -> str:
    """The other of the two schedules."""
    first, second = found.schedules
    return second if first == schedule else first


def named(hosts: Sequence[str]) -> str:
    """The first hosts by name, and how many more there are."""
    more = len(hosts) - HOSTS_SHOWN
    return ", ".join(hosts[:HOSTS_SHOWN]) + (f" and {more} more" if more > 0 else "")


def uncovered_hosts(inventoried: Inventoried) -> Iterator[UncoveredHost]:
    """Hosts of all inventories that no schedule means."""
    covered = {
        (each.inventory, host)
        for each in inventoried.definitions.with_playbooks.values()
        if each.enabled
        for host in inventoried.hosts_of(each.hosts, each.inventory)
    }
    for name, answer in inventoried.answers.items():
        if not answer.errors:
            yield from (UncoveredHost(name, host) for host in answer.hosts if (name, host) not in covered)
