"""When change may not happen: freezes by instants and by yearly spans."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

READ_ONLY = "read_only"
EMERGENCY = "emergency"


@dataclass(frozen=True, slots=True)
class YearlySpan:
    """Whole local days from (month, day) to (month, day), both included, possibly over new year."""

    first: tuple[int, int]
    last: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Freeze:
    """A span in which changes are held; [starts, ends) as instants, or a span of every year in `timezone`.

    `allow` holds what passes all the same: `read_only`, `emergency`, or a change type. `services`, `schedules` and `windows` narrow it; all empty means everything.
    """

    name: str
    starts: datetime | None = None
    ends: datetime | None = None
    every_year: YearlySpan | None = None
    timezone: str = "UTC"
    services: tuple[str, ...] = ()
    schedules: tuple[str, ...] = ()
    windows: tuple[str, ...] = ()
    allow: tuple[str, ...] = (READ_ONLY,)
    reason: str = ""
    owner: str | None = None
    source: str = ""
