"""Windows: one length, a cutoff inside it, a day that comes, and a start that the clocks leave alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache

from runner.config.declared import Declared
from runner.config.ground import Ground
from runner.config.models.windows import Window
from runner.domain.time.duration import Duration, describe
from runner.domain.time.occurrence import missing_starts, openings, overlapping
from runner.domain.time.recurrence import MONTHS, ever_occurs
from runner.domain.time.window import ALWAYS, DayRule, MaintenanceWindow
from runner.errors import Problem

AHEAD = timedelta(days=731)  # 24 months
_NEARLY_A_DAY = timedelta(hours=22)  # two openings cannot be nearer than this, also when clocks change


def problems(ground: Ground) -> Iterator[Problem]:
    """Everything that is wrong with windows beyond their shape, named ones and those written in schedules."""
    if builtin := ground.declared.windows.get(ALWAYS):
        yield builtin.problem(says=f"{ALWAYS}: this name is built in. Choose another")
    for window in (*ground.declared.windows.values(), *ground.declared.inline_windows.values()):
        yield from _length(window)
        yield from _day(window, ground.today)
        if window.model and not {"duration", "until"} <= window.raw.keys():
            domain = window.model.to_domain(ALWAYS, zone=ground.zone.value, source="")
            yield from _clocks(window, domain, ground.today)


def _length(window: Declared[Window]) -> Iterator[Problem]:
    """Exactly one of duration and until, and a cutoff that is shorter."""
    given = [key for key in ("duration", "until") if key in window.raw]
    if len(given) > 1:
        says = "duration and until both say when it closes. Keep one of them"
        yield window.problem("until", says=says, at_key=True)
    elif not given and "ics" not in window.raw and window.raw:
        yield window.problem(says=f'{window.name}: does not say when it closes. Add duration: 4h or until: "04:00"')
    else:
        yield from _cutoff(window)


def _cutoff(window: Declared[Window]) -> Iterator[Problem]:
    length, cutoff = _length_of(window), window.value("cutoff")
    if length and isinstance(cutoff, timedelta) and cutoff >= length:
        says = f"cutoff: {describe(cutoff)} leaves nothing of a window of {describe(length)}. Make it shorter"
        yield window.problem("cutoff", says=says)


def _length_of(window: Declared[Window]) -> timedelta | None:
    """How long a window is by its rule, as far as that can be read."""
    duration, start, until = (window.value(key) for key in ("duration", "start", "until"))
    if isinstance(duration, Duration):
        return duration.as_timedelta()
    if isinstance(start, time) and isinstance(until, time):
        return MaintenanceWindow(window.name, start=start, until=until).length
    return None


def _day(window: Declared[Window], today: date) -> Iterator[Problem]:
    """A day that comes, at least once in 41 years."""
    day, months = window.value("day"), window.value("months")
    if isinstance(day, DayRule) and isinstance(months, list) and not ever_occurs(day, months, since=today):
        names = ", ".join(MONTHS[month - 1] for month in sorted(set(months)))
        yield window.problem("day", says=f"day: {day.text} never occurs in {names}. Change the day or the months")


def _clocks(window: Declared[Window], domain: MaintenanceWindow, today: date) -> Iterator[Problem]:
    """Warn of starts that do not exist on some day, and of openings that run into the next."""
    if days := _missing_starts(domain, today):
        says = (
            f"start: {domain.start:%H:%M} does not exist on {days[0]} in {domain.timezone}, when the clocks change; "
            "it opens when they have. Choose another time to be clear"
        )
        yield window.problem("start", says=says, severity="warning")
    if domain.length > _NEARLY_A_DAY and (pair := _first_overlap(domain, today)):
        says = (
            f"{window.name}: the opening of {pair[0]} is still going when that of {pair[1]} begins. "
            "Make it shorter, or choose fewer days"
        )
        yield window.problem(says=says, severity="warning")


@lru_cache(maxsize=512)
def _missing_starts(window: MaintenanceWindow, today: date) -> tuple[date, ...]:
    return tuple(missing_starts(window, first=today, last=today + AHEAD))


@lru_cache(maxsize=512)
def _first_overlap(window: MaintenanceWindow, today: date) -> tuple[date, date] | None:
    from_ = datetime.combine(today, time(0), UTC)
    bare = replace(window, cutoff=timedelta(0))
    pair = next(overlapping(openings(bare, (), from_=from_, to=from_ + AHEAD)), None)
    return (pair[0].rule_date, pair[1].rule_date) if pair else None
