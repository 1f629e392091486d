"""Calendars: holidays that somebody knows, and a file that is there."""

from __future__ import annotations

from collections.abc import Iterator

from runner.config.ground import Ground
from runner.config.timing import Trouble
from runner.errors import Problem


def problems(ground: Ground) -> Iterator[Problem]:
    """Everything that is wrong with calendars beyond their shape."""
    for name, calendar in ground.declared.calendars.items():
        missing = [ground.path_problem(text, what="calendar file") for _, text in calendar.texts("file")]
        if any(missing):
            yield calendar.problem("file", says=f"file: {missing[0]}")
            continue
        found = ground.calendars.get(name)
        if isinstance(found, Trouble):
            yield calendar.problem(found.key, says=f"{found.key}: {found.says}")
