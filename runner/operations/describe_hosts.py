"""Hosts as the inventory and the record know them: in lines, and one in full."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from runner.domain.execution import host_pattern
from runner.domain.execution.look import HostLook, UnreadableLookError, read_look
from runner.domain.health import SEVERITY, Condition
from runner.domain.settings import Settings
from runner.errors import NotFound, Unknown, UsageError
from runner.operations.execution.show_run import outcome_in_words, package_in_words
from runner.ports import InventoryAnswer, InventoryReader
from runner.store import health
from runner.store.database import Store
from runner.store.execution import debts, inventories, outcomes, runs
from runner.store.record import evidence
from runner.store.tickets import tickets
from runner.store.transaction import Transaction

LOOKS = ("look:after", "look:before")  # the latest first
LAST_OUTCOMES = 10


@dataclass(frozen=True, slots=True)
class Inventories:
    """The inventories that wellkept.yml names, and who reads them."""

    settings: Settings
    reader: InventoryReader

    def names(self, named: str | None) -> list[str]:
        """All of them, or the one that was named; raises NotFound for another."""
        known = list(self.settings.inventories)
        if named and named not in known:
            raise NotFound(f"There is no inventory {named!r}. wellkept.yml names {', '.join(known)}.")
        return [named] if named else known

    def read(self, name: str) -> InventoryAnswer:
        """What one says now."""
        inventory = self.settings.inventories[name]
        return self.reader.read(inventory, project=self.settings.root)


@dataclass(frozen=True, slots=True)
class HostLine:
    """One host; `present` is False when the inventory no longer has it, `health` None when no check was put to it."""

    inventory: str
    host: str
    present: bool
    retired: bool
    outcome: str | None
    schedule: str | None
    run: int | None
    ended: datetime | None
    health: str | None
    debts: int
    tickets: int


@dataclass(frozen=True, slots=True)
class OutcomeShown:
    """How the host ended in one run."""

    run: int
    schedule: str
    outcome: str
    cause: str | None
    packages: tuple[str, ...]
    rebooted: bool
    ended: datetime | None


@dataclass(frozen=True, slots=True)
class LookShown:
    """What was seen of the host when a run last looked at it; `broken` are packages that are not properly installed."""

    run: int
    at: datetime
    system: str
    kernel: str
    machine_id: str
    packages: int
    broken: tuple[str, ...]
    reboot_required: bool
    free_bytes: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class DebtShown:
    """A run that the host owes a schedule."""

    schedule: str
    since: datetime
    windows: int


@dataclass(frozen=True, slots=True)
class HealthShown:
    """How the host stands on one check."""

    check: str
    condition: str
    summary: str
    since: datetime
    asked: datetime


@dataclass(frozen=True, slots=True)
class TicketOfHost:
    """A ticket about the host."""

    number: int
    state: str
    priority: str
    title: str
    updated: datetime


@dataclass(frozen=True, slots=True)
class HostShown:
    """One host in full."""

    inventory: str
    host: str
    known: bool
    retired: bool
    look: LookShown | None
    outcomes: tuple[OutcomeShown, ...]
    debts: tuple[DebtShown, ...]
    health: tuple[HealthShown, ...]
    tickets: tuple[TicketOfHost, ...]


@dataclass(frozen=True, slots=True)
class HostList:
    """The hosts that a pattern names, and what went wrong while the inventories were read."""

    hosts: tuple[HostLine, ...]
    errors: tuple[str, ...]


def list_hosts(pattern: str, *, among: Inventories, store: Store) -> HostList:
    """The hosts that a pattern names in any inventory, and with `all` those that an inventory has lost; raises NotFound when there are none."""
    found: list[HostLine] = []
    errors: list[str] = []
    for name in among.names(None):
        answer = among.read(name)
        errors += answer.errors
        found += store.read(partial(read_lines, inventory=name, answer=answer, pattern=pattern))
    if not found and pattern != "all" and not errors:
        raise NotFound(f"No host of any inventory matches {pattern!r}. `wellkept hosts list` shows all of them.")
    return HostList(tuple(found), tuple(errors))


def read_lines(connection: Transaction, *, inventory: str, answer: InventoryAnswer, pattern: str) -> list[HostLine]:
    """The hosts of one inventory at one moment."""
    named = host_pattern.match(pattern, hosts=tuple(answer.hosts), groups=answer.groups)
    lost = [host for host in inventories.last_good(connection, inventory) if host not in answer.hosts]
    gone = inventories.retired(connection, inventory)
    missing = [host for host in (*lost, *sorted(gone - set(lost))) if pattern in {"all", host}]
    owed = [debt.host for debt in debts.every(connection) if debt.inventory == inventory]
    live = [host for ticket in tickets.live(connection) if ticket.inventory == inventory for host in ticket.hosts]
    standing = worst_by_host(health.states(connection), inventory)
    return [
        line_of(
            connection,
            HostLine(
                inventory=inventory,
                host=host,
                present=host in answer.hosts,
                retired=host in gone,
                outcome=None,
                schedule=None,
                run=None,
                ended=None,
                health=standing.get(host),
                debts=owed.count(host),
                tickets=live.count(host),
            ),
        )
        for host in dict.fromkeys((*named, *missing))
    ]


def line_of(connection: Transaction, line: HostLine) -> HostLine:
    """The line with the host's last outcome, if it has any."""
    last = outcomes.last_of_host(connection, line.inventory, line.host, limit=1)
    if not last:
        return line
    shown = outcome_shown(connection, last[0])
    return replace(line, outcome=shown.outcome, schedule=shown.schedule, run=shown.run, ended=shown.ended)


def worst_by_host(states: list[health.HealthState], inventory: str) -> dict[str, str]:
    """The worst condition of each host."""
    found: dict[str, Condition] = {}
    for state in states:
        if state.inventory == inventory:
            before = found.get(state.host, Condition.OK)
            found[state.host] = max(before, state.condition, key=SEVERITY.index)
    return {host: str(condition) for host, condition in found.items()}


def show_host(host: str, *, inventory: str | None, among: Inventories, store: Store) -> HostShown:
    """One host in full; raises NotFound, and UsageError when several inventories have a host of that name."""
    name = inventory_of(host, inventory, among=among, store=store)
    return store.read(partial(read_host, inventory=name, host=host))


def inventory_of(host: str, named: str | None, *, among: Inventories, store: Store) -> str:
    """Which inventory the host is from: asked of the record first, then of the inventories themselves."""
    wanted = among.names(named)
    having = [name for name in wanted if store.read(partial(is_known, inventory=name, host=host))]
    answers = {} if having else {name: among.read(name) for name in wanted}
    having = having or [name for name, answer in answers.items() if host in answer.hosts]
    if not having and (unread := [error for answer in answers.values() for error in answer.errors]):
        raise Unknown("\n".join(unread))
    if not having:
        raise NotFound(f"No inventory has a host {host!r}, and none had. `wellkept hosts list` shows all of them.")
    if len(having) > 1:
        raise UsageError(f"{host!r} is in several inventories. Say which: --inventory {' or '.join(having)}.")
    return having[0]


def is_known(connection: Transaction, *, inventory: str, host: str) -> bool:
    """Whether the record has heard of that host."""
    return (
        host in inventories.last_good(connection, inventory)
        or host in inventories.retired(connection, inventory)
        or bool(outcomes.last_of_host(connection, inventory, host, limit=1))
        or any(state.inventory == inventory and state.host == host for state in health.states(connection))
    )


def read_host(connection: Transaction, *, inventory: str, host: str) -> HostShown:
    """Everything that the record says about a host, at one moment."""
    past = outcomes.last_of_host(connection, inventory, host, limit=LAST_OUTCOMES)
    return HostShown(
        inventory=inventory,
        host=host,
        known=host in inventories.last_good(connection, inventory),
        retired=host in inventories.retired(connection, inventory),
        look=last_look(connection, host, past),
        outcomes=tuple(outcome_shown(connection, row) for row in past),
        debts=tuple(
            DebtShown(debt.schedule, debt.since, debt.windows)
            for debt in debts.every(connection)
            if (debt.inventory, debt.host) == (inventory, host)
        ),
        health=tuple(
            HealthShown(state.check, str(state.condition), state.summary, state.since, state.last_at)
            for state in health.states(connection)
            if (state.inventory, state.host) == (inventory, host)
        ),
        tickets=tuple(
            TicketOfHost(each.number, str(each.state), str(each.priority), each.title, each.updated_at)
            for each in reversed(tickets.every(connection))
            if each.inventory == inventory and host in each.hosts
        ),
    )


def outcome_shown(connection: Transaction, row: outcomes.HostOutcome) -> OutcomeShown:
    """One outcome with its run's number."""
    run = runs.get(connection, row.run_id)
    return OutcomeShown(
        run=run.number,
        schedule=row.schedule,
        outcome=outcome_in_words(row.result),
        cause=row.result.cause,
        packages=tuple(package_in_words(change) for change in row.packages),
        rebooted=bool(row.reboot and row.reboot.get("done")),
        ended=row.result.ended or run.ended_at,
    )


def last_look(connection: Transaction, host: str, past: list[outcomes.HostOutcome]) -> LookShown | None:
    """The latest look at the host that is whole."""
    return next(looks(connection, host, past), None)


def looks(connection: Transaction, host: str, past: list[outcomes.HostOutcome]) -> Iterator[LookShown]:
    """The looks of the latest runs, the latest first."""
    for row in past:
        for kind in LOOKS:
            text = evidence.last_text(connection, row.run_id, host, kind)
            try:
                look = read_look(text) if text else None
            except UnreadableLookError:
                continue
            if look:
                yield look_shown(connection, row.run_id, host, kind, look)


def look_shown(connection: Transaction, run_id: str, host: str, kind: str, look: HostLook) -> LookShown:
    """A look with its run and time."""
    kept = [each for each in evidence.of_run(connection, run_id) if each.host == host and each.kind == kind]
    return LookShown(
        run=runs.get(connection, run_id).number,
        at=kept[-1].at,
        system=look.system,
        kernel=look.kernel,
        machine_id=look.machine_id,
        packages=len(look.packages),
        broken=look.broken,
        reboot_required=look.reboot_required,
        free_bytes=look.free_bytes,
    )
