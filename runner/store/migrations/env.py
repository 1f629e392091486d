"""Run by Alembic: migrates the connection that it was given, within the transaction that is open there."""

from __future__ import annotations

from alembic import context

from runner.store.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
