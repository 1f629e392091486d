"""Section 2, second part: what is done every so often has no slots; its days are counted."""

from __future__ import annotations

from collections.abc import Sequence

from runner.domain.execution.plan import HEALTH_PREFIX
from runner.reporting.lines import CadenceLine
from runner.reporting.material import Material, grouped
from runner.store.time.cadence import CadenceDay


def cadence_lines(material: Material) -> tuple[CadenceLine, ...]:
    """Schedules on a cadence, then health checks, each over the whole period."""
    days = grouped((day.schedule, day) for day in material.rows.cadence)
    lines = [cadence_line(name, found) for name, found in days.items()]
    return tuple(sorted(lines, key=lambda line: (line.is_check, line.name)))


def cadence_line(name: str, days: Sequence[CadenceDay]) -> CadenceLine:
    """One schedule or check: how often it was expected, and what became of that."""
    return CadenceLine(
        name=name.removeprefix(HEALTH_PREFIX),
        is_check=name.startswith(HEALTH_PREFIX),
        days=len(days),
        first=min(day.day for day in days).isoformat(),
        last=max(day.day for day in days).isoformat(),
        expected=sum(day.expected for day in days),
        done=sum(day.run for day in days),
        late=sum(day.late for day in days),
        missed=sum(day.missed for day in days),
    )
