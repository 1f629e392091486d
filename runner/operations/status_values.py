"""What the status screen shows, as values; they are its JSON, too."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from runner.domain.execution.guards import Drain
from runner.domain.health import Condition
from runner.operations.execution.read_pauses import PauseFile
from runner.operations.execution.wait_for_approval import Waiting
from runner.operations.time.list_cadences import Cadence
from runner.operations.time.next_openings import NextOpening


@dataclass(frozen=True, slots=True)
class DaemonSeen:
    """The daemon that was heard last; `alive` when its last beat is less than 30 seconds old by the database's clock.

    `others` counts the further ones that are alive beside it.
    """

    alive: bool
    pid: int
    started_at: datetime
    heard_at: datetime
    others: int = 0


@dataclass(frozen=True, slots=True)
class PauseSeen:
    """A pause in force; `hosts` empty means everything, `until` empty until somebody resumes."""

    reason: str
    by: str
    hosts: str
    since: datetime
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Going:
    """A run that is going on; `done` counts hosts on which the playbook has ended, `silent` that whoever executes it is not heard any more."""

    number: int
    schedule: str
    title: str
    hosts: int
    done: int
    doing: str
    silent: bool
    created: datetime
    as_of: datetime


@dataclass(frozen=True, slots=True)
class DueSlot:
    """A slot whose window is open and that has no run yet, and why; `as_of` is when its guards were asked last."""

    schedule: str
    opened: datetime
    last_start: datetime
    reasons: tuple[str, ...]
    until: datetime | None
    as_of: datetime | None


@dataclass(frozen=True, slots=True)
class Unhealthy:
    """A host that a health check found other than well."""

    host: str
    inventory: str
    check: str
    condition: Condition
    summary: str
    since: datetime
    as_of: datetime


@dataclass(frozen=True, slots=True)
class RoundsToday:
    """A health check's rounds of this UTC day, as far as they are counted; `late` ones are among those that were `run`."""

    check: str
    expected: int
    run: int
    late: int
    missed: int


@dataclass(frozen=True, slots=True)
class IntervalsToday:
    """The intervals of this UTC day of a schedule that has a cadence, as far as they are counted; `late` ones are among those that were `run`."""

    schedule: str
    expected: int
    run: int
    late: int
    missed: int


@dataclass(frozen=True, slots=True)
class LiveTicket:
    """A ticket that nobody has resolved yet."""

    number: int
    priority: str
    state: str
    title: str
    hosts: tuple[str, ...]
    assigned_to: str | None
    opened: datetime
    as_of: datetime


@dataclass(frozen=True, slots=True)
class PastRun:
    """A run that has ended."""

    number: int
    schedule: str
    title: str
    verdict: str
    good: int
    hosts: int
    ended: datetime | None


@dataclass(frozen=True, slots=True)
class Recorded:
    """What the database says at one moment."""

    daemon: DaemonSeen | None = None
    pauses: tuple[PauseSeen, ...] = ()
    drain: Drain | None = None
    running: tuple[Going, ...] = ()
    due: tuple[DueSlot, ...] = ()
    unhealthy: tuple[Unhealthy, ...] = ()
    checked_at: datetime | None = None
    rounds_today: tuple[RoundsToday, ...] = ()
    intervals_today: tuple[IntervalsToday, ...] = ()
    tickets: tuple[LiveTicket, ...] = ()
    last_runs: tuple[PastRun, ...] = ()


@dataclass(frozen=True, slots=True)
class Status:
    """Everything on one screen; `broken` holds the files' problems, `record_problem` why the database cannot be asked (`recorded` is None then).

    `pause_file` is there while a file pauses everything, whatever the database says. `cadences` are the schedules that run every so often, without openings.
    """

    at: datetime
    pause_file: PauseFile | None
    schedules: int | None
    checks: int | None
    broken: tuple[str, ...]
    record_problem: str
    recorded: Recorded | None
    openings: tuple[NextOpening, ...]
    waiting: tuple[Waiting, ...] = ()
    cadences: tuple[Cadence, ...] = ()
