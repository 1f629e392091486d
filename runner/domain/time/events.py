"""Spans that a calendar file keeps, each with its own beginning and end: openings of a window, or freezes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta

from runner.domain.time.wallclock import moved

_YEAR = timedelta(days=366)
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Event:
    """One [opens, closes) in UTC; `named` is the local date of its beginning, where it is kept."""

    named: date
    opens: datetime
    closes: datetime


@dataclass(frozen=True, slots=True)
class Events:
    """Events that somebody else keeps: what they are, in words that change with them, the files and the longest of them, and who knows them.

    `between` gives those that begin on the local dates from a first to a last, both included, in any order. Two are the same when they say the same.
    """

    text: str
    files: tuple[str, ...]
    longest: timedelta
    between: Callable[[date, date], Iterable[Event]] = field(compare=False, repr=False)


def in_order(events: Events, *, first: date, last: date) -> Iterator[tuple[Event, int]]:
    """The events that begin from `first` to `last`, by their instants, each with its number among those of its date.

    They are looked up in parts, as they are asked for: a year first, then longer ones.
    """
    waiting: list[tuple[Event, int]] = []
    begin, span = first, _YEAR
    while begin <= last:
        end = min(moved(begin, span), last)
        waiting = sorted([*waiting, *_numbered(events.between(begin, end))], key=_opens)
        border = datetime.combine(
            end - _DAY, time(0), UTC
        )  # local dates differ: what is nearer may come before one of the next year
        yield from (found for found in waiting if found[0].opens < border)
        waiting = [found for found in waiting if found[0].opens >= border]
        begin, span = end + _DAY, 2 * span
    yield from waiting


def _numbered(several: Iterable[Event]) -> Iterator[tuple[Event, int]]:
    seen: Counter[date] = Counter()
    for event in sorted(set(several), key=lambda event: (event.named, event.opens, event.closes)):
        seen[event.named] += 1
        yield event, seen[event.named]


def _opens(found: tuple[Event, int]) -> datetime:
    return found[0].opens
