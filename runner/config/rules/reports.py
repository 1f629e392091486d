"""Reports: names that exist."""

from __future__ import annotations

from collections.abc import Iterator

from runner.config.ground import Ground
from runner.config.names import SERVICE
from runner.errors import Problem


def problems(ground: Ground) -> Iterator[Problem]:
    """Everything that is wrong with reports beyond their shape."""
    for report in ground.declared.reports.values():
        yield from ground.names.check(report, SERVICE, "scope", "services")
