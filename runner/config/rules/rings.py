"""Rings: schedules that wait for others, each of which is there, can be through in time, and does not wait in turn."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from runner.config.declared import Declared
from runner.config.ground import Ground
from runner.config.models.schedule import Requirement, ScheduleFile
from runner.config.names import SCHEDULE
from runner.domain.time.duration import describe
from runner.errors import Problem

Waits = Mapping[str, list[str]]


def problems(ground: Ground) -> Iterator[Problem]:
    """Everything that is wrong between rings."""
    waits = {name: waits_for(schedule) for name, schedule in ground.declared.schedules.items()}
    for schedule in ground.declared.schedules.values():
        for number, name in enumerate(waits_for(schedule)):
            yield from ground.names.check(schedule, SCHEDULE, "requires", number, "schedule")
            yield from _circle(schedule, number, name, waits)
            yield from _switched_off(schedule, number, ground.declared.schedules.get(name))
        yield from _ages(schedule)


def waits_for(schedule: Declared[ScheduleFile]) -> list[str]:
    """The names below `requires`, in their order; whatever is no name stands there as an empty one."""
    listed = schedule.raw.get("requires")
    items = listed if isinstance(listed, list) else []
    return [str(item.get("schedule", "")) if isinstance(item, dict) else "" for item in items]


def _circle(schedule: Declared[ScheduleFile], number: int, name: str, waits: Waits) -> Iterator[Problem]:
    """None of the schedules in a circle would ever begin."""
    way = way_back(name, schedule.name, waits)
    if not way:
        return
    if name == schedule.name:
        says = f"schedule: {name!r} would wait for itself. Name another schedule, or remove it"
    else:
        round_it = " waits for ".join([schedule.name, *way])
        says = f"schedule: {round_it}, so that none of them would ever begin. Remove one of these requirements"
    yield schedule.problem("requires", number, "schedule", says=says)


def way_back(start: str, end: str, waits: Waits) -> list[str]:
    """The schedules from `start` to `end`, both included, each of which waits for the next; empty when there is no such way."""
    ways, seen = [[start]], {start}
    for way in ways:  # grows while it is walked
        if way[-1] == end:
            return way
        following = [name for name in waits.get(way[-1], ()) if name not in seen]
        seen.update(following)
        ways += [[*way, name] for name in following]
    return []


def _switched_off(
    schedule: Declared[ScheduleFile], number: int, ring: Declared[ScheduleFile] | None
) -> Iterator[Problem]:
    """A ring that is switched off is only ever through by hand."""
    if ring is not None and ring.raw.get("enabled") is False and schedule.raw.get("enabled") is not False:
        says = f"schedule: {ring.name!r} is switched off ({ring.place}), so that this one is held until somebody runs it by hand. Switch it on, or remove this"
        yield schedule.problem("requires", number, "schedule", says=says, severity="warning")


def _ages(schedule: Declared[ScheduleFile]) -> Iterator[Problem]:
    """There is a time at which a run is old enough and not too old."""
    listed = schedule.value("requires")
    for number, each in enumerate(listed if isinstance(listed, list) else []):
        assert isinstance(each, Requirement)  # noqa: S101  tells the type only
        if each.within is not None and each.at_least >= each.within:
            says = (
                f"at_least: a run that has been over for {describe(each.at_least)} is not within {describe(each.within)}, "
                "so that nothing would ever do. Make it shorter, or within longer"
            )
            yield schedule.problem("requires", number, "at_least", says=says)
