"""Questions asked of hosts and services, and what their answers mean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum


class Probe(StrEnum):
    """The kinds of question."""

    TCP = "tcp"
    SSH = "ssh"
    HTTP = "http"


class Condition(StrEnum):
    """How something is, from best to worst; `unknown` when no answer could be had from our side."""

    OK = "ok"
    WARNING = "warning"
    CRITICAL = "critical"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Threshold:
    """A comparison with a number, such as `> 80`; `operator` is one of < <= > >= == !=."""

    operator: str
    number: float


@dataclass(frozen=True, slots=True)
class Check:
    """One question, to whom it goes, and how often.

    `run` is a command line for `ssh`; `number` a regular expression whose first group is compared with `warn` and `fail`; `url` may use `{{ inventory_hostname }}`.
    """

    name: str
    probe: Probe
    hosts: str
    every: timedelta
    inventory: str
    port: int | None = None
    run: str | None = None
    number: str | None = None
    warn: Threshold | None = None
    fail: Threshold | None = None
    url: str | None = None
    status: int = 200
    within: timedelta = timedelta(seconds=10)
    down_after: int = 1
    fix: str | None = None
    source: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a probe brought back: an answer, or why there is none. `seconds` is how long it took."""

    check: str
    host: str
    reached: bool
    text: str = ""
    exit_code: int | None = None
    status: int | None = None
    seconds: float = 0.0
    error: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """How one host stands on one check, in words."""

    check: str
    inventory: str
    host: str
    condition: Condition
    summary: str
    number: float | None = None
    seconds: float = 0.0
    facts: Mapping[str, object] = field(default_factory=dict)
