"""Bring a database to the newest revision; the only place that imports Alembic."""

from __future__ import annotations

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection


def settings(connection: Connection | None = None) -> Config:
    """Alembic's settings for the migrations that we ship, on a connection whose transaction the caller ends."""
    config = Config()
    config.set_main_option("script_location", "runner.store:migrations")
    config.attributes["connection"] = connection
    return config


def to_head(connection: Connection) -> None:
    """Run every migration that the database has not had, in the caller's transaction."""
    command.upgrade(settings(connection), "head")
