"""Calendars: holidays that somebody knows."""

from __future__ import annotations

from collections.abc import Iterator

from runner.config.ground import Ground
from runner.errors import Problem


def problems(ground: Ground) -> Iterator[Problem]:
    """Everything that is wrong with calendars beyond their shape."""
    for name, calendar in ground.declared.calendars.items():
        found = ground.calendars.get(name)
        if isinstance(found, str):
            yield calendar.problem("holidays", says=f"holidays: {found}")
