"""Who we are, and what the files said."""

from __future__ import annotations

from sqlalchemy import (
    CheckConstraint,
    Column,
    Integer,
    Table,
)

from runner.store.columns import OwnedBy
from runner.store.tables.parts import (
    flag_,
    id_,
    instant_,
    integer_,
    json_,
    metadata,
    text_,
)

installation = Table(
    "installation",
    metadata,
    id_(),
    instant_("created_at"),
    integer_("epoch"),
    Column("one", Integer, nullable=False, unique=True),  # always 1: there is one installation in a database
    CheckConstraint("one = 1", name="one"),
)

counters = Table("counters", metadata, text_("name", key=True), integer_("value"))

definitions = Table(
    "definitions",
    metadata,
    text_("digest", key=True),
    text_("kind"),
    text_("name"),
    json_("body"),
    instant_("first_seen"),
)

snapshots = Table(
    "snapshots",
    metadata,
    text_("digest", key=True),
    text_("path"),
    text_("commit", null=True),
    flag_("dirty"),
    instant_("at"),
)

daemons = Table(
    "daemons",
    metadata,
    Column("owner", OwnedBy, primary_key=True),
    integer_("pid"),
    instant_("started_at"),
    instant_("beat_at"),
)
