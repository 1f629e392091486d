"""Host results as rows and back; pieces and runs keep them in the same columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from runner.domain.execution.outcome import HostResult

COLUMN_OF = {
    field.name: {"started": "started_at", "ended": "ended_at"}.get(field.name, field.name)
    for field in fields(HostResult)
}


def to_row(result: HostResult) -> dict[str, object]:
    """The columns of a result, its host included."""
    return {column: getattr(result, name) for name, column in COLUMN_OF.items()}


def from_row(row: Mapping[Any, Any]) -> HostResult:
    """The result that a row keeps; other columns are left alone."""
    return HostResult(**{name: row[column] for name, column in COLUMN_OF.items()})
