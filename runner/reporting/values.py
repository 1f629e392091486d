"""What an audit report holds. These values are the JSON; every page is rendered from it, and every number names the records that it rests on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

FORMAT = 1


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
class LogPoint:
    """One entry of the log."""

    seq: int
    hash: str


@dataclass(frozen=True, slots=True)
class DataCut:
    """Which part of the installation's log the report rests on: the period's first and last entry, and the newest one when the rows were read."""

    installation: str
    first: LogPoint | None
    last: LogPoint | None
    head: LogPoint


@dataclass(frozen=True, slots=True)
class Completeness:
    """Whether the record of the period is whole, and the sentences that say so."""

    whole: bool
    sentences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Cover:
    """What the report is about, who made it from what, and how to verify it."""

    organisation: str
    title: str
    scope: str
    period: str
    period_label: str
    starts: Moment
    ends: Moment
    timezone: str
    generated_at: Moment
    generated_by: str
    versions: Mapping[str, str]
    data_cut: DataCut
    completeness: Completeness


@dataclass(frozen=True, slots=True)
class Part:
    """One outcome's share of all slots; `percent` in tenths adds up to exactly 100 over all parts."""

    status: Status
    count: int
    percent: float
    slots: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Share:
    """A number of hosts among all in scope, with the Wilson 95 % interval in percent (None when there are no hosts)."""

    count: int
    of: int
    percent: float | None
    low: float | None
    high: float | None
    hosts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class HostCounts:
    """How many hosts the period's work was meant for, and what became of it."""

    in_scope: int
    reached: Share
    done: Share
    updated: Share
    restarted: int


@dataclass(frozen=True, slots=True)
class TicketCounts:
    """Tickets that the period saw."""

    opened: tuple[int, ...]
    resolved: tuple[int, ...]
    live_at_the_end: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a reader should know, in plain words."""

    tone: str
    text: str
    references: tuple[Reference, ...]


@dataclass(frozen=True, slots=True)
class Summary:
    """The period on one page."""

    planned: int
    parts: tuple[Part, ...]
    withdrawn: int
    runs: int
    by_hand: tuple[int, ...]
    hosts: HostCounts
    tickets: TicketCounts
    findings: tuple[Finding, ...]


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
    """Who allowed a run beforehand, and when."""

    id: str
    by: str
    at: Moment
    before_start: bool


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
    tickets: tuple[int, ...]
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
    runs: tuple[int, ...]
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


@dataclass(frozen=True, slots=True)
class Limitation:
    """Something that the report cannot say, or that was not checked."""

    text: str
    references: tuple[Reference, ...] = ()


@dataclass(frozen=True, slots=True)
class MissingSection:
    """A section that audit reports have, but this version does not write yet."""

    number: int
    title: str


@dataclass(frozen=True, slots=True)
class AuditReport:
    """The auditor's edition of a period; `id` is made from all the rest, so that the same rows bear the same id."""

    format: int
    edition: str
    id: str
    cover: Cover
    summary: Summary
    schedule: tuple[SlotLine, ...]
    changes: tuple[ChangeLine, ...]
    standings: tuple[Standing, ...]
    hosts: tuple[RunHosts, ...]
    tickets: tuple[TicketLine, ...]
    overrides: tuple[OverrideLine, ...]
    evidence: EvidenceIndex
    limitations: tuple[Limitation, ...]
    missing: tuple[MissingSection, ...]
