"""What an audit report holds. These values are the JSON; every page is rendered from it, and every number names the records that it rests on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from runner.reporting.lines import (
    CadenceLine,
    ChangeLine,
    EvidenceIndex,
    Moment,
    OverrideLine,
    PauseLine,
    Reference,
    RunHosts,
    SlotLine,
    Standing,
    Status,
    TicketLine,
)

FORMAT = 1


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
class ApprovalCounts:
    """The numbers of the runs that began by somebody's approval, of those where it was signed, and where it came from who had asked for the run."""

    runs: tuple[int, ...]
    signed: tuple[int, ...]
    by_requester: tuple[int, ...]


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
    approvals: ApprovalCounts


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
    cadence: tuple[CadenceLine, ...]
    changes: tuple[ChangeLine, ...]
    standings: tuple[Standing, ...]
    hosts: tuple[RunHosts, ...]
    tickets: tuple[TicketLine, ...]
    overrides: tuple[OverrideLine, ...]
    pauses: tuple[PauseLine, ...]
    evidence: EvidenceIndex
    limitations: tuple[Limitation, ...]
    missing: tuple[MissingSection, ...]
