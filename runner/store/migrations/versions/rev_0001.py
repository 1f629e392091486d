"""Everything, from nothing."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.types import TypeEngine

from runner.store.columns import Instant

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make every table."""
    _what_we_are()
    _when()
    _runs()
    _hosts()
    _guards()
    _record()
    _people()
    _health()


def _kept(kind: type[TypeEngine[Any]], *names: str) -> list[sa.Column[Any]]:
    return [sa.Column(name, kind, nullable=False) for name in names]


def _index(table: str, *columns: str) -> None:
    op.create_index(f"ix_{table}_{'_'.join(columns)}", table, list(columns))


def _unique_where(table: str, name: str, condition: str, *columns: str) -> None:
    where = sa.text(condition)
    op.create_index(name, table, list(columns), unique=True, sqlite_where=where, postgresql_where=where)


def _what_we_are() -> None:
    op.create_table(
        "installation",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("created_at", Instant, nullable=False),
        sa.Column("epoch", sa.Integer, nullable=False),
        sa.Column("one", sa.Integer, nullable=False, unique=True),
        sa.CheckConstraint("one = 1", name="one"),
    )
    op.create_table(
        "counters",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("value", sa.Integer, nullable=False),
    )
    op.create_table(
        "definitions",
        sa.Column("digest", sa.Text, primary_key=True),
        *_kept(sa.Text, "kind", "name", "body"),
        sa.Column("first_seen", Instant, nullable=False),
    )
    op.create_table(
        "snapshots",
        sa.Column("digest", sa.Text, primary_key=True),
        sa.Column("path", sa.Text, nullable=False),
        sa.Column("commit", sa.Text),
        sa.Column("dirty", sa.Boolean, nullable=False),
        sa.Column("at", Instant, nullable=False),
    )
    op.create_table(
        "daemons",
        sa.Column("owner", sa.Text, primary_key=True),
        sa.Column("pid", sa.Integer, nullable=False),
        *_kept(Instant, "started_at", "beat_at"),
    )


def _when() -> None:
    op.create_table(
        "slots",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("schedule", sa.Text, nullable=False),
        sa.Column("rule_date", sa.Date, nullable=False),
        sa.Column("ordinal", sa.Integer, nullable=False),
        *_kept(Instant, "opens_at", "closes_at", "usable_from", "usable_until", "last_start_at"),
        *_kept(sa.Text, "window", "definition", "state"),
        sa.Column("outcome", sa.Text),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("hosts", sa.Text),
        sa.Column("run_id", sa.Text),
        *_kept(sa.Text, "frozen_by", "notes"),
        sa.Column("settled_at", Instant),
        sa.UniqueConstraint("schedule", "rule_date", "ordinal"),
    )
    _index("slots", "opens_at")
    _index("slots", "state", "opens_at")
    _unique_where("slots", "uq_slots_schedule_opens_at", "state <> 'withdrawn'", "schedule", "opens_at")
    op.create_table(
        "cadence",
        sa.Column("schedule", sa.Text, primary_key=True),
        sa.Column("day", sa.Date, primary_key=True),
        *_kept(sa.Integer, "expected", "run", "late", "missed"),
    )


def _runs() -> None:
    op.create_table(
        "runs",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("number", sa.Integer, nullable=False, unique=True),
        sa.Column("slot_id", sa.Text, sa.ForeignKey("slots.id")),
        *_kept(
            sa.Text,
            "trigger",
            "schedule",
            "title",
            "definition",
            "snapshot",
            "inventory",
            "plan",
            "plan_digest",
            "state",
        ),
        sa.Column("verdict", sa.Text),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("record_incomplete", sa.Boolean, nullable=False),
        sa.Column("requested_by", sa.Text, nullable=False),
        sa.Column("override_id", sa.Text),
        sa.Column("stop_request", sa.Text),
        sa.Column("stopped_by", sa.Text),
        sa.Column("late_seconds", sa.Float),
        sa.Column("created_at", Instant, nullable=False),
        sa.Column("started_at", Instant),
        sa.Column("ended_at", Instant),
        sa.Column("versions", sa.Text, nullable=False),
        sa.Column("check_mode", sa.Boolean, nullable=False),
    )
    _index("runs", "created_at")
    _index("runs", "schedule", "created_at")
    _index("runs", "state")
    _unique_where("runs", "uq_runs_slot_id", "trigger <> 'continued'", "slot_id")
    op.create_table(
        "pieces",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("run_id", sa.Text, sa.ForeignKey("runs.id"), nullable=False),
        *_kept(sa.Integer, "wave", "batch"),
        sa.Column("stage", sa.Text, nullable=False),
        sa.Column("step", sa.Integer, nullable=False),
        sa.Column("zone", sa.Text, nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        *_kept(sa.Text, "hosts", "state"),
        sa.Column("owner", sa.Text),
        sa.Column("fence", sa.Integer, nullable=False),
        sa.Column("lease_until", Instant),
        sa.Column("started_at", Instant),
        sa.Column("ended_at", Instant),
        sa.Column("problem", sa.Text),
        sa.Column("unmatched", sa.Text, nullable=False),
        sa.Column("complete", sa.Boolean, nullable=False),
        sa.Column("spool_offset", sa.BigInteger, nullable=False),
        sa.Column("closing_hash", sa.Text),
        sa.UniqueConstraint("run_id", "wave", "batch", "stage", "step", "zone", "attempt"),
    )
    _index("pieces", "state")
    op.create_table(
        "piece_results",
        sa.Column("piece_id", sa.Text, sa.ForeignKey("pieces.id"), primary_key=True),
        sa.Column("host", sa.Text, primary_key=True),
        sa.Column("result", sa.Text, nullable=False),
        sa.Column("touched", sa.Boolean, nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("cause", sa.Text),
        *_kept(sa.Text, "text", "signature", "task", "module", "role"),
        sa.Column("started_at", Instant),
        sa.Column("ended_at", Instant),
    )
    op.create_table(
        "host_locks",
        sa.Column("inventory", sa.Text, primary_key=True),
        sa.Column("host", sa.Text, primary_key=True),
        sa.Column("run_id", sa.Text, sa.ForeignKey("runs.id"), nullable=False),
        sa.Column("piece_id", sa.Text, nullable=False),
        sa.Column("since", Instant, nullable=False),
    )
    _index("host_locks", "run_id")


def _hosts() -> None:
    op.create_table(
        "host_outcomes",
        sa.Column("run_id", sa.Text, sa.ForeignKey("runs.id"), primary_key=True),
        sa.Column("inventory", sa.Text, primary_key=True),
        sa.Column("host", sa.Text, primary_key=True),
        *_kept(sa.Text, "schedule", "result"),
        sa.Column("touched", sa.Boolean, nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("cause", sa.Text),
        *_kept(sa.Text, "text", "signature", "task", "module", "role"),
        sa.Column("started_at", Instant),
        sa.Column("ended_at", Instant),
        sa.Column("piece_id", sa.Text),
        sa.Column("packages", sa.Text, nullable=False),
        sa.Column("reboot", sa.Text),
        sa.Column("machine_id", sa.Text),
    )
    _index("host_outcomes", "inventory", "host")
    _index("host_outcomes", "schedule")
    op.create_table(
        "debts",
        sa.Column("inventory", sa.Text, primary_key=True),
        sa.Column("host", sa.Text, primary_key=True),
        sa.Column("schedule", sa.Text, primary_key=True),
        sa.Column("since_run", sa.Text, nullable=False),
        sa.Column("since", Instant, nullable=False),
        sa.Column("windows", sa.Integer, nullable=False),
        sa.Column("last_run", sa.Text, nullable=False),
    )
    op.create_table(
        "observations",
        sa.Column("id", sa.Text, primary_key=True),
        *_kept(sa.Text, "inventory", "host"),
        sa.Column("machine_id", sa.Text),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("at", Instant, nullable=False),
        sa.Column("value", sa.Text, nullable=False),
    )
    _index("observations", "inventory", "kind", "host", "at")
    op.create_table(
        "inventories_seen",
        sa.Column("inventory", sa.Text, primary_key=True),
        sa.Column("at", Instant, nullable=False),
        sa.Column("hosts", sa.Text, nullable=False),
    )
    op.create_table(
        "retired_hosts",
        sa.Column("inventory", sa.Text, primary_key=True),
        sa.Column("host", sa.Text, primary_key=True),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("at", Instant, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
    )


def _guards() -> None:
    op.create_table(
        "holds",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("slot_id", sa.Text),
        sa.Column("run_id", sa.Text),
        *_kept(sa.Text, "schedule", "guard", "reason"),
        sa.Column("until", Instant),
        *_kept(Instant, "first_seen", "last_seen"),
    )
    _index("holds", "schedule", "last_seen")
    _index("holds", "slot_id")
    op.create_table(
        "pauses",
        sa.Column("id", sa.Text, primary_key=True),
        *_kept(sa.Text, "hosts", "reason", "by"),
        sa.Column("from_at", Instant, nullable=False),
        sa.Column("until_at", Instant),
        sa.Column("ended_at", Instant),
        sa.Column("ended_by", sa.Text),
        sa.Column("in_flight", sa.Text, nullable=False),
    )
    op.create_table(
        "approvals",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("slot_id", sa.Text),
        sa.Column("run_id", sa.Text),
        *_kept(sa.Text, "digest", "hosts", "by"),
        sa.Column("at", Instant, nullable=False),
        sa.Column("signature", sa.Text),
    )
    _index("approvals", "digest")
    _index("approvals", "slot_id")
    op.create_table(
        "overrides",
        sa.Column("id", sa.Text, primary_key=True),
        *_kept(sa.Text, "schedule", "reason", "by", "guards"),
        *_kept(Instant, "at", "expires_at"),
        sa.Column("run_id", sa.Text),
    )
    _index("overrides", "schedule")


def _record() -> None:
    op.create_table(
        "log_entries",
        sa.Column("stream", sa.Text, primary_key=True),
        sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("at", Instant, nullable=False),
        *_kept(sa.Text, "hash", "prev", "body"),
    )
    _index("log_entries", "at")
    op.create_table(
        "checkpoints",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("stream", sa.Text, nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("hash", sa.Text, nullable=False),
        sa.Column("count", sa.BigInteger, nullable=False),
        sa.Column("at", Instant, nullable=False),
        *_kept(sa.Text, "key_id", "public_key", "signature", "message"),
        sa.UniqueConstraint("stream", "seq", "key_id"),
    )
    op.create_table(
        "evidence",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("run_id", sa.Text),
        sa.Column("piece_id", sa.Text),
        sa.Column("host", sa.Text),
        *_kept(sa.Text, "kind", "media_type", "digest"),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("at", Instant, nullable=False),
    )
    _index("evidence", "digest")
    _index("evidence", "run_id")


def _people() -> None:
    op.create_table(
        "tickets",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("number", sa.Integer, nullable=False, unique=True),
        sa.Column("fingerprint", sa.Text, nullable=False),
        sa.Column("fingerprint_version", sa.Integer, nullable=False),
        *_kept(sa.Text, "state", "title", "kind"),
        sa.Column("cause", sa.Text),
        sa.Column("priority", sa.Text, nullable=False),
        sa.Column("inventory", sa.Text),
        sa.Column("hosts", sa.Text, nullable=False),
        sa.Column("schedule", sa.Text),
        sa.Column("owner", sa.Text),
        sa.Column("assigned_to", sa.Text),
        *_kept(Instant, "opened_at", "updated_at"),
        sa.Column("resolved_at", Instant),
        sa.Column("touched_by_person", sa.Boolean, nullable=False),
        *_kept(sa.Text, "words", "playbook", "role", "task", "module", "detail", "grouped_under"),
        *_kept(sa.Integer, "count", "reopened"),
    )
    _index("tickets", "fingerprint")
    _index("tickets", "state")
    _unique_where("tickets", "uq_tickets_live_fingerprint", "state in ('open', 'acknowledged')", "fingerprint")
    op.create_table(
        "ticket_events",
        sa.Column("ticket_id", sa.Text, sa.ForeignKey("tickets.id"), primary_key=True),
        sa.Column("seq", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("at", Instant, nullable=False),
        *_kept(sa.Text, "actor", "action", "text"),
        sa.Column("run_id", sa.Text),
    )
    op.create_table(
        "outbox",
        sa.Column("id", sa.Text, primary_key=True),
        *_kept(sa.Text, "kind", "target", "body"),
        *_kept(Instant, "created_at", "next_try_at"),
        sa.Column("attempts", sa.Integer, nullable=False),
        *_kept(sa.Text, "state", "error"),
    )
    _index("outbox", "state", "next_try_at")


def _health() -> None:
    op.create_table(
        "health_states",
        sa.Column("check", sa.Text, primary_key=True),
        sa.Column("inventory", sa.Text, primary_key=True),
        sa.Column("host", sa.Text, primary_key=True),
        sa.Column("condition", sa.Text, nullable=False),
        *_kept(Instant, "since", "last_at"),
        sa.Column("summary", sa.Text, nullable=False),
        sa.Column("number", sa.Float),
        sa.Column("failures", sa.Integer, nullable=False),
    )
