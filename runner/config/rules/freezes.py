"""Freezes: an end after the beginning, and names that exist."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from runner.config.ground import Ground
from runner.config.names import OWNER, SCHEDULE, SERVICE, WINDOW
from runner.errors import Problem

_NAMED = {"services": SERVICE, "schedules": SCHEDULE, "windows": WINDOW}


def problems(ground: Ground) -> Iterator[Problem]:
    """Everything that is wrong with freezes beyond their shape."""
    for freeze in ground.declared.freezes.values():
        if "from" in freeze.raw and "every_year" not in freeze.raw:
            from_, to = freeze.value("from"), freeze.value("to")
            if isinstance(from_, datetime) and isinstance(to, datetime) and to <= from_:
                says = "to: the freeze ends before it begins. Write the later instant here"
                yield freeze.problem("to", says=says)
        for key, kind in _NAMED.items():
            yield from ground.names.check(freeze, kind, "applies_to", key)
        yield from ground.names.check(freeze, OWNER, "owner")
