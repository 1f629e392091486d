"""Who acts: the person behind a command, and the process that owns a piece of work."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Right(StrEnum):
    """What only some people may do, where a team says `may:`."""

    APPROVE = "approve"
    OVERRIDE = "override"


@dataclass(frozen=True, slots=True)
class Actor:
    """A person by login name, or the system itself; under sudo it is the person who called sudo."""

    name: str
    kind: str = "person"

    def __str__(self) -> str:
        return self.name


SYSTEM = Actor("wellkept", "system")


@dataclass(frozen=True, slots=True)
class Owner:
    """One process on one machine, told apart from any other that had or will have its pid.

    `boot_id` and `pid_namespace` say on which machine and in which container; `started` is the process's start time in clock ticks since boot
    (proc(5), stat field 22).
    """

    boot_id: str
    pid_namespace: str
    pid: int
    started: str
