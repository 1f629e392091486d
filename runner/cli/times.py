"""Instants and ages as people read them, in the zone of the maintenance repository."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

UNITS = (
    ("day", timedelta(days=1)),
    ("h", timedelta(hours=1)),
    ("min", timedelta(minutes=1)),
    ("s", timedelta(seconds=1)),
)
NOTHING = "-"


@dataclass(frozen=True, slots=True)
class Clock:
    """Shows instants in one zone, and how far they are from `now`."""

    now: datetime
    zone: str

    def heading(self, words: str) -> str:
        """A column's heading that says which zone its times are in."""
        return f"{words} ({self.zone})"

    def time(self, instant: datetime | None) -> str:
        """The local date and time, such as `2026-11-22 21:05`."""
        return f"{instant.astimezone(ZoneInfo(self.zone)):%Y-%m-%d %H:%M}" if instant else NOTHING

    def age(self, instant: datetime | None) -> str:
        """How long ago, or how far ahead: `3 min ago`, `in 5 h`."""
        if instant is None:
            return NOTHING
        ahead = instant > self.now
        span = spoken(abs(instant - self.now))
        if span.startswith("0"):
            return "now"
        return f"in {span}" if ahead else f"{span} ago"

    def both(self, instant: datetime | None) -> str:
        """The local time and its age: `2026-11-22 21:05 (3 min ago)`."""
        return f"{self.time(instant)} ({self.age(instant)})" if instant else NOTHING


def spoken(span: timedelta) -> str:
    """A span in its largest unit only, rounded down: `12 s`, `3 min`, `5 h`, `1 day`, `40 days`."""
    for unit, size in UNITS:
        if number := span // size:
            return f"{number} {unit}s" if unit == "day" and number > 1 else f"{number} {unit}"
    return "0 s"
