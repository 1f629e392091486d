"""How often the playbook was started on a host, and how its rollback ended."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from runner.store.columns import Json

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add the columns; the outcomes that are there have neither: nobody counted, and nothing was rolled back."""
    op.add_column("host_outcomes", sa.Column("attempts", sa.Integer, nullable=True))
    op.add_column("host_outcomes", sa.Column("rollback", Json, nullable=True))
