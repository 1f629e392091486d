"""Draws a year of maintenance: every opening on the day of its own zone, and every freeze."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from runner.domain.settings import Definitions
from runner.domain.time.freeze import Freeze
from runner.errors import UsageError
from runner.operations.time.heed_ledger import CALLED_OFF, WAIVED
from runner.operations.time.list_openings import CUT_SHORT, FROZEN, PLANNED, SWITCHED_OFF, Entry
from runner.reporting.year import DID_NOT_RUN, Frozen, Named, Opens, year_page

DAY = timedelta(days=1)
MOST_YEARS = (1971, 2199)
LOOKS = {PLANNED, CUT_SHORT, FROZEN, SWITCHED_OFF, WAIVED}


def span_of(year: int) -> tuple[datetime, datetime]:
    """Two instants around a year, whatever the zone; raises UsageError for a year that no wall needs."""
    if not MOST_YEARS[0] <= year <= MOST_YEARS[1]:
        raise UsageError(f"{year} is no year to draw. Choose one from {MOST_YEARS[0]} to {MOST_YEARS[1]}.")
    return datetime(year, 1, 1, tzinfo=UTC) - DAY, datetime(year + 1, 1, 1, tzinfo=UTC) + DAY


def draw_year(year: int, entries: Sequence[Entry], definitions: Definitions, *, as_of: date) -> bytes:
    """The page of a year from its openings; those of neighbouring years are left out."""
    openings = [opens for opens in map(opens_of, entries) if opens.day.year == year]
    first: dict[str, Entry] = {}
    for entry in entries:
        first.setdefault(entry.schedule or entry.window, entry)
    return year_page(
        year,
        openings,
        [named(name, first[name], definitions) for name in sorted(first)],
        [frozen for frozen in (frozen_in(year, freeze, definitions) for freeze in definitions.freezes) if frozen.spans],
        organisation=definitions.settings.organisation,
        as_of=as_of,
    )


def opens_of(entry: Entry) -> Opens:
    """One opening by the wall clock of its window."""
    zone = ZoneInfo(entry.zone)
    opens, closes = (each.astimezone(zone) for each in (entry.opening.opens, entry.opening.closes))
    return Opens(
        schedule=entry.schedule or entry.window,
        day=opens.date(),
        start=f"{opens:%H:%M}",
        end=f"{closes:%H:%M}",
        length=entry.opening.closes - entry.opening.opens,
        look=look_of(entry.state),
        became="" if entry.state in LOOKS else entry.state,
    )


def look_of(state: str) -> str:
    """How a state is shown on paper: most of what is over looks as it was planned, and its words tell more."""
    if state in LOOKS:
        return state
    return DID_NOT_RUN if state in CALLED_OFF else PLANNED


def named(name: str, entry: Entry, definitions: Definitions) -> Named:
    """A schedule, or a window that was asked for by itself, for the legend."""
    schedule = definitions.schedules.get(entry.schedule)
    if schedule is None:
        return Named(name, entry.schedule or f"Window {entry.window}", entry.zone, "", None)
    return Named(name, schedule.title, entry.zone, schedule.hosts, schedule.owner)


def frozen_in(year: int, freeze: Freeze, definitions: Definitions) -> Frozen:
    """The days of a freeze in a year: by its own zone when it has one, else by that of the maintenance repository."""
    zone = ZoneInfo(freeze.timezone if freeze.every_year or freeze.calendar else definitions.settings.timezone)
    return Frozen(
        name=freeze.name,
        reason=freeze.reason,
        spans=tuple(days_of(year, freeze, zone)),
        only=", ".join([*freeze.services, *freeze.schedules, *freeze.windows]),
    )


def days_of(year: int, freeze: Freeze, zone: ZoneInfo) -> Iterator[tuple[date, date]]:
    """First and last day of each span, cut to the year."""
    for starts, ends in freeze.spans(*span_of(year)):
        first, last = starts.astimezone(zone).date(), (ends - timedelta.resolution).astimezone(zone).date()
        if first.year <= year <= last.year:
            yield max(first, date(year, 1, 1)), min(last, date(year, 12, 31))
