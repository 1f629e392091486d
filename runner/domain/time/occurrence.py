"""Each dated opening of a window: the dates of its rule, its start and end by the clock, less what freezes take away.

The freezes given here are those that bind the work in question (domain.freeze.binding).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import MAXYEAR, UTC, date, datetime, time, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from runner.domain.time.duration import describe
from runner.domain.time.events import in_order
from runner.domain.time.freeze import Freeze, longest_free
from runner.domain.time.recurrence import EVERY_DATE, RuleDate, rule_dates
from runner.domain.time.wallclock import Clocks, days_near_jumps, local_day, moved, resolve
from runner.domain.time.window import MaintenanceWindow, Missing, Opening, WhenFrozen

_DAY = timedelta(days=1)
_MARGIN = timedelta(days=2)  # a date's start lies within a day of it in UTC, and a lost day (Apia, 2011) is one more
_LAST = datetime(MAXYEAR - 1, 1, 1, tzinfo=UTC)
_ALWAYS_REACH = timedelta(days=31)
_MOST_OPENINGS = 1000  # how many frozen openings in a row are looked through for a usable one


@dataclass(frozen=True, slots=True)
class _Span:
    """One [opens, closes) by the clock, in UTC, before freezes."""

    date: RuleDate
    opens: datetime
    closes: datetime
    notes: tuple[str, ...]


def openings(
    window: MaintenanceWindow, freezes: Sequence[Freeze], *, from_: datetime, to: datetime
) -> Iterator[Opening]:
    """Every opening that overlaps [from_, to), in order, also those that are frozen; none for the window `always`."""
    for span in _spans(window, from_=from_, to=to):
        if span.opens < to and from_ < span.closes:
            yield _cut(window, span, freezes)


def opening_at(window: MaintenanceWindow, freezes: Sequence[Freeze], instant: datetime) -> Opening | None:
    """The opening that the instant lies in, frozen or not; the first when two overlap.

    The window `always` gives one that begins at the instant and is usable until the next freeze, at most 31 days on.
    """
    if window.is_always:
        return _always(window, freezes, instant)
    return next(openings(window, freezes, from_=instant, to=instant + timedelta.resolution), None)


def next_opening(
    window: MaintenanceWindow, freezes: Sequence[Freeze], *, after: datetime, usable: bool = False
) -> Opening | None:
    """The first opening that begins later than `after`; with `usable`, the first that freezes leave something of.

    None when the rule never occurs (again), or when none of the next thousand openings is usable.
    """
    if window.is_always:
        return _always(window, freezes, _end_of_freezes(freezes, after) if usable else after)
    later = (opening for opening in _openings_from(window, freezes, after) if opening.opens > after)
    if usable:
        later = (opening for opening in islice(later, _MOST_OPENINGS) if not opening.is_frozen)
    return next(later, None)


def missing_starts(window: MaintenanceWindow, *, first: date, last: date) -> Iterator[date]:
    """The dates, from `first` to `last`, on which the clocks jump over the window's start."""
    zone = ZoneInfo(window.timezone)
    for near in days_near_jumps(zone, first, last):
        for day in rule_dates(window, first=near, last=near):
            if resolve(day.lands, _clock(window, day), zone).shown is Clocks.NEVER:
                yield day.lands


def overlapping(several: Iterable[Opening]) -> Iterator[tuple[Opening, Opening]]:
    """Neighbours, among openings in order, of which the second begins before the first has ended."""
    before: Opening | None = None
    for opening in several:
        if before and opening.opens < before.closes:
            yield before, opening
        before = opening


def _openings_from(window: MaintenanceWindow, freezes: Sequence[Freeze], after: datetime) -> Iterator[Opening]:
    """Every opening from `after` on; the rule's dates are looked through for 41 years at most."""
    return openings(window, freezes, from_=after, to=min(after, _LAST - EVERY_DATE) + EVERY_DATE)


def _spans(window: MaintenanceWindow, *, from_: datetime, to: datetime) -> Iterator[_Span]:
    """The openings by the clock, in order, of all dates that may reach into [from_, to); equal starts are merged."""
    zone = ZoneInfo(window.timezone)
    first = moved(local_day(from_, zone), timedelta(days=-(_MARGIN + window.length).days))
    last = moved(local_day(to, zone), _MARGIN)
    before: datetime | None = None
    for span in _spans_between(window, zone, first=first, last=last):
        if span.closes > span.opens and span.opens != before:  # nothing is left of a window inside a lost hour
            yield span
        before = span.opens


def _spans_between(window: MaintenanceWindow, zone: ZoneInfo, *, first: date, last: date) -> Iterator[_Span]:
    """The openings by the clock whose dates lie from `first` to `last`: those of the rule, or those that a calendar file keeps."""
    if window.events is not None:
        for event, ordinal in in_order(window.events, first=first, last=last):
            yield _Span(RuleDate(event.named, event.named, ordinal), event.opens, event.closes, ())
        return
    for day in rule_dates(window, first=first, last=last):
        if window.only not in (None, day.named):
            continue
        span = _span_on(window, _clock(window, day), day, zone)
        if span is not None:
            yield span


def _clock(window: MaintenanceWindow, day: RuleDate) -> time:
    """The wall clock at which it opens: the rule's own where it names one, else the window's."""
    return day.start or window.start or time(0)


def _span_on(window: MaintenanceWindow, clock: time, day: RuleDate, zone: ZoneInfo) -> _Span | None:
    """One date's start and end: `until` by the wall clock; otherwise the days by the wall clock, then the rest elapsed.

    None for a start that does not exist, where the window leaves such out.
    """
    start = resolve(day.lands, clock, zone)
    if start.shown is Clocks.NEVER and window.missing is Missing.SKIP:
        return None
    if window.until is not None:
        end_day = day.lands if window.until > clock else day.lands + _DAY
        closes = resolve(end_day, window.until, zone).instant
    elif window.days:
        closes = resolve(day.lands + timedelta(days=window.days), clock, zone).instant + (
            window.duration or timedelta(0)
        )
    else:
        closes = start.instant + (window.duration or timedelta(0))
    return _Span(day, start.instant, closes, _notes(window, clock, start.shown, closes - start.instant))


def _notes(window: MaintenanceWindow, clock: time, shown: Clocks, lasts: timedelta) -> tuple[str, ...]:
    """What changing clocks do to an opening, in words."""
    notes = []
    if shown is Clocks.NEVER:
        notes.append(f"{clock:%H:%M} does not exist on this day; it opens when the clocks have changed")
    if shown is Clocks.TWICE:
        notes.append(f"{clock:%H:%M} occurs twice on this day; it opens at the first")
    if lasts != window.length:
        notes.append(f"the clocks change: it lasts {describe(lasts)} instead of {describe(window.length)}")
    return tuple(notes)


def _cut(window: MaintenanceWindow, span: _Span, freezes: Sequence[Freeze]) -> Opening:
    """Leave the longest part without a freeze. None is left of a part no longer than the cutoff, as nothing could start in it, or below `min_usable`."""
    frozen = [(freeze.name, part) for freeze in freezes for part in freeze.spans(span.opens, span.closes)]
    start, end = span.opens, span.closes
    if frozen:
        start, end = longest_free(start, end, [part for _, part in frozen])
    too_short = end - start <= window.cutoff or end - start < window.min_usable
    if frozen and (too_short or window.when_frozen is WhenFrozen.SKIP):
        start = end = span.opens
    return Opening(
        window=window.name,
        rule_date=span.date.named,
        ordinal=span.date.ordinal,
        opens=span.opens,
        closes=span.closes,
        usable_from=start,
        usable_until=end,
        last_start=max(start, end - window.cutoff),
        frozen_by=tuple(dict.fromkeys(name for name, _ in frozen)),
        notes=span.notes,
    )


def _always(window: MaintenanceWindow, freezes: Sequence[Freeze], instant: datetime) -> Opening:
    """The window `always`, seen from an instant: usable from then until the next freeze."""
    opens = instant.astimezone(UTC)
    closes = opens + _ALWAYS_REACH
    frozen = sorted((part, freeze.name) for freeze in freezes for part in freeze.spans(opens, closes))
    until = max(opens, frozen[0][0][0]) if frozen else closes
    return Opening(
        window=window.name,
        rule_date=opens.date(),
        ordinal=1,
        opens=opens,
        closes=closes,
        usable_from=opens,
        usable_until=until,
        last_start=max(opens, until - window.cutoff),
        frozen_by=tuple(dict.fromkeys(name for _, name in frozen)),
    )


def _end_of_freezes(freezes: Sequence[Freeze], instant: datetime) -> datetime:
    """The first instant from here on that no freeze covers; the given one when freezes go on for a thousand spans."""
    moment = instant
    for _ in range(_MOST_OPENINGS):
        ends = [end for freeze in freezes if (end := freeze.until(moment))]
        if not ends:
            return moment
        moment = max(ends)
    return instant
