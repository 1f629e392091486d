"""Readiness: a look ahead needs slots to look ahead of, checks that there are, and time enough between."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from runner.config.declared import Declared
from runner.config.ground import Ground
from runner.config.models.schedule import Readiness, ScheduleFile
from runner.config.names import CHECK
from runner.domain.execution.plan import HEALTH_PREFIX
from runner.domain.time.duration import describe
from runner.domain.time.window import ALWAYS
from runner.errors import Problem

LONGEST = timedelta(days=30)  # what was seen so long ago says nothing about the slot


def problems(ground: Ground) -> Iterator[Problem]:
    """Everything that is wrong with the readiness of schedules that have one; a duty is told elsewhere that it can have none."""
    for schedule in ground.declared.schedules.values():
        if "readiness" not in schedule.raw or schedule.raw.get("kind") == "manual":
            continue
        if "every" in schedule.raw or schedule.raw.get("window") == ALWAYS:
            says = "readiness: it looks ahead of a slot, and without a window that opens there is none. Remove it"
            yield schedule.problem("readiness", says=says, at_key=True)
        yield from _before(schedule)
        for path, text in schedule.texts("readiness", "checks"):
            if text.startswith(HEALTH_PREFIX):
                yield from ground.names.check_one(schedule, CHECK, path, text.removeprefix(HEALTH_PREFIX))


def _before(schedule: Declared[ScheduleFile]) -> Iterator[Problem]:
    """Early enough that somebody can mend something, and not so early that it says nothing."""
    found = schedule.value("readiness")
    if isinstance(found, Readiness) and found.before > LONGEST:
        says = f"before: {describe(found.before)} ahead says nothing about the slot. Write at most {describe(LONGEST)}, such as before: 1d"
        yield schedule.problem("readiness", "before", says=says)
