"""The name by which floors above know an open transaction, so that none of them imports the database library."""

from __future__ import annotations

from sqlalchemy import Connection

Transaction = Connection

__all__ = ["Transaction"]
