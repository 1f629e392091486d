"""Windows, freezes and calendars as the domain knows them; what is written in languages of its own is read by those who know them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

from runner.config.declared import Declared
from runner.config.models.windows import Calendar, FreezeByEvents, FreezeOnHolidays, Window
from runner.domain.time import workdays
from runner.domain.time.events import Events
from runner.domain.time.freeze import Freeze
from runner.domain.time.window import MaintenanceWindow, OtherRule
from runner.ports import DateSources

NOT_READ = "nobody is here who could read it"
LARGEST = 5_000_000  # bytes of a calendar file
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Trouble:
    """What is wrong with a calendar beyond its shape, and at which key."""

    key: str
    says: str


def calendars_of(
    declared: Mapping[str, Declared[Calendar]], sources: DateSources | None, root: Path
) -> dict[str, workdays.Calendar | Trouble]:
    """Every calendar of valid shape by name, or what is wrong with it."""
    return {name: _calendar(each, sources, root) for name, each in declared.items() if each.model}


def _calendar(calendar: Declared[Calendar], sources: DateSources | None, root: Path) -> workdays.Calendar | Trouble:
    """One calendar, with its holidays looked up."""
    assert calendar.model  # noqa: S101  valid, as the caller has made sure
    known: list[workdays.Holidays] = []
    looks: dict[str, Callable[[], workdays.Holidays]] = {}
    if wanted := calendar.model.holidays:
        looks["holidays"] = lambda: _public(wanted.country, wanted.subdivision, sources)
    if file := calendar.model.file:
        looks["file"] = lambda: _days_of_events(events_of([file], summary=None, zone="UTC", sources=sources, root=root))
    for key, look in looks.items():
        try:
            known.append(look())
        except ValueError as error:
            return Trouble(key, str(error))
    return calendar.model.to_domain(calendar.name, holidays=_together(known))


def _public(country: str, subdivision: str | None, sources: DateSources | None) -> workdays.Holidays:
    text = f"{country}/{subdivision}" if subdivision else country
    return workdays.Holidays(text, _known(sources).holidays(country, subdivision))


def _days_of_events(events: Events) -> workdays.Holidays:
    """Every day on which there is an event; each year is looked through once."""

    @lru_cache(maxsize=64)
    def of_year(year: int) -> frozenset[date]:
        begun = events.between(date(year, 1, 1) - events.longest - _DAY, date(year, 12, 31))
        return frozenset(
            event.named + number * _DAY for event in begun for number in range(-((event.opens - event.closes) // _DAY))
        )

    def between(first: date, last: date) -> Iterable[date]:
        return [day for year in range(first.year, last.year + 1) for day in of_year(year) if first <= day <= last and day.year == year]  # fmt: skip

    return workdays.Holidays(events.text, between, events.files)


def _together(several: Sequence[workdays.Holidays]) -> workdays.Holidays | None:
    """Holidays of several kinds as one."""
    if len(several) < 2:  # noqa: PLR2004  two of them
        return several[0] if several else None

    def between(first: date, last: date) -> Iterable[date]:
        return {day for each in several for day in each.between(first, last)}

    files = tuple(file for each in several for file in each.files)
    return workdays.Holidays("; ".join(each.text for each in several), between, files)


def events_of(
    paths: Sequence[str], *, summary: str | None, zone: str, sources: DateSources | None, root: Path
) -> Events:
    """The events of calendar files below the root; raises ValueError with the way out."""
    return _known(sources).events({path: _content(root / path) for path in paths}, summary=summary, zone=zone)


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise ValueError(f"{path.name} cannot be read: {reason}. Check that it is there, and its permissions") from None
    if len(content) > LARGEST:
        raise ValueError(f"{path.name} is larger than {LARGEST} bytes. Keep only what is needed")
    return content


def _known(sources: DateSources | None) -> DateSources:
    if sources is None:
        raise ValueError(NOT_READ)
    return sources


def rule_of(window: Window, sources: DateSources | None) -> OtherRule | None:
    """The rule of a window in a language of its own; raises ValueError with the way out."""
    if window.cron is not None:
        starts = _known(sources).cron(window.cron)
        return OtherRule(f"cron: {' '.join(window.cron.split())}", has_times=True, starts=starts)
    if window.rrule is None or window.since is None:
        return None
    dates = _known(sources).rrule(window.rrule, since=window.since)
    return OtherRule(f"rrule: {window.rrule}", has_times=False, starts=dates)


def window_of(
    window: Declared[Window],
    *,
    zone: str,
    calendars: Mapping[str, workdays.Calendar | Trouble],
    sources: DateSources | None,
    root: Path,
) -> MaintenanceWindow:
    """A window of valid shape; raises ValueError for what cannot be read. A calendar that is unknown or broken is left out, and told elsewhere."""
    model = window.model
    assert model  # noqa: S101  valid, as the caller has made sure
    calendar = calendars.get(model.calendar or "")
    own = model.timezone or zone
    return model.to_domain(
        window.name,
        zone=zone,
        source=window.place,
        calendar=calendar if isinstance(calendar, workdays.Calendar) else None,
        rule=rule_of(model, sources),
        events=events_of(model.ics, summary=model.summary, zone=own, sources=sources, root=root) if model.ics else None,
    )


def freeze_of(
    freeze: Declared[Any],
    *,
    zone: str,
    calendars: Mapping[str, workdays.Calendar | Trouble],
    sources: DateSources | None,
    root: Path,
) -> Freeze:
    """A freeze of valid shape, whose calendar is known and sound; raises ValueError for a calendar file that cannot be read."""
    model, source = freeze.model, freeze.place
    assert model  # noqa: S101  valid, as the caller has made sure
    match model:
        case FreezeByEvents():
            events = events_of(model.ics, summary=None, zone=model.timezone or zone, sources=sources, root=root)
            return model.to_domain(zone=zone, source=source, events=events)
        case FreezeOnHolidays():
            calendar = calendars[model.holidays]
            assert isinstance(calendar, workdays.Calendar)  # noqa: S101  valid, as the caller has made sure
            return model.to_domain(zone=zone, source=source, calendar=calendar)
    plain: Freeze = model.to_domain(zone=zone, source=source)
    return plain
