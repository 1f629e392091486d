"""wellkept.yml: the settings of a maintenance repository."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from runner.config.environment import expand, missing
from runner.config.fields import Budget, Count, KeyFile, Name, PublicKey, Rarity, Server, SomeSpan, Text, Zone
from runner.config.models.own_ansible import Ansible
from runner.config.models.shape import Shape
from runner.domain import settings as domain
from runner.domain.execution.approval import Policy
from runner.domain.execution.own_ansible import AnsibleSettings
from runner.domain.execution.schedule import RESERVE, ChangeType
from runner.domain.time.duration import Duration, describe
from runner.domain.time.window import ALWAYS
from runner.domain.who import Right


class Defaults(Shape):
    """What schedules, windows and freezes use when they do not say otherwise."""

    inventory: Name | None = Field(
        default=None, description="the inventory of schedules and health checks that name none"
    )
    owner: Name | None = Field(
        default=None, description="the person or team that answers for schedules without an owner"
    )
    timezone: Zone | None = Field(default=None, description="the IANA zone of windows and freezes that name none")
    reserve: SomeSpan | None = Field(
        default=None,
        description=f"how long a host is expected to take while it has no past, for schedules that do not say; `{describe(RESERVE)}` when missing",
        examples=["5m"],
    )


class Inventory(Shape):
    """A named source of hosts."""

    source: Text = Field(
        description="any Ansible source: a file, a folder, or a host list such as `a,b`",
        examples=["inventories/production"],
    )
    min_hosts: Annotated[int, Field(ge=0)] = Field(default=1, description="fewer hosts than this hold all work")
    max_drop: Budget | None = Field(
        default=None, description="losing more than this against the last good answer holds all work", examples=["20%"]
    )

    ansible: Ansible = Field(
        default_factory=Ansible, description="the Ansible for these hosts; otherwise the one that `ansible:` names"
    )

    def to_domain(self, name: str, wider: AnsibleSettings) -> domain.Inventory:
        """The inventory as the rest of the program knows it; `wider` is the Ansible of all inventories."""
        ansible = self.ansible.to_domain().over(wider)
        return domain.Inventory(name, self.source, self.min_hosts, self.max_drop, ansible)


class Secret(Shape):
    """Where a secret is found, never what it is; exactly one of the four."""

    env: Text | None = Field(default=None, description="the environment variable that holds it")
    file: Text | None = Field(default=None, description="the file that holds it")
    command: Text | None = Field(default=None, description="the command line that prints it")
    keyring: Text | None = Field(
        default=None,
        description="its service and user in this user's keyring (needs `wellkept[keyring]`)",
        examples=["ansible/vault"],
    )

    @model_validator(mode="before")
    @classmethod
    def _refuse_literals(cls, value: object) -> object:
        if not isinstance(value, dict):
            raise PydanticCustomError("secret_itself", "a secret stands here itself")
        return value

    def to_domain(self) -> domain.SecretSource:
        """The reference as the rest of the program knows it."""
        return domain.SecretSource(self.env, self.file, self.command, self.keyring)


class Secrets(Shape):
    """Secrets by reference: what Ansible asks for."""

    vault: dict[Text, Secret] = Field(default_factory=dict, description="vault passwords by vault id")
    become: dict[Text, Secret] = Field(default_factory=dict, description="become passwords by host pattern")
    login: dict[Text, Secret] = Field(
        default_factory=dict, description="ssh login passwords by host pattern, for hosts that take no key"
    )

    def to_domain(self) -> domain.Secrets:
        """The references as the rest of the program knows them."""
        return domain.Secrets(
            vault={name: secret.to_domain() for name, secret in self.vault.items()},
            become={name: secret.to_domain() for name, secret in self.become.items()},
            login={name: secret.to_domain() for name, secret in self.login.items()},
        )


class Person(Shape):
    """Somebody who may approve, own or be told; the name is the one that they log in with."""

    mail: Annotated[str, Field(pattern=r"^\S+@\S+$")] | None = Field(
        default=None, description="the address for mail", examples=["ana@example.com"]
    )
    keys: list[PublicKey] = Field(
        default_factory=list,
        description="OpenSSH public keys; whoever has one here signs approvals with it, through ssh-agent",
    )

    def to_domain(self, name: str) -> domain.Person:
        """The person as the rest of the program knows them."""
        return domain.Person(name, self.mail, tuple(self.keys))


class Team(Shape):
    """People who answer for something together."""

    members: list[Name] = Field(default_factory=list, description="names from `people`", examples=[["ana"]])
    may: list[Literal["approve", "override"]] = Field(
        default_factory=list,
        description="what its members may do; once any team says so, nobody else may approve a change, or override a guard",
        examples=[["approve"]],
    )

    def to_domain(self, name: str) -> domain.Team:
        """The team as the rest of the program knows it."""
        return domain.Team(name, tuple(self.members), tuple(map(Right, self.may)))


class Service(Shape):
    """The business side: what hosts are for, and who answers for them."""

    title: Text = Field(description="what people call it", examples=["the web shop"])
    hosts: Text = Field(description="an Ansible host pattern", examples=["web"])
    inventory: Name | None = Field(default=None, description="the inventory of these hosts; otherwise the default one")
    impact: Literal["low", "medium", "high"] = Field(default="medium", description="how much an outage hurts")
    owner: Name | None = Field(default=None, description="the person or team that answers for it")
    custodian: Text | None = Field(default=None, description="who speaks for its users", examples=["Head of Sales"])
    users: Annotated[int, Field(ge=0)] | None = Field(default=None, description="how many people use it")

    def to_domain(self, name: str) -> domain.Service:
        """The service as the rest of the program knows it."""
        return domain.Service(
            name, self.title, self.hosts, self.inventory, self.impact, self.owner, self.custodian, self.users
        )


class UpgradeAtLeast(Shape):
    """How often hosts are to be upgraded, by kind; `1mo` is once in every calendar month."""

    servers: Rarity | None = Field(
        default=None, description="work with `effect: change` or `reboot`, on all but network devices", examples=["1mo"]
    )
    network: Rarity | None = Field(
        default=None, description="work with `effect: network`, on network devices", examples=["6mo"]
    )
    firmware: Rarity | None = Field(default=None, description="work with `effect: firmware`", examples=["12mo"])

    def to_domain(self) -> dict[str, Duration]:
        """The kinds that are bounded, and how often each is to happen."""
        kinds = {"servers": self.servers, "network": self.network, "firmware": self.firmware}
        return {kind: at_least for kind, at_least in kinds.items() if at_least}


class Never(Shape):
    """Hosts that nothing may change, always or during a window; no override passes it."""

    hosts: Text = Field(description="an Ansible host pattern, looked for in every inventory", examples=["erp-db"])
    during: Name = Field(
        default=ALWAYS, description="the name of a window in which they may not be changed, or `always`"
    )

    def to_domain(self) -> domain.Never:
        """The limit as the rest of the program knows it."""
        return domain.Never(self.hosts, self.during)


class Approval(Shape):
    """Who must approve a change before it runs, by the type of the change."""

    standard: Literal["none", "self", "other"] = Field(
        default="none",
        description="`none`; `self`: anybody who may, also who asked for it, and reports count that; `other`: not who asked for it",
    )
    normal: Literal["none", "self", "other"] = Field(default="other", description="the same for normal changes")
    emergency: Literal["none", "self", "other"] = Field(
        default="none", description="the same for emergency changes, which are reviewed afterwards in any case"
    )

    def to_domain(self) -> dict[ChangeType, Policy]:
        """The rule for each type of change."""
        return {kind: Policy(getattr(self, kind)) for kind in ChangeType}


class Boundaries(Shape):
    """The strategic plan's limits."""

    never: list[Never] = Field(
        default_factory=list,
        description="hosts that no run may change; a run that includes one is refused",
        examples=[[{"hosts": "erp-db", "during": "always"}]],
    )

    max_concurrent_hosts: Count | None = Field(
        default=None, description="how many hosts all runs together may change at the same time", examples=[50]
    )
    approval: Approval = Field(default_factory=Approval, description="who must approve a change before it runs")
    upgrade_at_least: UpgradeAtLeast = Field(
        default_factory=UpgradeAtLeast,
        description="how often hosts of services are to be upgraded; `wellkept calendar --hosts` tells which are not",
    )

    def to_domain(self) -> domain.Boundaries:
        """The limits that bind runs as the rest of the program knows them."""
        return domain.Boundaries(tuple(never.to_domain() for never in self.never), self.max_concurrent_hosts)


class Signing(Shape):
    """What the record's checkpoints are signed with."""

    key: KeyFile = Field(
        description="the file of an OpenSSH Ed25519 key; `${NAME}` is taken from the environment",
        examples=["${WELLKEPT_SIGNING_KEY}"],
    )


class Tickets(Shape):
    """Where tickets are filed."""

    desk: Literal["local"] = Field(default="local", description="the ticket desk")


class Alertmanager(Shape):
    """Prometheus' Alertmanager, which tells the alerts that fire."""

    url: Server = Field(description="its address, without `/api`", examples=["http://127.0.0.1:9093"])
    ignore: list[Text] = Field(
        default_factory=list, description="names of alerts that hold nothing", examples=[["Watchdog"]]
    )
    bearer: Secret | None = Field(default=None, description="the token that it wants, by reference")

    def to_domain(self) -> domain.Alertmanager:
        """The source of alerts as the rest of the program knows it."""
        return domain.Alertmanager(self.url, tuple(self.ignore), self.bearer.to_domain() if self.bearer else None)


class Alerts(Shape):
    """Where the alerts are heard that schedules with `hold_on: [alerts]` wait for."""

    alertmanager: Alertmanager = Field(
        description="Prometheus' Alertmanager", examples=[{"url": "http://127.0.0.1:9093"}]
    )


class DeadManPing(Shape):
    """Where the scheduler says that it lives; who listens there raises the alarm when it falls silent."""

    url: Annotated[str, Field(pattern=r"^(https?://\S+|.*\$\{\w+\}.*)$")] = Field(
        description="the address that is asked with GET; `${NAME}` is taken from the environment, for such an address is a secret",
        examples=["${WELLKEPT_PING}"],
    )
    every: SomeSpan = Field(default=timedelta(minutes=5), description="how often", examples=["5m"])

    def to_domain(self, environ: Mapping[str, str]) -> domain.DeadManPing | None:
        """The ping as the rest of the program knows it; none while its variable is not set."""
        return None if missing(self.url, environ) else domain.DeadManPing(expand(self.url, environ), self.every)


class SettingsFile(Shape):
    """wellkept.yml: the settings of a maintenance repository."""

    format: Literal[1] = Field(description="the version of this language", examples=[1])
    organisation: Text = Field(description="whose systems these are, as reports print it", examples=["Example Ltd"])
    database: Text = Field(
        default="sqlite:///var/wellkept.db",
        description="where the record is kept: sqlite:/// with a path, or postgresql://…; `${NAME}` is taken from the environment",
    )
    state_dir: Text = Field(default="var", description="the folder for snapshots, spools and locks")
    strict: bool = Field(default=False, description="make a missing owner or `why` an error")
    defaults: Defaults = Field(
        default_factory=Defaults, description="what definitions use when they do not say otherwise"
    )
    inventories: dict[Name, Inventory] = Field(default_factory=dict, description="sources of hosts by name")
    ansible: Ansible = Field(default_factory=Ansible, description="your own Ansible")
    secrets: Secrets = Field(default_factory=Secrets, description="secrets by reference")
    people: dict[Name, Person] = Field(default_factory=dict, description="people by name")
    teams: dict[Name, Team] = Field(default_factory=dict, description="teams by name")
    services: dict[Name, Service] = Field(default_factory=dict, description="business services by name")
    boundaries: Boundaries = Field(default_factory=Boundaries, description="the strategic plan's limits")
    alerts: Alerts | None = Field(default=None, description="where alerts are heard")
    tickets: Tickets = Field(default_factory=Tickets, description="where tickets are filed")
    horizon: SomeSpan = Field(
        default=domain.HORIZON, description="how far ahead slots are written into the ledger", examples=["90d"]
    )
    dead_man_ping: DeadManPing | None = Field(
        default=None, description="where the scheduler says that it lives, so that its silence is noticed"
    )
    signing: Signing | None = Field(default=None, description="what checkpoints of the record are signed with")
