"""The rows that the reports of a period are made of, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from runner.domain.execution.outcome import NotRun, Result
from runner.domain.execution.run import Stage
from runner.domain.record.record import Link
from runner.domain.tickets.plain_words import PlainWords
from runner.domain.tickets.ticket import Priority, TicketKind, TicketState
from runner.domain.who import Actor
from runner.store.execution.pauses import KeptPause
from runner.store.execution.runs import Run
from runner.store.time.cadence import CadenceDay
from runner.store.time.slots import Slot


@dataclass(frozen=True, slots=True)
class OutcomeRow:
    """How one host ended in one run."""

    run_id: str
    inventory: str
    host: str
    schedule: str
    result: Result
    touched: bool
    reason: NotRun | None
    cause: str | None
    text: str
    task: str
    module: str
    started_at: datetime | None
    ended_at: datetime | None
    packages: Any
    reboot: Any
    machine_id: str | None
    attempts: int | None
    rollback: Any
    own_words: PlainWords | None


@dataclass(frozen=True, slots=True)
class CheckRow:
    """What a check after the work said about one host."""

    run_id: str
    batch: int
    step: int
    attempt: int
    host: str
    result: Result
    text: str


@dataclass(frozen=True, slots=True)
class SnapshotRow:
    """Which state of the files a run executed from."""

    digest: str
    commit: str | None
    dirty: bool


@dataclass(frozen=True, slots=True)
class PieceRow:
    """One call of Ansible, or one round of probes, of a run."""

    id: str
    run_id: str
    wave: int
    batch: int
    stage: Stage
    complete: bool
    closing_hash: str | None


@dataclass(frozen=True, slots=True)
class TicketRow:
    """A ticket as it stands; `words` hold the four plain texts."""

    id: str
    number: int
    fingerprint: str
    state: TicketState
    title: str
    kind: TicketKind
    cause: str | None
    priority: Priority
    inventory: str | None
    hosts: tuple[str, ...]
    schedule: str | None
    owner: str | None
    opened_at: datetime
    updated_at: datetime
    resolved_at: datetime | None
    touched_by_person: bool
    words: Any
    detail: str
    count: int


@dataclass(frozen=True, slots=True)
class TicketEventRow:
    """One entry of a ticket."""

    ticket_id: str
    seq: int
    at: datetime
    actor: Actor
    action: str
    text: str
    run_id: str | None


@dataclass(frozen=True, slots=True)
class OverrideRow:
    """Somebody let work pass a guard."""

    id: str
    schedule: str
    reason: str
    by: Actor
    guards: tuple[str, ...]
    at: datetime
    expires_at: datetime
    run_id: str | None


@dataclass(frozen=True, slots=True)
class ApprovalRow:
    """Somebody allowed a run beforehand; `requester` is who had asked for it."""

    id: str
    slot_id: str | None
    requester: str
    by: Actor
    at: datetime
    signature: str | None
    revoked_at: datetime | None
    revoked_by: Actor | None


@dataclass(frozen=True, slots=True)
class EvidenceRow:
    """A piece of evidence without its content."""

    id: str
    run_id: str | None
    piece_id: str | None
    host: str | None
    kind: str
    media_type: str
    digest: str
    size: int
    at: datetime


@dataclass(frozen=True, slots=True)
class CheckpointRow:
    """A signed statement of where a stream of the log stood."""

    id: str
    stream: str
    seq: int
    hash: str
    count: int
    at: datetime
    key_id: str


@dataclass(frozen=True, slots=True)
class StreamRow:
    """One stream of the log: how many entries it has, and where it stands."""

    stream: str
    count: int
    first_seq: int
    last_seq: int
    hash: str


@dataclass(frozen=True, slots=True)
class Cut:
    """Which part of the installation's log the report rests on: the period's first and last entry, and where the log stood at the reading."""

    first: Link | None
    last: Link | None
    head: Link


@dataclass(frozen=True, slots=True)
class InventoryRow:
    """An inventory's last good answer."""

    inventory: str
    at: datetime
    hosts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RetiredRow:
    """A host that a person took out of service."""

    inventory: str
    host: str
    by: Actor
    at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class PeriodRows:
    """All rows of a period.

    `withdrawn` counts slots that were taken back before they opened. `cadence` has the UTC days that begin in the period.
    `snapshots` are by digest; `definitions` maps a digest to a schedule's body.
    """

    slots: tuple[Slot, ...]
    withdrawn: int
    cadence: tuple[CadenceDay, ...]
    runs: tuple[Run, ...]
    snapshots: Mapping[str, SnapshotRow]
    outcomes: tuple[OutcomeRow, ...]
    checks: tuple[CheckRow, ...]
    pieces: tuple[PieceRow, ...]
    tickets: tuple[TicketRow, ...]
    ticket_events: tuple[TicketEventRow, ...]
    overrides: tuple[OverrideRow, ...]
    pauses: tuple[KeptPause, ...]
    approvals: tuple[ApprovalRow, ...]
    evidence: tuple[EvidenceRow, ...]
    checkpoints: tuple[CheckpointRow, ...]
    streams: tuple[StreamRow, ...]
    cut: Cut
    inventories: tuple[InventoryRow, ...]
    retired: tuple[RetiredRow, ...]
    definitions: Mapping[str, Mapping[str, Any]]
