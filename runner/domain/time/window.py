"""When change may happen: a maintenance window's rule and length, and each dated opening of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from enum import StrEnum

from runner.domain.time.events import Events
from runner.domain.time.workdays import Calendar

ALWAYS = "always"
# From a first to a last date, both included: local starts in order, as naive instants. They may be many, so they come one by one.
StartSource = Callable[[date, date], Iterable[datetime]]


class AtEnd(StrEnum):
    """What happens to a running batch when its window ends."""

    FINISH_BATCH = "finish_batch"
    FINISH_TASK = "finish_task"
    CANCEL = "cancel"


class DayKind(StrEnum):
    """The kinds of day that a rule can name."""

    WEEKDAYS = "weekdays"  # every named weekday: `saturday`, `[sat, sun]`, `weekdays`, `daily`
    NTH_WEEKDAY = "nth_weekday"  # `second tuesday`, `last friday`
    DAY_OF_MONTH = "day_of_month"  # `day 15`
    LAST_DAY = "last_day"  # `last day`
    WORKDAY = "workday"  # `first workday`, `last workday`


class Roll(StrEnum):
    """Where an opening goes that lands on a day that is not worked."""

    NONE = "none"
    NEXT_WORKDAY = "next_workday"
    PREVIOUS_WORKDAY = "previous_workday"
    SKIP = "skip"


class Missing(StrEnum):
    """What becomes of an opening whose start the clocks jump over."""

    SHIFT = "shift"
    SKIP = "skip"


class WhenFrozen(StrEnum):
    """What a freeze leaves of an opening that it touches: the longest free part, or nothing."""

    CUT = "cut"
    SKIP = "skip"


@dataclass(frozen=True, slots=True)
class DayRule:
    """Which dates of a month a window names, before anything moves or removes them.

    `weekdays` count from Monday = 0; `ordinal` is 1 to 5, or -1 for the last; `day` is 1 to 31.
    """

    kind: DayKind
    weekdays: tuple[int, ...] = ()
    ordinal: int = 0
    day: int = 0
    text: str = ""


@dataclass(frozen=True, slots=True)
class OtherRule:
    """Starts by a rule in a language of its own, such as `rrule` or `cron`: what it says, and who reads it.

    Two are the same when they say the same. With `has_times` each start carries its time of day; otherwise the window's own start counts.
    """

    text: str
    has_times: bool
    starts: StartSource = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class MaintenanceWindow:
    """A recurring span in which change may happen; exactly one of `duration` (elapsed) and `until` (wall clock) is set.

    `days` are nominal and come before `duration`: `1d` ends at the same wall clock on the next day, also when the clocks change (RFC 5545, 3.3.6).
    Its dates come from `day` or `rule`, or it opens by `events`; the built-in window `always` has none of these: it is open at every moment and has no
    slots. Of the dates that are named, every `interval`-th counts, from the first on or after `since`. `without` and `besides` are the dates of exdate and
    rdate. `only` leaves a single date of them. `source` is `file:line`.
    """

    name: str
    timezone: str = "UTC"
    day: DayRule | None = None
    start: time | None = None
    duration: timedelta | None = None
    days: int = 0
    until: time | None = None
    cutoff: timedelta = timedelta(0)
    at_end: AtEnd = AtEnd.FINISH_BATCH
    months: tuple[int, ...] = ()
    rule: OtherRule | None = None
    events: Events | None = None
    interval: int = 1
    since: date | None = None
    offset_days: int = 0
    calendar: Calendar | None = None
    roll: Roll = Roll.NONE
    without: tuple[date, ...] = ()
    besides: tuple[date, ...] = ()
    missing: Missing = Missing.SHIFT
    when_frozen: WhenFrozen = WhenFrozen.CUT
    min_usable: timedelta = timedelta(0)
    splay: timedelta = timedelta(0)
    only: date | None = None
    source: str = ""

    @property
    def is_always(self) -> bool:
        """Whether this is the built-in window that never closes."""
        return self.day is None and self.rule is None and self.events is None

    @property
    def length(self) -> timedelta:
        """How long the window is by its rule, on a day on which no clock changes; by events, the longest of them."""
        if self.events is not None:
            return self.events.longest
        if self.until is None:
            return timedelta(days=self.days) + (self.duration or timedelta(0))
        midnight = date(2000, 1, 1)
        span = datetime.combine(midnight, self.until) - datetime.combine(midnight, self.start or time(0))
        return span if span > timedelta(0) else span + timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Opening:
    """One dated opening of a window, after freezes have cut it; all instants are aware.

    The window is [opens, closes). `last_start` = the usable end less the cutoff. `frozen_by` names the freezes that cut it; an opening with no part left
    that is longer than the cutoff has `usable_from == usable_until == last_start == opens`. `notes` say in words what changing clocks and the splay do to it.
    """

    window: str
    rule_date: date
    ordinal: int
    opens: datetime
    closes: datetime
    usable_from: datetime
    usable_until: datetime
    last_start: datetime
    frozen_by: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def is_frozen(self) -> bool:
        """Whether a freeze left nothing of this opening to use."""
        return self.usable_until <= self.usable_from
