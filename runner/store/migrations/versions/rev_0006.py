"""Which rules named a cause, and what a rule of the user's own says about it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from runner.store.columns import Told

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add the columns; results from before have neither."""
    for table in ("piece_results", "host_outcomes"):
        op.add_column(table, sa.Column("cause_rules", sa.Text, nullable=True))
        op.add_column(table, sa.Column("own_words", Told, nullable=True))
