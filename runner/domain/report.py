"""Which report is written, for whom, and about which period."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Edition(StrEnum):
    """The reader that a report is written for."""

    EXECUTIVE = "executive"
    MANAGER = "manager"
    TECHNICIAN = "technician"
    AUDITOR = "auditor"


@dataclass(frozen=True, slots=True)
class ReportDefinition:
    """A report by name: edition, period (words such as `last_month` or `2026-Q3`), scope and formats."""

    name: str
    edition: Edition
    period: str
    title: str = ""
    services: tuple[str, ...] = ()
    formats: tuple[str, ...] = ("html", "json")
    source: str = ""


@dataclass(frozen=True, slots=True)
class Period:
    """The span that a report covers, [starts, ends), and how people call it."""

    starts: datetime
    ends: datetime
    label: str
