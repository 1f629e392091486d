"""Runs, their pieces, and who holds which host."""

from __future__ import annotations

from sqlalchemy import (
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    Table,
    UniqueConstraint,
)

from runner.domain.execution.run import PieceState, RunState, Stage, Trigger, Verdict
from runner.store.columns import OwnedBy, Word
from runner.store.tables.parts import (
    big_,
    by_,
    cause_told_,
    flag_,
    host_result_,
    id_,
    instant_,
    integer_,
    json_,
    metadata,
    names_,
    prose_,
    text_,
    unique_where,
)

runs = Table(
    "runs",
    metadata,
    id_(),
    Column("number", Integer, nullable=False, unique=True),
    Column("slot_id", ForeignKey("slots.id"), nullable=True),
    Column("trigger", Word(Trigger), nullable=False),
    text_("schedule"),
    prose_("title"),
    text_("definition"),
    text_("snapshot"),
    text_("inventory"),
    json_("plan"),
    text_("plan_digest"),
    Column("state", Word(RunState), nullable=False),
    Column("verdict", Word(Verdict), nullable=True),
    prose_("reason"),
    flag_("record_incomplete"),
    by_("requested_by"),
    text_("override_id", null=True),
    text_("stop_request", null=True),
    by_("stopped_by", null=True),
    Column("late_seconds", Float, nullable=True),
    instant_("created_at"),
    instant_("started_at", null=True),
    instant_("ended_at", null=True),
    json_("versions"),
    flag_("check_mode"),
    text_("approval_id", null=True),
    # A slot becomes one run; only a run that continues it may name it again.
    unique_where("uq_runs_slot_id", "trigger <> 'continued'", "slot_id"),
    Index(None, "state"),
    Index(None, "schedule", "created_at"),
    Index(None, "created_at"),
)

pieces = Table(
    "pieces",
    metadata,
    id_(),
    Column("run_id", ForeignKey("runs.id"), nullable=False),
    integer_("wave"),
    integer_("batch"),
    Column("stage", Word(Stage), nullable=False),
    integer_("step"),
    text_("zone"),
    integer_("attempt"),
    names_("hosts"),
    Column("state", Word(PieceState), nullable=False),
    Column("owner", OwnedBy, nullable=True),
    integer_("fence"),
    instant_("lease_until", null=True),
    instant_("started_at", null=True),
    instant_("ended_at", null=True),
    prose_("problem", null=True),
    names_("unmatched"),
    flag_("complete"),
    big_("spool_offset"),
    text_("closing_hash", null=True),
    UniqueConstraint("run_id", "wave", "batch", "stage", "step", "zone", "attempt"),
    Index(None, "state"),
)


piece_results = Table(
    "piece_results",
    metadata,
    Column("piece_id", ForeignKey("pieces.id"), primary_key=True),
    text_("host", key=True),
    *host_result_(),
    *cause_told_(),
)

host_locks = Table(
    "host_locks",
    metadata,
    text_("inventory", key=True),
    text_("host", key=True),
    Column("run_id", ForeignKey("runs.id"), nullable=False),
    text_("piece_id"),
    instant_("since"),
    Index(None, "run_id"),
)

host_outcomes = Table(
    "host_outcomes",
    metadata,
    Column("run_id", ForeignKey("runs.id"), primary_key=True),
    text_("inventory", key=True),
    text_("host", key=True),
    text_("schedule"),
    *host_result_(),
    text_("piece_id", null=True),
    json_("packages"),
    json_("reboot", null=True),
    text_("machine_id", null=True),
    integer_("attempts", null=True),
    json_("rollback", null=True),
    *cause_told_(),
    Index(None, "inventory", "host"),
    Index(None, "schedule"),
)
