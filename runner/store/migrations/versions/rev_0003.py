"""Drains: a person's order to begin nothing more here."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from runner.store.columns import Instant

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the table; it is empty until somebody drains."""
    op.create_table(
        "drains",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("from_at", Instant, nullable=False),
        sa.Column("ended_at", Instant),
        sa.Column("ended_by", sa.Text),
    )
