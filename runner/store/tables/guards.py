"""What can say no, and who overruled it."""

from __future__ import annotations

from sqlalchemy import (
    Index,
    Table,
)

from runner.store.tables.parts import (
    by_,
    id_,
    instant_,
    json_,
    metadata,
    names_,
    prose_,
    text_,
)

holds = Table(
    "holds",
    metadata,
    id_(),
    text_("slot_id", null=True),
    text_("run_id", null=True),
    text_("schedule"),
    text_("guard"),
    prose_("reason"),
    instant_("until", null=True),
    instant_("first_seen"),
    instant_("last_seen"),
    Index(None, "slot_id"),
    Index(None, "schedule", "last_seen"),
)

pauses = Table(
    "pauses",
    metadata,
    id_(),
    text_("hosts"),
    prose_("reason"),
    by_("by"),
    instant_("from_at"),
    instant_("until_at", null=True),
    instant_("ended_at", null=True),
    by_("ended_by", null=True),
    text_("in_flight"),
)

drains = Table(
    "drains",
    metadata,
    id_(),
    prose_("reason"),
    by_("by"),
    instant_("from_at"),
    instant_("ended_at", null=True),
    by_("ended_by", null=True),
)

approvals = Table(
    "approvals",
    metadata,
    id_(),
    text_("schedule"),
    text_("slot_id", null=True),
    text_("digest"),
    json_("content"),
    names_("hosts"),
    text_("requester"),
    by_("by"),
    instant_("at"),
    instant_("expires_at", null=True),
    text_("message"),
    text_("signature", null=True),
    text_("public_key", null=True),
    instant_("revoked_at", null=True),
    by_("revoked_by", null=True),
    Index(None, "slot_id"),
    Index(None, "schedule"),
)

overrides = Table(
    "overrides",
    metadata,
    id_(),
    text_("schedule"),
    prose_("reason"),
    by_("by"),
    names_("guards"),
    instant_("at"),
    instant_("expires_at"),
    text_("run_id", null=True),
    Index(None, "schedule"),
)
