"""What a run will do, frozen before it starts: hosts, waves, steps, budget, and the end of its window."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from runner.domain.execution.schedule import RESERVE, Split
from runner.domain.time.window import AtEnd


class StepKind(StrEnum):
    """What one step of a stage is."""

    LOOK = "look"  # the built-in one: reachable, host key, login, and what is installed now
    PLAYBOOK = "playbook"
    HEALTH = "health"


@dataclass(frozen=True, slots=True)
class Step:
    """One call of Ansible, or one round of probes; `name` is a playbook's path or a health check's name."""

    kind: StepKind
    name: str = ""


HEALTH_PREFIX = "health:"  # of a health check among the steps before and after, and among cadences
LOOK = Step(StepKind.LOOK)


def rollback_steps(playbook: str) -> tuple[Step, ...]:
    """What a rollback is: see that nothing is at work there, play it, and see what is there now."""
    return (LOOK, Step(StepKind.PLAYBOOK, playbook), LOOK)


@dataclass(frozen=True, slots=True)
class PlannedWave:
    """A wave with its size in hosts; `hosts` non-empty means that exactly these belong to it. `size` None means whatever is left."""

    name: str
    size: int | None = None
    hosts: tuple[str, ...] = ()
    soak: timedelta = timedelta(0)
    is_canary: bool = False
    tolerates: int = 0


@dataclass(frozen=True, slots=True)
class RunPlan:
    """The frozen plan of one run.

    `hosts` are in inventory order. `carried` owe a debt and come first after the canary. `budget` is in hosts.
    `groups` maps a host to the groups (`variable=value`) of which only one member is changed at a time; a host that none binds is not in it.
    `limit` is the pattern by which a person chose among the schedule's hosts.
    `retries` is how often a host is tried again after a transient failure, each time `retry_after` its end. `rollback` are the steps for hosts that failed.
    `reserve` is how long a host without a past is expected to take.
    `readiness` says that the steps `before` are all there is: it only looks whether hosts are fit.
    `requirements` is the digest of the roles and collections that are installed for it, if any are.
    `reboots` says that the playbook may restart hosts.
    `last_start` and `ends` are None for work that no window binds. `services` maps a host to what it is for, in the business's words.
    """

    schedule: str
    title: str
    inventory: str
    playbook: str
    hosts: tuple[str, ...]
    waves: tuple[PlannedWave, ...]
    concurrency: int
    budget: int
    before: tuple[Step, ...] = (LOOK,)
    after: tuple[Step, ...] = (LOOK,)
    carried: tuple[str, ...] = ()
    limit: str | None = None
    split: Split = Split.HOSTS
    at_end: AtEnd = AtEnd.FINISH_BATCH
    opens: datetime | None = None
    last_start: datetime | None = None
    ends: datetime | None = None
    check_mode: bool = False
    changes_something: bool = True
    impact: str = "medium"
    owner: str | None = None
    services: Mapping[str, str] = field(default_factory=dict)
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    reboots: bool = False
    retries: int = 0
    retry_after: timedelta = timedelta(0)
    rollback: tuple[Step, ...] = ()
    requirements: str = ""
    reserve: timedelta = RESERVE
    readiness: bool = False

    @property
    def only_looks(self) -> bool:
        """Whether nothing is done to any host, and no guard of a change binds it."""
        return self.check_mode or self.readiness
