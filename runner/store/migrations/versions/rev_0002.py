"""The last interval of each cadence that was counted."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from runner.store.columns import Instant

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the table; the first round of each cadence writes its row."""
    op.create_table(
        "last_intervals",
        sa.Column("schedule", sa.Text, primary_key=True),
        sa.Column("begins", Instant, nullable=False),
        sa.Column("ends", Instant, nullable=False),
    )
