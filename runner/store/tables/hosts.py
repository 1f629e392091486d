"""What is known of each host."""

from __future__ import annotations

from sqlalchemy import (
    Column,
    Float,
    Index,
    Table,
)

from runner.domain.health import Condition
from runner.store.columns import Word
from runner.store.tables.parts import (
    by_,
    id_,
    instant_,
    integer_,
    json_,
    metadata,
    names_,
    prose_,
    text_,
)

debts = Table(
    "debts",
    metadata,
    text_("inventory", key=True),
    text_("host", key=True),
    text_("schedule", key=True),
    text_("since_run"),
    instant_("since"),
    integer_("windows"),
    text_("last_run"),
)

observations = Table(
    "observations",
    metadata,
    id_(),
    text_("inventory"),
    text_("host"),
    text_("machine_id", null=True),
    text_("kind"),
    instant_("at"),
    json_("value"),
    Index(None, "inventory", "kind", "host", "at"),
)

inventories_seen = Table("inventories_seen", metadata, text_("inventory", key=True), instant_("at"), names_("hosts"))

retired_hosts = Table(
    "retired_hosts",
    metadata,
    text_("inventory", key=True),
    text_("host", key=True),
    by_("by"),
    instant_("at"),
    prose_("reason"),
)

health_states = Table(
    "health_states",
    metadata,
    text_("check", key=True),
    text_("inventory", key=True),
    text_("host", key=True),
    Column("condition", Word(Condition), nullable=False),
    instant_("since"),
    instant_("last_at"),
    prose_("summary"),
    Column("number", Float, nullable=True),
    integer_("failures"),
)
