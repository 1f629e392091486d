"""Calendar files (RFC 5545, iCalendar) by icalendar; what recurs is expanded by our own reading of its rule, zones are those of the file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from difflib import get_close_matches
from hashlib import sha256
from typing import Any
from zoneinfo import ZoneInfo

import icalendar

from runner.adapters.calendars.recurring import read_rrule
from runner.domain.time.events import Event, Events
from runner.domain.time.wallclock import resolve
from runner.domain.time.window import StartSource

_DAY = timedelta(days=1)
_MOST = 20_000  # events of a file


@dataclass(frozen=True, slots=True)
class _Series:
    """One event of a file with all that recurs of it; starts are wall clocks of `zone`. `days` is set for whole days, `length` for the rest."""

    zone: tzinfo
    start: datetime
    length: timedelta
    days: int
    starts: StartSource | None
    added: tuple[datetime, ...]
    without: frozenset[datetime]


def read_events(files: Mapping[str, bytes], *, summary: str | None, zone: str) -> Events:
    """The events of calendar files by name; only those of that summary, if one is given. Whole days are days of `zone`.

    Raises ValueError, with the way out, for what cannot be read.
    """
    found = [(name, event) for name, content in files.items() for event in _components(name, content)]
    chosen = [(name, event) for name, event in found if summary is None or _text(event, "SUMMARY") == summary]
    if not chosen:
        raise ValueError(_none_chosen(summary, {_text(event, "SUMMARY") for _, event in found}))
    series = [
        _series(name, event, _moved_away(event, found), ZoneInfo(zone)) for name, event in chosen if not _is_off(event)
    ]

    def between(first: date, last: date) -> Iterable[Event]:
        return (event for each in series for event in _expanded(each, first, last))

    longest = max((each.length + each.days * _DAY for each in series), default=timedelta(0))
    return Events(_described(files, summary, zone), tuple(files), longest, between)


def _described(files: Mapping[str, bytes], summary: str | None, zone: str) -> str:
    """What these events are, in words that change when a file does."""
    contents = ", ".join(f"{name} {sha256(content).hexdigest()}" for name, content in files.items())
    return f"ics: {contents}; summary: {summary}; days of {zone}"


def _components(name: str, content: bytes) -> list[Any]:
    """The events of one file."""
    try:
        found = list(icalendar.Calendar.from_ical(content).walk("VEVENT"))
    except (ValueError, KeyError, IndexError, AttributeError, TypeError):
        raise ValueError(f"{name} cannot be read as an iCalendar file. Export it anew, or name another file") from None
    if len(found) > _MOST:
        raise ValueError(f"{name} holds {len(found)} events; more than {_MOST} are not read. Keep only what is needed")
    broken = next((key for event in found for key, _ in event.errors), None)
    if broken:
        raise ValueError(f"{name} cannot be read: {broken} of an event is broken. Mend it, or export the file anew")
    return found


def _none_chosen(summary: str | None, known: set[str]) -> str:
    if not known or summary is None:
        return "holds no event. Add one, or name another file"
    close = get_close_matches(summary, sorted(known), n=1)
    return f"holds no event {summary[:60]!r}. " + (f"Did you mean {close[0]!r}?" if close else f"It has {', '.join(sorted(known)[:8])}")  # fmt: skip


def _is_off(event: Any) -> bool:  # noqa: ANN401  icalendar's own kind of value
    return _text(event, "STATUS").upper() == "CANCELLED"


def _text(event: Any, key: str) -> str:  # noqa: ANN401
    return str(event.get(key, "")).strip()


def _moved_away(event: Any, found: list[tuple[str, Any]]) -> list[Any]:  # noqa: ANN401
    """The other events that stand for single occurrences of this one, moved, renamed or cancelled."""
    if "RECURRENCE-ID" in event or "RRULE" not in event:
        return []
    return [other for _, other in found if "RECURRENCE-ID" in other and _text(other, "UID") == _text(event, "UID")]


def _series(name: str, event: Any, others: list[Any], zone: ZoneInfo) -> _Series:  # noqa: ANN401
    """One event with all that recurs of it; raises ValueError with the event's name."""
    called = f"{name}: event {_text(event, 'SUMMARY')[:60] or _text(event, 'UID')[:60]!r}"
    try:
        if "DTSTART" not in event:
            raise ValueError("has no DTSTART. Add one")
        begins = _listed(event["DTSTART"])[0]
        own = begins.tzinfo if isinstance(begins, datetime) and begins.tzinfo else zone
        return _Series(
            zone=own,
            start=_wall(begins, own, event["DTSTART"].params),
            length=timedelta(0) if not isinstance(begins, datetime) else _length(event, begins),
            days=0 if isinstance(begins, datetime) else _days(event, begins),
            starts=_rule(event, begins, own),
            added=tuple(_walls(event, "RDATE", begins, own)),
            without=frozenset([*_walls(event, "EXDATE", begins, own), *_replaced(others, begins, own)]),
        )
    except ValueError as error:
        raise ValueError(f"{called} {error}") from None


def _wall(instant: Any, zone: tzinfo, params: Mapping[str, str] | None = None) -> datetime:  # noqa: ANN401
    """A date or instant of the file as a wall clock of the zone."""
    if isinstance(instant, tuple):
        raise ValueError("has an RDATE of periods, which is not known here. Give it as an event of its own")
    if not isinstance(instant, datetime):
        return datetime.combine(instant, time(0))
    if instant.tzinfo is None:
        named = (params or {}).get("TZID")
        if named:
            raise ValueError(
                f"is in the zone {str(named)[:40]!r}, which is not known here. Write an IANA name, such as TZID=Europe/Berlin"
            )
        raise ValueError(
            f"begins at {instant:%Y-%m-%d %H:%M} without a zone. Add one: DTSTART;TZID=Europe/Berlin, or a Z for UTC"
        )
    return instant.astimezone(zone).replace(tzinfo=None)


def _length(event: Any, begins: datetime) -> timedelta:  # noqa: ANN401
    """How long a timed event is, elapsed (RFC 5545, 3.8.5.3: the same exact length for all that recur)."""
    if "DTEND" in event:
        ends = event["DTEND"].dt
        if not isinstance(ends, datetime) or ends.tzinfo is None:
            raise ValueError("has a DTEND without time and zone. Write it as DTSTART is written")
        length = ends.astimezone(UTC) - begins.astimezone(UTC)
    else:
        length = event["DURATION"].dt if "DURATION" in event else timedelta(0)
    if length <= timedelta(0):
        raise ValueError("has no end after its beginning. Add DTEND, or DURATION:PT4H")
    return length


def _days(event: Any, begins: date) -> int:  # noqa: ANN401
    """How many days an event of whole days has; one when it names no end."""
    if "DTEND" in event:
        return max(int((event["DTEND"].dt - begins).days), 1)
    return max(int(event["DURATION"].dt.days), 1) if "DURATION" in event else 1


def _rule(event: Any, begins: Any, zone: tzinfo) -> StartSource | None:  # noqa: ANN401
    """What recurs by the event's rule, as dates."""
    if "RRULE" not in event:
        return None
    if isinstance(event["RRULE"], list):
        raise ValueError("has several RRULEs. Give each an event of its own")
    rule = dict(event["RRULE"])
    until = rule.pop("UNTIL", [None])[0]
    text = icalendar.vRecur(rule).to_ical().decode()  # type: ignore[no-untyped-call]
    start = _wall(begins, zone)
    if until is not None:
        text += f";UNTIL={_last_date(until, start, zone):%Y%m%d}"
    return read_rrule(text, since=start.date())


def _last_date(until: Any, start: datetime, zone: tzinfo) -> date:  # noqa: ANN401
    """The last date on which the rule may start: an instant lets its date through only if the start is not later."""
    if not isinstance(until, datetime):
        last: date = until
        return last
    wall = until.astimezone(zone).replace(tzinfo=None) if until.tzinfo else until
    return wall.date() if start.time() <= wall.time() else wall.date() - _DAY


def _walls(event: Any, key: str, begins: Any, zone: tzinfo) -> Iterator[datetime]:  # noqa: ANN401
    """The dates of EXDATE or RDATE as starts; a bare date means the start on that date."""
    found = event.get(key, [])
    for several in found if isinstance(found, list) else [found]:
        for instant in _listed(several):
            yield _start_on(instant, begins, zone, several.params)


def _replaced(others: list[Any], begins: Any, zone: tzinfo) -> Iterator[datetime]:  # noqa: ANN401
    """The starts in whose place another event of the file stands."""
    for other in others:
        if other["RECURRENCE-ID"].params.get("RANGE"):
            raise ValueError(
                "is changed from one date on (RANGE=THISANDFUTURE), which is not known here. End it, and begin a new event"
            )
        yield _start_on(other["RECURRENCE-ID"].dt, begins, zone, other["RECURRENCE-ID"].params)


def _start_on(instant: Any, begins: Any, zone: tzinfo, params: Mapping[str, str]) -> datetime:  # noqa: ANN401
    if isinstance(begins, datetime) and isinstance(instant, date) and not isinstance(instant, datetime):
        return datetime.combine(instant, _wall(begins, zone).time())
    return _wall(instant, zone, params)


def _listed(value: Any) -> list[Any]:  # noqa: ANN401
    """The values of a property that may hold several."""
    return [each.dt for each in value.dts] if hasattr(value, "dts") else [value.dt]


def _expanded(series: _Series, first: date, last: date) -> Iterator[Event]:
    """What begins on the dates from `first` to `last`."""
    for start in sorted(_starts(series, first, last) - series.without):
        opens = resolve(start.date(), start.time(), series.zone).instant
        after = resolve(start.date() + series.days * _DAY, start.time(), series.zone).instant
        if after + series.length > opens:
            yield Event(start.date(), opens, after + series.length)


def _starts(series: _Series, first: date, last: date) -> set[datetime]:
    """The wall clocks at which it begins: its first, what its rule names, and what is added."""
    recurring = series.starts(first, last) if series.starts else ()
    clock = series.start.time()
    found = {series.start, *series.added, *(datetime.combine(each.date(), clock) for each in recurring)}
    return {each for each in found if first <= each.date() <= last}
