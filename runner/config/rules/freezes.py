"""Freezes: an end after the beginning, calendar files that can be read, and names that exist."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from runner.config.declared import Declared
from runner.config.ground import Ground
from runner.config.models.windows import FreezeBetween
from runner.config.names import CALENDAR, OWNER, SCHEDULE, SERVICE, WINDOW
from runner.domain.time.workdays import Calendar
from runner.errors import Problem

_NAMED = {"services": SERVICE, "schedules": SCHEDULE, "windows": WINDOW}


def problems(ground: Ground) -> Iterator[Problem]:
    """Everything that is wrong with freezes beyond their shape."""
    for freeze in ground.declared.freezes.values():
        if freeze.shape is FreezeBetween:
            from_, to = freeze.value("from"), freeze.value("to")
            if isinstance(from_, datetime) and isinstance(to, datetime) and to <= from_:
                says = "to: the freeze ends before it begins. Write the later instant here"
                yield freeze.problem("to", says=says)
        if "ics" in freeze.raw and freeze.model:
            yield from _events(freeze, ground)
        yield from ground.names.check(freeze, CALENDAR, "holidays")
        yield from _holidays(freeze, ground)
        for key, kind in _NAMED.items():
            yield from ground.names.check(freeze, kind, "applies_to", key)
        yield from ground.names.check(freeze, OWNER, "owner")


def _holidays(freeze: Declared[Any], ground: Ground) -> Iterator[Problem]:
    """A calendar that knows holidays; one with weekdays only would never freeze anything."""
    name = freeze.raw.get("holidays")
    calendar = ground.calendars.get(name) if isinstance(name, str) else None
    if isinstance(calendar, Calendar) and not (calendar.dates or calendar.holidays):
        says = f"holidays: calendar {name!r} has none. Add holidays:, dates: or file: to it"
        yield freeze.problem("holidays", says=says)


def _events(freeze: Declared[Any], ground: Ground) -> Iterator[Problem]:
    """Calendar files that are there and can be read."""
    missing = list(missing_files(freeze, ground))
    yield from missing
    if not missing:
        try:
            ground.freeze(freeze)
        except ValueError as error:
            yield freeze.problem("ics", says=f"ics: {error}")


def missing_files(definition: Declared[Any], ground: Ground) -> Iterator[Problem]:
    """Calendar files that a definition names and that are not there."""
    for path, text in definition.texts("ics"):
        if says := ground.path_problem(text, what="calendar file"):
            yield definition.source.problem(path, f"ics: {says}")
