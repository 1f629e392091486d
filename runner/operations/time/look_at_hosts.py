"""What the calendar says about hosts: schedules that meet on one, hosts that no schedule covers, and services whose upgrades come too rarely."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time

from runner.domain.execution.schedule import Effect, Schedule
from runner.domain.settings import Definitions, Service
from runner.domain.time.duration import Duration
from runner.domain.time.rarity import in_words, is_often_enough, months_after
from runner.operations.execution.plan_occurrence import matching, services_of
from runner.operations.time.list_openings import Entry, of_schedule
from runner.ports import InventoryAnswer, InventoryReader

NETWORK_CONNECTIONS = frozenset({"network_cli", "netconf", "httpapi"})
UPGRADES: Mapping[str, frozenset[Effect]] = {  # a kind of upgrade_at_least -> the work that counts as one
    "servers": frozenset({Effect.CHANGE, Effect.REBOOT}),
    "network": frozenset({Effect.NETWORK}),
    "firmware": frozenset({Effect.FIRMWARE}),
}
LOOKED_AHEAD = 13  # months beyond the longest that is allowed, so that a rule of every year shows
DAYS_OF_MONTH = 28
HOSTS_SHOWN = 5


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
class RareUpgrade:
    """A service with hosts that are not upgraded as often as `boundaries: upgrade_at_least` wants; `kind` is servers, network or firmware."""

    service: str
    title: str
    kind: str
    at_least: str
    hosts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class HostsLookedAt:
    """Everything that was found, and inventories that could not be read, about whose hosts nothing is known."""

    collisions: tuple[Collision, ...] = ()
    uncovered_hosts: tuple[UncoveredHost, ...] = ()
    rare_upgrades: tuple[RareUpgrade, ...] = ()
    unread: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Inventoried:
    """The definitions, what their inventories say now, and for each schedule the services that its hosts serve: freezes may be for these."""

    definitions: Definitions
    answers: Mapping[str, InventoryAnswer]
    services: Mapping[str, tuple[Service, ...]]

    def hosts_of(self, pattern: str, inventory: str) -> tuple[str, ...]:
        """The hosts that a pattern means; none when the inventory could not be read."""
        answer = self.answers[inventory]
        return () if answer.errors else matching(pattern, answer)


def read_inventories(definitions: Definitions, reader: InventoryReader) -> Inventoried:
    """Ask every inventory what it holds."""
    settings = definitions.settings
    answers = {
        name: reader.read(inventory, project=settings.root, ansible=settings.ansible)
        for name, inventory in settings.inventories.items()
    }
    services = {
        each.name: services_of(matching(each.hosts, answers[each.inventory]), definitions, answers[each.inventory])
        for each in definitions.schedules.values()
    }
    return Inventoried(definitions, answers, services)


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
    schedules = inventoried.definitions.schedules
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
    """Whether an opening may become a run."""
    return entry.schedule in schedules and schedules[entry.schedule].enabled and not entry.opening.is_frozen


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
        for each in inventoried.definitions.schedules.values()
        if each.enabled
        for host in inventoried.hosts_of(each.hosts, each.inventory)
    }
    for name, answer in inventoried.answers.items():
        if not answer.errors:
            yield from (UncoveredHost(name, host) for host in answer.hosts if (name, host) not in covered)


def rare_upgrades(inventoried: Inventoried, *, now: datetime) -> Iterator[RareUpgrade]:
    """Services whose hosts are not upgraded as often as the boundaries want, by what is planned from now on."""
    settings = inventoried.definitions.settings
    for kind, at_least in settings.upgrade_at_least.items():
        first, last = span_of(at_least, now)
        upgrades = list(upgrades_of(kind, inventoried, first, last))
        for service in settings.services.values():
            hosts = Hosts(service, kind, service.inventory or settings.default_inventory or "", inventoried)
            rare = tuple(
                host
                for host in hosts.names()
                if not is_often_enough(hosts.upgraded(host, upgrades), at_least, first=first, last=last)
            )
            if rare:
                yield RareUpgrade(service.name, service.title, kind, in_words(at_least), rare)


@dataclass(frozen=True, slots=True)
class Upgrades:
    """The days on which one schedule upgrades its hosts."""

    inventory: str
    hosts: frozenset[str]
    days: frozenset[date]


@dataclass(frozen=True, slots=True)
class Hosts:
    """The hosts of a service that are of one kind."""

    service: Service
    kind: str
    inventory: str
    inventoried: Inventoried

    def names(self) -> list[str]:
        """Their names; none when their inventory is not known."""
        answer = self.inventoried.answers.get(self.inventory)
        if answer is None:
            return []
        found = self.inventoried.hosts_of(self.service.hosts, self.inventory)
        return [host for host in found if is_of(self.kind, host, answer)]

    def upgraded(self, host: str, upgrades: Sequence[Upgrades]) -> set[date]:
        """The days on which one of them is upgraded."""
        mine = (each for each in upgrades if each.inventory == self.inventory and host in each.hosts)
        return {day for each in mine for day in each.days}


def upgrades_of(kind: str, inventoried: Inventoried, first: date, last: date) -> Iterator[Upgrades]:
    """What every schedule that counts as this kind of upgrade does."""
    for each in inventoried.definitions.schedules.values():
        if each.enabled and each.effect in UPGRADES[kind]:
            hosts = inventoried.hosts_of(each.hosts, each.inventory)
            yield Upgrades(each.inventory, frozenset(hosts), frozenset(upgrade_days(each, inventoried, first, last)))


def span_of(at_least: Duration, now: datetime) -> tuple[date, date]:
    """Today, and a day so far ahead that every rule has shown how rare it is."""
    months = at_least.months or at_least.as_timedelta().days // DAYS_OF_MONTH
    return now.date(), months_after(now.date(), months + LOOKED_AHEAD)


def upgrade_days(schedule: Schedule, inventoried: Inventoried, first: date, last: date) -> set[date]:
    """The days on which a schedule may run: those that freezes leave; every day in a window that never closes."""
    if schedule.window.is_always:
        return {date.fromordinal(number) for number in range(first.toordinal(), last.toordinal())}
    from_, to = (datetime.combine(day, time(0), UTC) for day in (first, last))
    services = inventoried.services[schedule.name]
    found = of_schedule(schedule, inventoried.definitions, from_=from_, to=to, services=services)
    return {entry.opening.rule_date for entry in found if not entry.opening.is_frozen}


def is_of(kind: str, host: str, answer: InventoryAnswer) -> bool:
    """Whether a host is of this kind: network devices are told by their connection, and firmware is everybody's."""
    connection = str(answer.hosts[host].get("ansible_connection", "")).rpartition(".")[2]
    return kind == "firmware" or (connection in NETWORK_CONNECTIONS) == (kind == "network")
