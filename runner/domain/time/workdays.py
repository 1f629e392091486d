"""Business calendars: which days are worked, and where a date goes that is not."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta

MONDAY_TO_FRIDAY = (0, 1, 2, 3, 4)
LONGEST_REST = timedelta(days=366)  # a calendar without a workday for longer has none
_DAY = timedelta(days=1)
# From a first to a last date, both included: the holidays between them.
DateSource = Callable[[date, date], Iterable[date]]


@dataclass(frozen=True, slots=True)
class Holidays:
    """Holidays that somebody else knows, such as those of a country: which they are, who knows them, and the calendar files that they are from.

    Two are the same when they say the same.
    """

    text: str
    between: DateSource = field(compare=False, repr=False)
    files: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Calendar:
    """Which days are worked: these weekdays (Monday = 0), but no holiday; holidays are listed, or looked up."""

    name: str = ""
    workdays: tuple[int, ...] = MONDAY_TO_FRIDAY
    dates: tuple[date, ...] = ()
    holidays: Holidays | None = None

    def is_workday(self, day: date) -> bool:
        """Whether this day is worked."""
        return day.weekday() in self.workdays and not self.is_holiday(day)

    def is_holiday(self, day: date) -> bool:
        """Whether this day is listed or looked up as a holiday."""
        return day in self.dates or (self.holidays is not None and day in self.holidays.between(day, day))

    def holidays_between(self, first: date, last: date) -> list[date]:
        """The holidays from `first` to `last`, both included, in order; weekdays that are not worked are none by that alone."""
        known = self.holidays.between(first, last) if self.holidays else ()
        return sorted({*known, *(day for day in self.dates if first <= day <= last)})

    def workday_from(self, day: date, step: int) -> date | None:
        """The day itself or the nearest workday after it (`step` 1) or before it (-1); None when there is none for a year."""
        for days in range(LONGEST_REST.days + 1):
            found = day + timedelta(days=step * days)
            if self.is_workday(found):
                return found
        return None
