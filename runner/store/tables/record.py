"""The record that can be proved."""

from __future__ import annotations

from sqlalchemy import (
    Column,
    Index,
    Table,
    UniqueConstraint,
)

from runner.store.columns import Compressed
from runner.store.tables.parts import (
    big_,
    id_,
    instant_,
    metadata,
    text_,
)

log_entries = Table(
    "log_entries",
    metadata,
    text_("stream", key=True),
    big_("seq", key=True),
    instant_("at"),
    text_("hash"),
    text_("prev"),
    text_("body"),
    Index(None, "at"),
)

checkpoints = Table(
    "checkpoints",
    metadata,
    id_(),
    text_("stream"),
    big_("seq"),
    text_("hash"),
    big_("count"),
    instant_("at"),
    text_("key_id"),
    text_("public_key"),
    text_("signature"),
    text_("message"),
    UniqueConstraint("stream", "seq", "key_id"),
)

evidence = Table(
    "evidence",
    metadata,
    id_(),
    text_("run_id", null=True),
    text_("piece_id", null=True),
    text_("host", null=True),
    text_("kind"),
    text_("media_type"),
    text_("digest"),
    big_("size"),
    Column("body", Compressed, nullable=False),
    instant_("at"),
    Index(None, "run_id"),
    Index(None, "digest"),
)
