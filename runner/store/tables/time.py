"""When work is due: the slot ledger, and work on a cadence."""

from __future__ import annotations

from sqlalchemy import (
    Column,
    Date,
    Index,
    Table,
    UniqueConstraint,
)

from runner.domain.execution.run import SlotState
from runner.store.columns import Word
from runner.store.tables.parts import (
    id_,
    instant_,
    integer_,
    metadata,
    names_,
    prose_,
    text_,
    unique_where,
)

slots = Table(
    "slots",
    metadata,
    id_(),
    text_("schedule"),
    Column("rule_date", Date, nullable=False),
    integer_("ordinal"),
    instant_("opens_at"),
    instant_("closes_at"),
    instant_("usable_from"),
    instant_("usable_until"),
    instant_("last_start_at"),
    text_("window"),
    text_("definition"),
    Column("state", Word(SlotState), nullable=False),
    text_("outcome", null=True),
    prose_("reason"),
    names_("hosts", null=True),
    text_("run_id", null=True),
    names_("frozen_by"),
    names_("notes"),
    instant_("settled_at", null=True),
    UniqueConstraint("schedule", "rule_date", "ordinal"),
    # A withdrawn slot no longer stands for its instant: another rule date may take it.
    unique_where("uq_slots_schedule_opens_at", "state <> 'withdrawn'", "schedule", "opens_at"),
    Index(None, "state", "opens_at"),
    Index(None, "opens_at"),
)

cadence = Table(
    "cadence",
    metadata,
    text_("schedule", key=True),
    Column("day", Date, primary_key=True),
    integer_("expected"),
    integer_("run"),
    integer_("late"),
    integer_("missed"),
)

last_intervals = Table(
    "last_intervals",
    metadata,
    text_("schedule", key=True),
    instant_("begins"),
    instant_("ends"),
)
