"""When change may happen: a maintenance window's rule and length, and each dated opening of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum

ALWAYS = "always"


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
class MaintenanceWindow:
    """A recurring span in which change may happen; exactly one of `duration` (elapsed) and `until` (wall clock) is set.

    `days` are nominal and come before `duration`: `1d` ends at the same wall clock on the next day, also when the clocks change (RFC 5545, 3.3.6).
    The built-in window `always` has no `day`; it is open at every moment and has no slots. `only` leaves a single date of the rule. `source` is `file:line`.
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
    only: date | None = None
    source: str = ""

    @property
    def is_always(self) -> bool:
        """Whether this is the built-in window that never closes."""
        return self.day is None

    @property
    def length(self) -> timedelta:
        """How long the window is by its rule, on a day on which no clock changes."""
        if self.until is None:
            return timedelta(days=self.days) + (self.duration or timedelta(0))
        midnight = date(2000, 1, 1)
        span = datetime.combine(midnight, self.until) - datetime.combine(midnight, self.start or time(0))
        return span if span > timedelta(0) else span + timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Opening:
    """One dated opening of a window, after freezes have cut it; all instants are aware.

    The window is [opens, closes). `last_start` = the usable end less the cutoff. `frozen_by` names the freezes that cut it; an opening with no part left
    that is longer than the cutoff has `usable_from == usable_until == last_start == opens`. `notes` say in words what changing clocks do to it.
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
