"""Approvals with everything that was approved, and the run that each let begin."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from runner.store.columns import Instant

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Make the table anew: no version before this one could write a row into it."""
    op.drop_table("approvals")
    op.create_table(
        "approvals",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("schedule", sa.Text, nullable=False),
        sa.Column("slot_id", sa.Text),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("digest", "content", "hosts", "requester", "by")),
        sa.Column("at", Instant, nullable=False),
        sa.Column("expires_at", Instant),
        sa.Column("message", sa.Text, nullable=False),
        *(sa.Column(name, sa.Text) for name in ("signature", "public_key")),
        sa.Column("revoked_at", Instant),
        sa.Column("revoked_by", sa.Text),
    )
    for column in ("slot_id", "schedule"):
        op.create_index(f"ix_approvals_{column}", "approvals", [column])
    op.add_column("runs", sa.Column("approval_id", sa.Text))
