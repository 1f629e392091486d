"""Rules between keys and between files: pure functions over whatever could be read."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from runner.config.ground import Ground
from runner.config.rules import (
    boundaries,
    calendars,
    causes,
    freezes,
    health,
    own_ansible,
    playbooks,
    readiness,
    reports,
    requirements,
    reserves,
    rings,
    schedules,
    settings,
    windows,
)
from runner.errors import Problem

RULES: tuple[Callable[[Ground], Iterator[Problem]], ...] = (
    settings.problems,
    own_ansible.problems,
    requirements.problems,
    boundaries.problems,
    calendars.problems,
    windows.problems,
    freezes.problems,
    schedules.problems,
    rings.problems,
    reserves.problems,
    readiness.problems,
    playbooks.problems,
    health.problems,
    reports.problems,
    causes.problems,
)


def broken_rules(ground: Ground) -> list[Problem]:
    """Every problem that shows only between keys or between files."""
    return [problem for rule in RULES for problem in rule(ground)]
