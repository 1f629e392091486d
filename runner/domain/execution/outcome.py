"""What happened to each host: events of a piece folded into one result per host, with its cause."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from runner.domain.tickets.plain_words import PlainWords


class Result(StrEnum):
    """How a host ended; only the first two are good."""

    OK = "ok"
    CHANGED = "changed"
    FAILED = "failed"
    UNREACHABLE = "unreachable"
    IN_DOUBT = "in_doubt"
    NOT_RUN = "not_run"

    @property
    def is_good(self) -> bool:
        """Whether the host was done as planned."""
        return self in {Result.OK, Result.CHANGED}


class NotRun(StrEnum):
    """Why a planned host was not touched."""

    BUDGET = "budget"
    NO_ROOM = "no_room"
    CUTOFF = "cutoff"
    FROZEN = "frozen"
    PAUSED = "paused"
    PRE_CHECK = "pre_check"
    CANCELLED = "cancelled"
    LOCK = "lock"
    VANISHED = "vanished"
    NOT_IN_PLAYBOOK = "not_in_playbook"
    CONFIGURATION = "configuration"

    @property
    def is_deferred(self) -> bool:
        """Whether time or a lock was in the way, so that the host comes first next time."""
        return self in {NotRun.NO_ROOM, NotRun.CUTOFF, NotRun.FROZEN, NotRun.PAUSED, NotRun.LOCK}


class EventKind(StrEnum):
    """The events of a piece that matter to us."""

    PLAY = "play"
    TASK = "task"
    HOST_START = "host_start"
    HOST_OK = "host_ok"
    HOST_FAILED = "host_failed"
    HOST_UNREACHABLE = "host_unreachable"
    HOST_SKIPPED = "host_skipped"
    NO_HOSTS = "no_hosts"
    NOTE = "note"  # Ansible's own words: warnings, errors, the reason of a configuration error
    STATS = "stats"
    SOFT_STOP = "soft_stop"
    END = "end"  # the executor's own last line


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that a piece told, redacted; `offset` is where it ends in the spool, in bytes.

    `number` counts our lines from 1, `counter` is ansible-runner's own (None for lines of our executor). `seconds` is how long the task took on the host.
    `output` is the standard output of a raw or command task, bounded; `text` is what a person reads. For STATS, `stats` maps host to Ansible's recap counts;
    for END, `status` and `exit_code` are ansible-runner's.
    """

    number: int
    offset: int
    kind: EventKind
    at: datetime
    counter: int | None = None
    host: str = ""
    play: str = ""
    task: str = ""
    task_path: str = ""
    module: str = ""
    role: str = ""
    changed: bool = False
    ignored: bool = False
    exit_code: int | None = None
    seconds: float = 0.0
    text: str = ""
    output: str = ""
    status: str = ""
    stats: Mapping[str, Mapping[str, int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class HostResult:
    """How one host ended in one piece.

    `touched` says whether anything of the playbook had run there; `cause` is a cause class of domain.cause; `signature` is the normalised message that a
    ticket's fingerprint is made of. `reason` is set exactly when the result is not_run. `cause_rules` is the version of the rules that named the cause,
    and `own_words` are what a rule of the user's own says about it instead of us.
    """

    host: str
    result: Result
    touched: bool = True
    reason: NotRun | None = None
    cause: str | None = None
    text: str = ""
    signature: str = ""
    task: str = ""
    module: str = ""
    role: str = ""
    started: datetime | None = None
    ended: datetime | None = None
    cause_rules: str | None = None
    own_words: PlainWords | None = None
