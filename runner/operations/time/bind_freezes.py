"""Which change freezes a schedule has to keep."""

from __future__ import annotations

from collections.abc import Sequence

from runner.domain.execution.schedule import Schedule
from runner.domain.settings import Definitions, Service
from runner.domain.time import freeze


def binding_freezes(
    schedule: Schedule, definitions: Definitions, services: Sequence[Service], *, check_mode: bool = False
) -> tuple[freeze.Freeze, ...]:
    """The freezes that mean this schedule and do not let it pass; none for a person's duty, which changes nothing of ours."""
    if schedule.is_manual:
        return ()
    return freeze.binding(
        definitions.freezes,
        schedule=schedule.name,
        window=schedule.window.name,
        services=[service.name for service in services],
        effect=freeze.READ_ONLY if check_mode else str(schedule.effect),
        change=str(schedule.change.type),
    )
