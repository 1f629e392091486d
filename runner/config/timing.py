"""Windows and calendars as the domain knows them; rules in languages of their own are read by those who know them."""

from __future__ import annotations

from collections.abc import Mapping

from runner.config.declared import Declared
from runner.config.models.windows import Calendar, Window
from runner.domain.time import workdays
from runner.domain.time.window import MaintenanceWindow, OtherRule
from runner.ports import DateSources

NOT_READ = "nobody is here who could read it"


def calendar_of(calendar: Declared[Calendar], sources: DateSources | None) -> workdays.Calendar:
    """A calendar of which the shape is valid; raises ValueError, with the way out, for holidays that nobody knows."""
    assert calendar.model  # noqa: S101  valid, as the caller has made sure
    wanted = calendar.model.holidays
    if wanted is None:
        return calendar.model.to_domain(calendar.name, holidays=None)
    if sources is None:
        raise ValueError(NOT_READ)
    text = f"{wanted.country}/{wanted.subdivision}" if wanted.subdivision else wanted.country
    known = workdays.Holidays(text, sources.holidays(wanted.country, wanted.subdivision))
    return calendar.model.to_domain(calendar.name, holidays=known)


def calendars_of(
    declared: Mapping[str, Declared[Calendar]], sources: DateSources | None
) -> dict[str, workdays.Calendar | str]:
    """Every calendar of valid shape by name, or what is wrong with its holidays."""
    found: dict[str, workdays.Calendar | str] = {}
    for name, calendar in declared.items():
        if calendar.model:
            try:
                found[name] = calendar_of(calendar, sources)
            except ValueError as error:
                found[name] = str(error)
    return found


def rule_of(window: Window, sources: DateSources | None) -> OtherRule | None:
    """The rule of a window in a language of its own; raises ValueError with the way out."""
    if window.rrule is None and window.cron is None:
        return None
    if sources is None:
        raise ValueError(NOT_READ)
    if window.cron is not None:
        return OtherRule(f"cron: {' '.join(window.cron.split())}", has_times=True, starts=sources.cron(window.cron))
    assert window.rrule  # noqa: S101  one of the two is there
    if window.since is None:
        raise ValueError("it counts from a first date. Add since: 2026-01-03")
    return OtherRule(f"rrule: {window.rrule}", has_times=False, starts=sources.rrule(window.rrule, since=window.since))


def window_of(
    window: Declared[Window],
    *,
    zone: str,
    calendars: Mapping[str, workdays.Calendar | str],
    sources: DateSources | None,
) -> MaintenanceWindow:
    """A window of valid shape; raises ValueError for a rule that cannot be read. A calendar that is unknown or broken is left out, and told elsewhere."""
    assert window.model  # noqa: S101  valid, as the caller has made sure
    calendar = calendars.get(window.model.calendar or "")
    return window.model.to_domain(
        window.name,
        zone=zone,
        source=window.place,
        calendar=calendar if isinstance(calendar, workdays.Calendar) else None,
        rule=rule_of(window.model, sources),
    )
