"""Files of windows and freezes: when change may happen, and when not."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Discriminator, Field, Tag

from runner.config.fields import (
    Date,
    Day,
    Days,
    Instant,
    Length,
    Month,
    Name,
    Nth,
    Paths,
    Span,
    Text,
    TimeOfDay,
    Weekday,
    Yearly,
    Zone,
)
from runner.config.models.shape import Shape
from runner.domain.time import freeze as freezes
from runner.domain.time import workdays as work
from runner.domain.time.events import Events
from runner.domain.time.window import AtEnd, MaintenanceWindow, Missing, OtherRule, Roll, WhenFrozen


class Window(Shape):
    """A recurring span in which change may happen; exactly one of `day`, `rrule`, `cron` and `ics`, and one of `duration` and `until`."""

    model_config = ConfigDict(
        json_schema_extra={
            "anyOf": [
                {"required": ["day", "start"]},
                {"required": ["rrule", "since", "start"]},
                {"required": ["cron"]},
                {"required": ["ics"]},
            ]
        }
    )
    timezone: Zone | None = Field(
        default=None,
        description="an IANA name; otherwise the default of wellkept.yml, then the system's",
        examples=["Europe/Berlin"],
    )
    day: Day | None = Field(
        default=None,
        description=(
            "`saturday`, `[sat, sun]`, `weekdays`, `daily`, `second tuesday` (first to fifth, last), `first workday`, `last workday`, `day 15` or `last day`"
        ),
        examples=["saturday"],
    )
    rrule: Text | None = Field(
        default=None,
        description="in place of `day`: a recurrence rule of RFC 5545 that names dates; `since` is its DTSTART",
        examples=["FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1"],
    )
    cron: Text | None = Field(
        default=None,
        description="in place of `day` and `start`: minute, hour, day, month and weekday as cron has them, also `2#2` and `L`",
        examples=["30 2 * * 6"],
    )
    ics: Paths | None = Field(
        default=None,
        description="in place of all that says when: a calendar file, or several, below the root; it opens by its events",
        examples=["maintenance.ics"],
    )
    summary: Text | None = Field(
        default=None, description="only events of `ics` that are called so", examples=["Patch night"]
    )
    months: list[Month] = Field(
        default_factory=list, description="only in these months; otherwise in all", examples=[["jan", "apr"]]
    )
    interval: Nth = Field(
        default=1,
        description="only every so many of the dates that `day` names in its `months`, counted from the first on or after `since`",
        examples=[2],
    )
    since: Date | None = Field(default=None, description="no date before this one counts", examples=["2026-01-03"])
    offset_days: Days = Field(
        default=0, description="it opens so many days after the date that the rule names, or before it", examples=[5]
    )
    calendar: Name | None = Field(
        default=None, description="a calendar: which days are worked, for `roll` and workdays", examples=["berlin"]
    )
    roll: Literal["none", "next_workday", "previous_workday", "skip"] = Field(
        default="none", description="where an opening goes that falls on a day that is not worked"
    )
    exdate: list[Date] = Field(
        default_factory=list,
        description="it does not open on these dates, after offset and roll",
        examples=[["2026-12-31"]],
    )
    rdate: list[Date] = Field(
        default_factory=list, description="it opens on these dates, too", examples=[["2026-12-30"]]
    )
    start: TimeOfDay | None = Field(
        default=None,
        description="the wall clock at which it opens, quoted; of one that occurs twice the first counts",
        examples=["22:00"],
    )
    dst: Literal["shift", "skip"] = Field(
        default="shift",
        description="a start that the clocks jump over: moved to the first moment that exists, or left out",
    )
    duration: Length | None = Field(
        default=None,
        description="how long it is: hours are elapsed time, a day ends at the same wall clock",
        examples=["4h"],
    )
    until: TimeOfDay | None = Field(
        default=None,
        description="the wall clock at which it closes, quoted; on the next day when not later than `start`",
        examples=["04:00"],
    )
    cutoff: Span = Field(default=timedelta(0), description="no new batch of hosts in this last part", examples=["45m"])
    at_end: Literal["finish_batch", "finish_task", "cancel"] = Field(
        default="finish_batch", description="what happens to a batch that is running when it closes"
    )
    freeze: Literal["cut", "skip"] = Field(
        default="cut",
        description="what a freeze leaves of an opening that it touches: the longest free part, or nothing",
    )
    min_usable: Span = Field(
        default=timedelta(0),
        description="a part shorter than this, left by a freeze, counts as frozen",
        examples=["90m"],
    )
    splay: Span = Field(
        default=timedelta(0),
        description="each schedule begins up to so much later, always by the same amount on the same date",
        examples=["5m"],
    )

    def to_domain(
        self,
        name: str,
        *,
        zone: str,
        source: str,
        calendar: work.Calendar | None = None,
        rule: OtherRule | None = None,
        events: Events | None = None,
    ) -> MaintenanceWindow:
        """The window as the rest of the program knows it; `zone` is for a window that names none."""
        return MaintenanceWindow(
            name=name,
            timezone=self.timezone or zone,
            day=self.day,
            rule=rule,
            events=events,
            start=self.start,
            duration=self.duration.elapsed if self.duration else None,
            days=self.duration.days if self.duration else 0,
            until=self.until,
            cutoff=self.cutoff,
            at_end=AtEnd(self.at_end),
            months=tuple(sorted(set(self.months))),
            interval=self.interval,
            since=self.since,
            offset_days=self.offset_days,
            calendar=calendar,
            roll=Roll(self.roll),
            without=tuple(sorted(set(self.exdate))),
            besides=tuple(sorted(set(self.rdate))),
            missing=Missing(self.dst),
            when_frozen=WhenFrozen(self.freeze),
            min_usable=self.min_usable,
            splay=self.splay,
            source=source,
        )


class HolidaysOf(Shape):
    """The public holidays of a country, as the package `holidays` knows them; install it with wellkept[holidays]."""

    country: Text = Field(description="two letters of ISO 3166, quoted where YAML takes them for no", examples=["DE"])
    subdivision: Text | None = Field(
        default=None, description="a state or region, as the package names it", examples=["BE"]
    )


class Calendar(Shape):
    """Which days are worked: these weekdays, but no holiday."""

    workdays: list[Weekday] = Field(
        default_factory=lambda: list(work.MONDAY_TO_FRIDAY),
        min_length=1,
        description="weekdays; Monday to Friday when left out",
        examples=[["mon", "tue", "wed", "thu"]],
    )
    holidays: HolidaysOf | None = Field(default=None, description="public holidays")
    dates: list[Date] = Field(
        default_factory=list, description="further days that are not worked", examples=[["2026-12-24", "2026-12-31"]]
    )
    file: Text | None = Field(
        default=None, description="a calendar file below the root, whose events are not worked", examples=["berlin.ics"]
    )

    def to_domain(self, name: str, *, holidays: work.Holidays | None) -> work.Calendar:
        """The calendar as the rest of the program knows it."""
        return work.Calendar(name, tuple(sorted(set(self.workdays))), tuple(sorted(set(self.dates))), holidays)


class AppliesTo(Shape):
    """What a freeze means; everything that bears one of these names."""

    services: list[Name] = Field(default_factory=list, description="services of wellkept.yml")
    schedules: list[Name] = Field(default_factory=list, description="schedules by name")
    windows: list[Name] = Field(default_factory=list, description="windows by name")


class _Freeze(Shape):
    name: Name = Field(description="its name", examples=["year-end"])
    applies_to: AppliesTo = Field(default_factory=AppliesTo, description="what it means; everything when left out")
    allow: list[Literal["read_only", "emergency", "standard", "normal"]] = Field(
        default=["read_only"],
        description="what passes all the same: read-only work, or a type of change",
        examples=[["emergency", "read_only"]],
    )
    reason: Text | None = Field(default=None, description="why, in plain words")
    owner: Name | None = Field(default=None, description="the person or team that asked for it")

    def _of_every_freeze(self, source: str) -> dict[str, Any]:
        return {
            "name": self.name,
            "services": tuple(self.applies_to.services),
            "schedules": tuple(self.applies_to.schedules),
            "windows": tuple(self.applies_to.windows),
            "allow": tuple(self.allow),
            "reason": self.reason or "",
            "owner": self.owner,
            "source": source,
        }


class FreezeEveryYear(_Freeze):
    """A freeze of whole days in every year."""

    every_year: Yearly = Field(
        description="first and last day, both included, possibly over new year", examples=["12-20..01-06"]
    )
    timezone: Zone | None = Field(
        default=None, description="an IANA name; otherwise the default of wellkept.yml, then the system's"
    )

    def to_domain(self, *, zone: str, source: str) -> freezes.Freeze:
        """The freeze as the rest of the program knows it."""
        return freezes.Freeze(
            every_year=self.every_year, timezone=self.timezone or zone, **self._of_every_freeze(source)
        )


class FreezeBetween(_Freeze):
    """A freeze between two instants."""

    from_: Instant = Field(
        alias="from", description="date, time and offset at which it begins", examples=["2026-11-27T18:00+01:00"]
    )
    to: Instant = Field(description="date, time and offset at which it ends", examples=["2026-11-30T09:00+01:00"])

    def to_domain(self, *, zone: str, source: str) -> freezes.Freeze:
        """The freeze as the rest of the program knows it."""
        return freezes.Freeze(starts=self.from_, ends=self.to, **self._of_every_freeze(source))


class FreezeByEvents(_Freeze):
    """A freeze during the events of calendar files."""

    ics: Paths = Field(
        description="a calendar file, or several, below the root; all of its events", examples=["freezes/board.ics"]
    )
    timezone: Zone | None = Field(
        default=None,
        description="an IANA name, for events of whole days; otherwise the default of wellkept.yml, then the system's",
    )

    def to_domain(self, *, zone: str, source: str, events: Events) -> freezes.Freeze:
        """The freeze as the rest of the program knows it."""
        return freezes.Freeze(events=events, timezone=self.timezone or zone, **self._of_every_freeze(source))


class FreezeOnHolidays(_Freeze):
    """A freeze on every holiday of a calendar, each from midnight to midnight."""

    holidays: Name = Field(
        description="a calendar, whose holidays, dates and file are meant; days of the week that it does not work are not",
        examples=["berlin"],
    )
    timezone: Zone | None = Field(
        default=None, description="an IANA name; otherwise the default of wellkept.yml, then the system's"
    )

    def to_domain(self, *, zone: str, source: str, calendar: work.Calendar) -> freezes.Freeze:
        """The freeze as the rest of the program knows it."""
        return freezes.Freeze(calendar=calendar, timezone=self.timezone or zone, **self._of_every_freeze(source))


def freeze_kind(value: object) -> str:
    """Tell the kind of a freeze by its keys, before anything is validated."""
    keys = value if isinstance(value, dict) else {}
    return next((kind for key, kind in _FREEZE_KINDS.items() if key in keys), "<between>")


_FREEZE_KINDS = {"every_year": "<every_year>", "ics": "<ics>", "holidays": "<holidays>"}


AnyFreeze = Annotated[
    Annotated[FreezeEveryYear, Tag("<every_year>")]
    | Annotated[FreezeByEvents, Tag("<ics>")]
    | Annotated[FreezeOnHolidays, Tag("<holidays>")]
    | Annotated[FreezeBetween, Tag("<between>")],
    Discriminator(freeze_kind),
]


class WindowsFile(Shape):
    """Windows, freezes and calendars, by name."""

    calendars: dict[Name, Calendar] = Field(default_factory=dict, description="which days are worked")
    windows: dict[Name, Window] = Field(default_factory=dict, description="when change may happen")
    freezes: list[AnyFreeze] = Field(default_factory=list, description="when change may not happen")
