"""When change may not happen: freezes by instants, by yearly spans, by the events of calendar files, and by holidays."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import MAXYEAR, MINYEAR, UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from runner.domain.time.events import Events, in_order
from runner.domain.time.wallclock import moved, resolve
from runner.domain.time.workdays import Calendar

READ_ONLY = "read_only"
EMERGENCY = "emergency"
FEBRUARY_29 = (2, 29)
_MIDNIGHT = time(0)
_DAY = timedelta(days=1)
_LONGEST_ROW = timedelta(days=62)  # of holidays that follow one another, so that a row shows whole from any of its days
_MARGIN = timedelta(days=2)  # a local date begins within a day of it in UTC


@dataclass(frozen=True, slots=True)
class YearlySpan:
    """Whole local days from (month, day) to (month, day), both included, possibly over new year.

    Without a 29 February in the year, a span from there starts on 1 March and a span to there ends with 28 February.
    """

    first: tuple[int, int]
    last: tuple[int, int]

    def in_year(self, year: int) -> tuple[date, date]:
        """The span that begins in `year`, as its first day and the day after its last."""
        over_new_year = self.last < self.first
        ends = _date_in(year + over_new_year, self.last)
        return _date_in(year, self.first), ends + _DAY if _exists(ends, self.last) else ends


@dataclass(frozen=True, slots=True)
class Freeze:
    """A span in which changes are held: [starts, ends) as instants, a span of every year or each holiday of a calendar in `timezone`, or events of files.

    `allow` holds what passes all the same: `read_only`, or a change type such as `emergency`. `services`, `schedules` and `windows` narrow it to what bears
    one of these names; all empty means everything.
    """

    name: str
    starts: datetime | None = None
    ends: datetime | None = None
    every_year: YearlySpan | None = None
    timezone: str = "UTC"
    events: Events | None = None
    calendar: Calendar | None = None
    services: tuple[str, ...] = ()
    schedules: tuple[str, ...] = ()
    windows: tuple[str, ...] = ()
    allow: tuple[str, ...] = (READ_ONLY,)
    reason: str = ""
    owner: str | None = None
    source: str = ""

    def spans(self, from_: datetime, to: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Every [start, end) of this freeze, in UTC and in order, that overlaps [from_, to)."""
        yield from (span for span in self._all_spans(from_, to) if span[0] < to and from_ < span[1])

    def covers(self, instant: datetime) -> bool:
        """Whether the freeze is on at this instant."""
        return self.until(instant) is not None

    def until(self, instant: datetime) -> datetime | None:
        """When the freeze that is on at this instant ends; None when it is not on."""
        ends = [end for start, end in self.spans(instant, instant + _DAY) if start <= instant < end]
        return max(ends, default=None)

    def applies_to(self, *, schedule: str, window: str, services: Collection[str] = ()) -> bool:
        """Whether work of this schedule, in this window, on hosts of these services is meant."""
        if not (self.services or self.schedules or self.windows):
            return True
        return schedule in self.schedules or window in self.windows or not set(services).isdisjoint(self.services)

    def allows(self, *, effect: str, change: str) -> bool:
        """Whether work with this effect (`read_only` also for check mode) and change type passes all the same."""
        return (effect == READ_ONLY and READ_ONLY in self.allow) or change in self.allow

    def _all_spans(self, from_: datetime, to: datetime) -> Iterator[tuple[datetime, datetime]]:
        """The one span between two instants, or those of every year, of all events or of all holidays around [from_, to)."""
        if self.events is not None:
            first, last = moved(from_.date(), -(self.events.longest + _MARGIN)), moved(to.date(), _MARGIN)
            yield from ((event.opens, event.closes) for event, _ in in_order(self.events, first=first, last=last))
            return
        if self.every_year is None and self.calendar is None:
            if self.starts and self.ends:
                yield self.starts.astimezone(UTC), self.ends.astimezone(UTC)
            return
        zone = ZoneInfo(self.timezone)
        for first, after in self._days(from_, to):
            yield resolve(first, _MIDNIGHT, zone).instant, resolve(after, _MIDNIGHT, zone).instant

    def _days(self, from_: datetime, to: datetime) -> Iterator[tuple[date, date]]:
        """The spans of whole local days around [from_, to), each as its first day and the day after its last."""
        if self.calendar is not None:
            yield from _in_a_row(self.calendar, moved(from_.date(), -_LONGEST_ROW), moved(to.date(), _LONGEST_ROW))
        elif self.every_year is not None:
            years = range(max(MINYEAR + 1, from_.year - 2), min(MAXYEAR - 2, to.year + 1) + 1)
            spans = (self.every_year.in_year(year) for year in years)
            yield from ((first, after) for first, after in spans if first < after)


def binding(
    freezes: Iterable[Freeze], *, schedule: str, window: str, services: Collection[str] = (), effect: str, change: str
) -> tuple[Freeze, ...]:
    """The freezes that hold this work: they mean it, and do not let it pass."""
    return tuple(
        freeze
        for freeze in freezes
        if freeze.applies_to(schedule=schedule, window=window, services=services)
        and not freeze.allows(effect=effect, change=change)
    )


def longest_free(
    opens: datetime, closes: datetime, frozen: Sequence[tuple[datetime, datetime]]
) -> tuple[datetime, datetime]:
    """The longest part of [opens, closes) outside all frozen spans, the first on ties; (opens, opens) when none is left."""
    edges = [opens]
    for start, end in sorted(frozen):
        edges += [max(edges[-1], min(start, closes)), max(edges[-1], min(end, closes))]
    edges.append(closes)
    free = list(pairwise(edges))[::2]
    best = max(free, key=lambda part: part[1] - part[0])
    return best if best[1] > best[0] else (opens, opens)


def _in_a_row(calendar: Calendar, first: date, last: date) -> Iterator[tuple[date, date]]:
    """Holidays as spans of days; those that follow one another are one."""
    begins = before = None
    for day in calendar.holidays_between(first, last):
        if begins and before and day - before > _DAY:
            yield begins, before + _DAY
            begins = day
        begins, before = begins or day, day
    if begins and before:
        yield begins, before + _DAY


def _date_in(year: int, month_day: tuple[int, int]) -> date:
    """The day in that year, or 1 March for a 29 February that the year does not have."""
    try:
        return date(year, *month_day)
    except ValueError:
        return date(year, 3, 1)


def _exists(day: date, month_day: tuple[int, int]) -> bool:
    """Whether the day was found as it was named."""
    return (day.month, day.day) == month_day
