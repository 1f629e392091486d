"""The lines of a report's sections, and the small values that they are made of; every line names its record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Moment:
    """An instant in UTC, and by the clock of the report's zone, both as ISO 8601; `zone` is the zone's short name then, such as CEST."""

    utc: str
    local: str
    zone: str


@dataclass(frozen=True, slots=True)
class Status:
    """An outcome as a code, in plain words, and its tone: good, partly, bad, neutral or unknown."""

    code: str
    words: str
    tone: str


@dataclass(frozen=True, slots=True)
class Reference:
    """A record that a statement rests on; `kind` is run, slot, ticket, override, host or log, `label` is how people call it."""

    kind: str
    id: str
    label: str


@dataclass(frozen=True, slots=True)
class SlotLine:
    """One planned occurrence and its outcome; lengths are in seconds. `outside` says what happened outside the usable time, empty when nothing did."""

    id: str
    schedule: str
    window: str
    opens: Moment
    closes: Moment
    usable_seconds: int
    run: int | None
    run_id: str | None
    started: Moment | None
    ended: Moment | None
    late_seconds: int | None
    status: Status
    reason: str
    outside: str
    hosts: int | None
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WaveLine:
    """One planned wave; `size` is None for whatever is left."""

    name: str
    size: int | None
    canary: bool


@dataclass(frozen=True, slots=True)
class Approval:
    """Who allowed a run beforehand, and when; `by_requester` means that people approved what they had asked for themselves."""

    id: str
    by: str
    at: Moment
    before_start: bool
    signed: bool
    by_requester: bool
    taken_back: Moment | None


@dataclass(frozen=True, slots=True)
class Review:
    """Whether somebody looked at an emergency change afterwards; `ticket` asks for it, or asked for it."""

    done: bool
    by: str | None
    at: Moment | None
    ticket: Reference | None


@dataclass(frozen=True, slots=True)
class ChangeLine:
    """One run as a change record; `outside` says what it did outside the time that its window allowed, empty when nothing."""

    id: str
    number: int
    slot: str | None
    schedule: str
    title: str
    type: str
    trigger: Status
    check_mode: bool
    requested_by: str
    approvals: tuple[Approval, ...]
    review: Review | None
    playbook: str
    commit: str | None
    dirty: bool | None
    snapshot: str
    plan_digest: str
    inventory: str
    targets: tuple[str, ...]
    waves: tuple[WaveLine, ...]
    budget: int
    asked: Moment
    started: Moment | None
    ended: Moment | None
    seconds: int | None
    status: Status
    reason: str
    record_incomplete: bool
    stopped_by: str | None
    outside: str
    tickets: tuple[Reference, ...]
    overrides: tuple[str, ...]
    versions: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class PackageLine:
    """One package before and after; None where it was not installed."""

    name: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class CheckLine:
    """What a check after the work said."""

    name: str
    status: Status
    text: str


@dataclass(frozen=True, slots=True)
class HostLine:
    """One host in one run; `packages` is None when it could not be compared, `restart` is None when it is not known."""

    host: str
    status: Status
    cause: str | None
    explanation: str
    message: str
    packages: tuple[PackageLine, ...] | None
    restart: Status | None
    started: Moment | None
    ended: Moment | None
    seconds: int | None
    checks: tuple[CheckLine, ...]


@dataclass(frozen=True, slots=True)
class RunHosts:
    """The hosts of one run."""

    run: int
    run_id: str
    schedule: str
    title: str
    inventory: str
    hosts: tuple[HostLine, ...]


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one host stands at the end of the period."""

    inventory: str
    host: str
    status: Status
    runs: tuple[int, ...]
    last_good: Moment | None


@dataclass(frozen=True, slots=True)
class TicketEvent:
    """One entry of a ticket."""

    at: Moment
    by: str
    action: str
    text: str
    run_id: str | None


@dataclass(frozen=True, slots=True)
class TicketLine:
    """One ticket as it stood when the report was written; `words` are the plain texts by their part (happened, means, done, needed)."""

    id: str
    number: int
    title: str
    status: Status
    priority: str
    cause: str | None
    words: Mapping[str, str]
    detail: str
    inventory: str | None
    hosts: tuple[str, ...]
    schedule: str | None
    owner: str | None
    first_seen: Moment
    last_seen: Moment
    resolved: Moment | None
    seconds_to_resolve: int | None
    count: int
    resolution: str
    runs: tuple[Reference, ...]
    events: tuple[TicketEvent, ...]


@dataclass(frozen=True, slots=True)
class OverrideLine:
    """Somebody let work pass a guard."""

    id: str
    at: Moment
    until: Moment
    by: str
    schedule: str
    guards: tuple[str, ...]
    reason: str
    run: int | None
    run_id: str | None


@dataclass(frozen=True, slots=True)
class CadenceLine:
    """Work that is done every so often without a window, over the UTC days of the period on which some was expected; `late` are among those `done`."""

    name: str
    is_check: bool
    days: int
    first: str
    last: str
    expected: int
    done: int
    late: int
    missed: int


@dataclass(frozen=True, slots=True)
class PauseLine:
    """Somebody paused maintenance; `until` is the end that was set, `ended` when it was over. `hosts` is empty for everything."""

    id: str
    since: Moment
    until: Moment | None
    ended: Moment | None
    by: str
    ended_by: str | None
    hosts: str
    reason: str
    slots: tuple[Reference, ...]


@dataclass(frozen=True, slots=True)
class EvidenceLine:
    """One piece of evidence: what it is, and the SHA-256 of its content; `size` is in bytes."""

    id: str
    kind: str
    run: int | None
    host: str | None
    media_type: str
    size: int
    sha256: str
    at: Moment


@dataclass(frozen=True, slots=True)
class StreamLine:
    """One stream of the log, and the hash that it ended with when the rows were read."""

    stream: str
    run: int | None
    entries: int
    first: int
    last: int
    hash: str


@dataclass(frozen=True, slots=True)
class CheckpointLine:
    """A signed statement of where a stream stood."""

    id: str
    stream: str
    seq: int
    entries: int
    hash: str
    at: Moment
    key_id: str


@dataclass(frozen=True, slots=True)
class EvidenceIndex:
    """Everything that the report can be checked against."""

    evidence: tuple[EvidenceLine, ...]
    streams: tuple[StreamLine, ...]
    checkpoints: tuple[CheckpointLine, ...]
