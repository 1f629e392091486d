"""The reserve: what a host is expected to take must leave room for it in the window."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from runner.config.declared import Declared
from runner.config.ground import Ground
from runner.config.models.schedule import ScheduleFile
from runner.config.models.windows import Window
from runner.config.rules.windows import length_of
from runner.domain.time.duration import describe, parse_timedelta
from runner.domain.time.window import ALWAYS
from runner.errors import Problem


def problems(ground: Ground) -> Iterator[Problem]:
    """Everything that is wrong with the reserves of schedules, their own or the default one."""
    for schedule in ground.declared.schedules.values():
        if schedule.raw.get("kind") == "manual":
            continue
        if "reserve" in schedule.raw and (endless := _without_end(schedule)):
            says = f"reserve: has no effect, as {endless}. Remove it"
            yield schedule.problem("reserve", says=says, at_key=True)
        elif not _without_end(schedule):
            yield from _room(schedule, ground)


def _without_end(schedule: Declared[ScheduleFile]) -> str:
    """Why nothing of this schedule has to be through by an end; nothing when it has to."""
    if "every" in schedule.raw or schedule.raw.get("effect") == "read_only":
        return "read-only work is not bound by the end of a window"
    return "the window that is always open has no end" if schedule.raw.get("window") == ALWAYS else ""


def _room(schedule: Declared[ScheduleFile], ground: Ground) -> Iterator[Problem]:
    """A host without a past can be begun at all, and not only in the first moments."""
    window, reserve = _window_of(schedule, ground), _reserve_of(schedule, ground)
    length = length_of(window) if window else None
    if window is None or length is None or reserve is None:
        return
    cutoff = window.value("cutoff")
    own = "reserve" in schedule.raw
    place = "reserve" if own else "window"
    told = f"reserve: {describe(reserve)}" + ("" if own else f", {ground.reserve.origin},")
    if reserve > length:
        way_out = "Make it shorter" if own else "Add a shorter reserve"
        says = f"{told} is longer than the window, which has {describe(length)}: no host without a past could ever begin. {way_out}"
        yield schedule.problem(place, says=says, severity="error" if own else "warning")
    elif isinstance(cutoff, timedelta) and reserve > length - cutoff:
        says = (
            f"{told} is longer than the window without its cutoff, which has {describe(length - cutoff)}: "
            f"hosts without a past begin only in the first {describe(length - reserve)}. Make it shorter, or the window longer"
        )
        yield schedule.problem(place, says=says, severity="warning")


def _window_of(schedule: Declared[ScheduleFile], ground: Ground) -> Declared[Window] | None:
    """The window of a schedule, written in place or named."""
    inline = ground.declared.inline_windows.get(schedule.name)
    return inline or ground.declared.windows.get(str(schedule.raw.get("window")))


def _reserve_of(schedule: Declared[ScheduleFile], ground: Ground) -> timedelta | None:
    """The schedule's own reserve, or the default one; None for one that cannot be read, which is told elsewhere."""
    if "reserve" not in schedule.raw:
        return parse_timedelta(ground.reserve.value)
    own = schedule.value("reserve")
    return own if isinstance(own, timedelta) else None
