"""The settings of a maintenance repository: inventories, people, services, secrets by reference, and defaults."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from runner.domain.execution.approval import BY_DEFAULT, Policy
from runner.domain.execution.own_ansible import AnsibleSettings
from runner.domain.execution.requirements import Requirements
from runner.domain.execution.schedule import Amount, ChangeType, Schedule
from runner.domain.health import Check
from runner.domain.report import ReportDefinition
from runner.domain.tickets.cause import OURS, CauseTable
from runner.domain.time.duration import Duration
from runner.domain.time.freeze import Freeze
from runner.domain.time.window import ALWAYS, MaintenanceWindow
from runner.domain.who import Right

HORIZON = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Inventory:
    """A named source of hosts, how small it may become before work is held, and the Ansible that reads it and works on its hosts.

    `variables` are those of hosts that schedules ask for by name. `requirements` are what its plugins may need.
    """

    name: str
    source: str
    min_hosts: int = 1
    max_drop: Amount | None = None
    ansible: AnsibleSettings = AnsibleSettings()
    variables: tuple[str, ...] = ()
    requirements: Requirements = Requirements()


@dataclass(frozen=True, slots=True)
class SecretSource:
    """Where a secret is found, never what it is; exactly one of the four is set."""

    env: str | None = None
    file: str | None = None
    command: str | None = None
    keyring: str | None = None  # service/user


@dataclass(frozen=True, slots=True)
class Secrets:
    """Secrets by reference: vault passwords by vault id, become and login passwords by host pattern.

    Where several patterns have a host, the last one counts.
    """

    vault: Mapping[str, SecretSource] = field(default_factory=dict)
    become: Mapping[str, SecretSource] = field(default_factory=dict)
    login: Mapping[str, SecretSource] = field(default_factory=dict)

    @property
    def by_kind(self) -> Mapping[str, Mapping[str, SecretSource]]:
        """All of them, by the key under which they stand in wellkept.yml."""
        return {"vault": self.vault, "become": self.become, "login": self.login}


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who may approve, own or be told."""

    name: str
    mail: str | None = None
    keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Team:
    """People who answer for something together."""

    name: str
    members: tuple[str, ...] = ()
    may: tuple[Right, ...] = ()


@dataclass(frozen=True, slots=True)
class Service:
    """The business side: what hosts are for, and who answers for it."""

    name: str
    title: str
    hosts: str
    inventory: str | None = None
    impact: str = "medium"
    owner: str | None = None
    custodian: str | None = None
    users: int | None = None


@dataclass(frozen=True, slots=True)
class DeadManPing:
    """Where the scheduler says that it lives, and how often; who listens there raises the alarm when it falls silent."""

    url: str
    every: timedelta


@dataclass(frozen=True, slots=True)
class Alertmanager:
    """Where alerts are heard, the names of those that mean nothing here, and the token that it wants, if any."""

    url: str
    ignore: tuple[str, ...] = ()
    bearer: SecretSource | None = None


@dataclass(frozen=True, slots=True)
class Never:
    """Hosts, of whichever inventory, that nothing may change while the window named by `during` is open; `always` is a window, too."""

    hosts: str
    during: str = ALWAYS


@dataclass(frozen=True, slots=True)
class Boundaries:
    """The strategic plan's limits: a run against one is refused, whoever asks for it. `max_concurrent_hosts` counts the hosts of all runs."""

    never: tuple[Never, ...] = ()
    max_concurrent_hosts: int | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that wellkept.yml says; paths are absolute."""

    root: Path
    organisation: str
    database: str
    state_dir: Path
    timezone: str
    default_inventory: str | None = None
    default_owner: str | None = None
    strict: bool = False
    inventories: Mapping[str, Inventory] = field(default_factory=dict)
    secrets: Secrets = Secrets()
    people: Mapping[str, Person] = field(default_factory=dict)
    teams: Mapping[str, Team] = field(default_factory=dict)
    services: Mapping[str, Service] = field(default_factory=dict)
    ansible: AnsibleSettings = AnsibleSettings()
    horizon: timedelta = HORIZON  # how far ahead slots are written
    dead_man_ping: DeadManPing | None = None
    boundaries: Boundaries = Boundaries()
    alertmanager: Alertmanager | None = None
    upgrade_at_least: Mapping[str, Duration] = field(default_factory=dict)  # servers, network, firmware -> how often
    approval: Mapping[ChangeType, Policy] = field(default_factory=lambda: BY_DEFAULT)  # who must approve which changes
    signing_key: Path | None = None  # the file of an OpenSSH Ed25519 key; None for the one in state_dir


@dataclass(frozen=True, slots=True)
class Definitions:
    """Everything that the files of a maintenance repository say, whole and valid."""

    settings: Settings
    schedules: Mapping[str, Schedule]
    windows: Mapping[str, MaintenanceWindow]
    freezes: tuple[Freeze, ...]
    checks: Mapping[str, Check]
    reports: Mapping[str, ReportDefinition]
    causes: CauseTable = OURS
    requirements: Requirements = Requirements()

    @property
    def with_playbooks(self) -> Mapping[str, Schedule]:
        """The schedules that run a playbook: those that mean hosts. The others are duties of people."""
        return {name: schedule for name, schedule in self.schedules.items() if not schedule.is_manual}

    @property
    def files_besides(self) -> frozenset[str]:
        """Files and folders outside of the usual ones that belong to these definitions: calendars, requirements, and what they lead to."""
        asked = (*(file.name for file in self.requirements.files), *self.requirements.taken_along)
        return self.calendar_files.union(asked)

    def requirements_for(self, schedule: Schedule) -> Requirements:
        """What must be installed before this schedule runs."""
        return self.requirements if schedule.ansible.installs and not schedule.is_manual else Requirements()

    @property
    def calendar_files(self) -> frozenset[str]:
        """The calendar files that windows, freezes and business calendars are read from, relative to the root."""
        windows = [*self.windows.values(), *(schedule.window for schedule in self.schedules.values())]
        events = [*(each.events for each in windows), *(each.events for each in self.freezes)]
        calendars = [*(each.calendar for each in windows), *(each.calendar for each in self.freezes)]
        holidays = [calendar.holidays for calendar in calendars if calendar]
        return frozenset(file for source in (*events, *holidays) if source for file in source.files)
