"""Services whose hosts are upgraded more rarely than the boundaries want, by what is planned from now on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from runner.domain.execution.schedule import Effect, Schedule
from runner.domain.settings import Service
from runner.domain.time.duration import Duration
from runner.domain.time.rarity import in_words, is_often_enough, months_after
from runner.operations.time.inventoried import Inventoried
from runner.operations.time.list_openings import of_schedule
from runner.ports import InventoryAnswer

NETWORK_CONNECTIONS = frozenset({"network_cli", "netconf", "httpapi"})
UPGRADES: Mapping[str, frozenset[Effect]] = {  # a kind of upgrade_at_least -> the work that counts as one
    "servers": frozenset({Effect.CHANGE, Effect.REBOOT}),
    "network": frozenset({Effect.NETWORK}),
    "firmware": frozenset({Effect.FIRMWARE}),
}
LOOKED_AHEAD = 13  # months beyond the longest that is allowed, so that a rule of every year shows
DAYS_OF_MONTH = 28


@dataclass(frozen=True, slots=True)
class RareUpgrade:
    """A service with hosts that are not upgraded as often as `boundaries: upgrade_at_least` wants; `kind` is servers, network or firmware."""

    service: str
    title: str
    kind: str
    at_least: str
    hosts: tuple[str, ...]


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
    for each in inventoried.definitions.with_playbooks.values():
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
