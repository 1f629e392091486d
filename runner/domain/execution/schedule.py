"""What a team wants done: a schedule, its change, its waves, its checks before and after."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from runner.domain.execution.own_ansible import AnsibleSettings
from runner.domain.time.splay import splayed
from runner.domain.time.window import MaintenanceWindow, Opening

RESERVE = timedelta(minutes=5)  # how long a host is expected to take while it has no past


class Kind(StrEnum):
    """What is done at a schedule's slot: a playbook is run, or a person has a duty."""

    PLAYBOOK = "playbook"
    MANUAL = "manual"


class Effect(StrEnum):
    """What a playbook does to a host."""

    READ_ONLY = "read_only"
    CHANGE = "change"
    REBOOT = "reboot"
    NETWORK = "network"
    FIRMWARE = "firmware"


class ChangeType(StrEnum):
    """How a change is authorised: in advance (standard), each time (normal), or after the fact (emergency)."""

    STANDARD = "standard"
    NORMAL = "normal"
    EMERGENCY = "emergency"


class Split(StrEnum):
    """How Ansible is called: once per batch of hosts, or once without a limit."""

    HOSTS = "hosts"
    WHOLE = "whole"


class Overlap(StrEnum):
    """What a slot is that its schedule's last run kept from starting, up to its last start: skipped, or missed.

    Either way it waits, and starts when that run has ended in time.
    """

    FORBID = "forbid"
    QUEUE = "queue"


class CatchUp(StrEnum):
    """What becomes of the hosts of a slot that was missed as a whole: nothing, or they owe a run and come first in the next window."""

    NONE = "none"
    NEXT_WINDOW = "next_window"


class WantedVerdict(StrEnum):
    """How well a ring must have ended before the next one may begin."""

    SUCCEEDED = "succeeded"
    DEGRADED = "degraded"


@dataclass(frozen=True, slots=True)
class Requirement:
    """A ring before this ring: the last whole run of that schedule decides, and it must have ended well.

    `within` None means however long ago; `at_least` is how long it must have been over, so that what it broke had time to show.
    """

    schedule: str
    verdict: WantedVerdict = WantedVerdict.SUCCEEDED
    within: timedelta | None = None
    at_least: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True)
class Change:
    """The change record that a run belongs to."""

    type: ChangeType = ChangeType.STANDARD
    model: str | None = None
    owner: str | None = None


@dataclass(frozen=True, slots=True)
class Amount:
    """A number of hosts, or a percentage of all planned hosts."""

    number: float
    percent: bool = False

    def rounded_up(self, total: int) -> int:
        """How many of `total` hosts this is, at least 1 (wave sizes)."""
        whole = -(-int(self.number * total * 1000) // 100_000) if self.percent else int(self.number)
        return max(1, whole)

    def rounded_down(self, total: int) -> int:
        """How many of `total` hosts this is, possibly 0 (failure budgets)."""
        return int(self.number * total * 1000) // 100_000 if self.percent else int(self.number)

    def __str__(self) -> str:
        return f"{self.number:g}%" if self.percent else f"{self.number:g}"


@dataclass(frozen=True, slots=True)
class Wave:
    """A group of hosts that is done, and watched for `soak`, before the next group starts.

    `size` None means whatever is left; `hosts` is an Ansible host pattern; `tolerates` failures are allowed in a canary wave.
    """

    name: str
    size: Amount | None = None
    hosts: str | None = None
    soak: timedelta = timedelta(0)
    tolerates: int = 0


@dataclass(frozen=True, slots=True)
class OnFailure:
    """What is done with hosts that fail: tried again `transient` times, each time `after` it failed, then rolled back by the playbook `rollback`."""

    transient: int = 0
    after: timedelta = timedelta(0)
    rollback: str | None = None


@dataclass(frozen=True, slots=True)
class Readiness:
    """A look ahead at the hosts of each slot, `before` it opens, by the built-in look and these checks: playbooks, or `health:NAME`."""

    before: timedelta
    checks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Schedule:
    """What is done, to which hosts, in which window, in which waves, within which budget.

    `every` is how often read-only work runs by itself; it has no window then, which is to say the one that is always open.
    `hold_on` names what outside keeps it from changing further hosts: `alerts`.
    `apart` names inventory variables: hosts that share the value of one are never changed at the same time.
    `reserve` is how long a host is expected to take while it has no past.
    `before` and `after` hold playbook paths, or `health:NAME` for a health check. `source` is `file:line` of the definition and
    `defaults_used` names every value that the file left out, so that a plan can print them. A manual one has no playbook, no inventory and no hosts.
    """

    name: str
    title: str
    playbook: str
    inventory: str
    hosts: str
    window: MaintenanceWindow
    why: str = ""
    owner: str | None = None
    effect: Effect = Effect.CHANGE
    enabled: bool = True
    change: Change = Change()
    requires: tuple[Requirement, ...] = ()
    split: Split = Split.HOSTS
    split_is_safe: bool = False
    waves: tuple[Wave, ...] = ()
    concurrency: int = 10
    apart: tuple[str, ...] = ()
    failure_budget: Amount = Amount(0)
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    hold_on: tuple[str, ...] = ()
    on_failure: OnFailure = OnFailure()
    time_limit: timedelta | None = None
    reserve: timedelta = RESERVE
    overlap: Overlap = Overlap.FORBID
    late_start: str = "until_cutoff"
    catch_up: CatchUp = CatchUp.NONE
    extra_vars: Mapping[str, object] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    skip_tags: tuple[str, ...] = ()
    source: str = ""
    defaults_used: tuple[str, ...] = ()
    kind: Kind = Kind.PLAYBOOK
    ansible: AnsibleSettings = AnsibleSettings()
    every: timedelta | None = None
    readiness: Readiness | None = None

    @property
    def changes_something(self) -> bool:
        """Whether windows, freezes and pauses bind the runs of this schedule."""
        return self.effect is not Effect.READ_ONLY

    @property
    def is_manual(self) -> bool:
        """Whether it is a duty of a person, and nothing is run."""
        return self.kind is Kind.MANUAL

    def its(self, opening: Opening) -> Opening:
        """An opening of its window as this schedule may use it: later by its splay. A duty is asked for as soon as the window opens."""
        return opening if self.is_manual else splayed(opening, self.window, schedule=self.name)
