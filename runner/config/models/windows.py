"""Files of windows and freezes: when change may happen, and when not."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from runner.config.fields import Day, Instant, Length, Month, Name, Span, Text, TimeOfDay, Yearly, Zone
from runner.config.models.shape import Shape
from runner.domain.time import freeze as freezes
from runner.domain.time.window import AtEnd, MaintenanceWindow


class Window(Shape):
    """A recurring span in which change may happen; exactly one of `duration` and `until`."""

    timezone: Zone | None = Field(
        default=None,
        description="an IANA name; otherwise the default of wellkept.yml, then the system's",
        examples=["Europe/Berlin"],
    )
    day: Day = Field(
        description="`saturday`, `[sat, sun]`, `weekdays`, `daily`, `second tuesday` (first to fifth, last), `day 15` or `last day`",
        examples=["saturday"],
    )
    months: list[Month] = Field(
        default_factory=list, description="only in these months; otherwise in all", examples=[["jan", "apr"]]
    )
    start: TimeOfDay = Field(
        description="the wall clock at which it opens, quoted; a time that does not exist is shifted, of one that occurs twice the first counts",
        examples=["22:00"],
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

    def to_domain(self, name: str, *, zone: str, source: str) -> MaintenanceWindow:
        """The window as the rest of the program knows it; `zone` is for a window that names none."""
        return MaintenanceWindow(
            name=name,
            timezone=self.timezone or zone,
            day=self.day,
            start=self.start,
            duration=self.duration.elapsed if self.duration else None,
            days=self.duration.days if self.duration else 0,
            until=self.until,
            cutoff=self.cutoff,
            at_end=AtEnd(self.at_end),
            months=tuple(sorted(set(self.months))),
            source=source,
        )


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


def freeze_kind(value: object) -> str:
    """Tell the kind of a freeze by its keys, before anything is validated."""
    return "<every_year>" if isinstance(value, dict) and "every_year" in value else "<between>"


AnyFreeze = Annotated[
    Annotated[FreezeEveryYear, Tag("<every_year>")] | Annotated[FreezeBetween, Tag("<between>")],
    Discriminator(freeze_kind),
]


class WindowsFile(Shape):
    """Windows and freezes, by name."""

    windows: dict[Name, Window] = Field(default_factory=dict, description="when change may happen")
    freezes: list[AnyFreeze] = Field(default_factory=list, description="when change may not happen")
