"""Schedules on a cadence: `every` stands instead of a window, and only where nothing is changed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from runner.config.declared import Declared
from runner.config.models.schedule import OF_A_SLOT, ScheduleFile
from runner.errors import Problem

_SHORTEST = timedelta(minutes=1)


def problems(schedule: Declared[ScheduleFile]) -> Iterator[Problem]:
    """Everything that is wrong with the cadence of a schedule that has one; a duty is told elsewhere that it can have none."""
    if "every" not in schedule.raw or schedule.raw.get("kind") == "manual":
        return
    if "window" in schedule.raw:
        says = "every: a schedule has either window or every. Remove one"
        yield schedule.problem("every", says=says, at_key=True)
    elif schedule.raw.get("effect") != "read_only":
        says = (
            "every: only work that changes nothing may run without a window. Write window: NAME instead, "
            "or add effect: read_only if the playbook changes nothing"
        )
        yield schedule.problem("every", says=says, at_key=True)
    every = schedule.value("every")
    if isinstance(every, timedelta) and every < _SHORTEST:
        says = f"every: {schedule.raw['every']} is too short. Write at least 1m"
        yield schedule.problem("every", says=says)
    yield from _of_slots(schedule)


def _of_slots(schedule: Declared[ScheduleFile]) -> Iterator[Problem]:
    """What is missed on a cadence is never caught up, and nothing of it waits in a line."""
    for key in OF_A_SLOT:
        if key in schedule.raw:
            says = f"{key}: has no effect with every, as work on a cadence has no slots, and what it misses is not caught up. Remove it"
            yield schedule.problem(key, says=says, at_key=True)
