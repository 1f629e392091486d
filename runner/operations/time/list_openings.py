"""When schedules may run: every opening of their windows within a span, with what freezes and clock changes do to it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypedDict
from zoneinfo import ZoneInfo

from runner.domain.execution.schedule import Schedule
from runner.domain.settings import Definitions, Service
from runner.domain.time import occurrence
from runner.domain.time.window import MaintenanceWindow, Opening
from runner.errors import NotFound
from runner.operations.execution.find_schedule import schedule_named
from runner.operations.time.bind_freezes import binding_freezes
from runner.operations.time.note_rings import notes_on_rings

PLANNED, CUT_SHORT, FROZEN, SWITCHED_OFF = "planned", "cut short", "frozen", "switched off"


class Occurrence(TypedDict):
    """One line of the calendar.

    `state` is planned, cut short (by a freeze), frozen or switched off as the files say. Where the ledger knows more it is waived, due, running, or how it
    ended: a run's verdict, or missed, frozen, held, paused, skipped(overlap), done, unknown; unrecorded if it has begun and has no slot. `reason` is the
    ledger's, and empty where it has none. `usable_minutes` is what freezes and the splay leave.
    """

    schedule: str
    window: str
    opens: str
    closes: str
    opens_utc: str
    closes_utc: str
    last_start: str
    usable_minutes: int
    state: str
    reason: str
    notes: list[str]


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the calendar; `schedule` is empty when a window was asked for by itself. `reason` is why it is in its state, where the ledger says so."""

    schedule: str
    window: str
    zone: str
    opening: Opening
    state: str
    reason: str = ""

    def as_row(self) -> Occurrence:
        """The line for JSON: instants in ISO 8601 with offset, local and UTC."""
        opens, closes = self.opening.opens, self.opening.closes
        zone = ZoneInfo(self.zone)
        return {
            "schedule": self.schedule,
            "window": self.window,
            "opens": opens.astimezone(zone).isoformat(),
            "closes": closes.astimezone(zone).isoformat(),
            "opens_utc": opens.isoformat(),
            "closes_utc": closes.isoformat(),
            "last_start": self.opening.last_start.astimezone(zone).isoformat(),
            "usable_minutes": round((self.opening.usable_until - self.opening.usable_from).total_seconds() / 60),
            "state": self.state,
            "reason": self.reason,
            "notes": list(self.opening.notes),
        }


def list_openings(
    definitions: Definitions,
    *,
    from_: datetime,
    to: datetime,
    names: Collection[str] = (),
    window: str | None = None,
    services: Mapping[str, Sequence[Service]] | None = None,
) -> list[Entry]:
    """Every opening in [from_, to) by the files, in order; of the named schedules, of one window, or of all. Raises NotFound for a name that nothing bears.

    `services` says for each schedule which services its hosts serve; without it, freezes that are for services are not seen.
    """
    if window is not None:
        return of_window(window_named(window, definitions), definitions, from_=from_, to=to)
    chosen = [schedule_named(name, definitions) for name in names] or list(definitions.schedules.values())
    found = [
        entry
        for each in chosen
        for entry in of_schedule(each, definitions, from_=from_, to=to, services=(services or {}).get(each.name, ()))
    ]
    return sorted(found, key=place)


def place(entry: Entry) -> tuple[datetime, str]:
    """Where a line stands: by its opening, then by its schedule."""
    return entry.opening.opens, entry.schedule


def of_schedule(
    schedule: Schedule, definitions: Definitions, *, from_: datetime, to: datetime, services: Sequence[Service] = ()
) -> list[Entry]:
    """The openings of one schedule's window, cut by the freezes that bind it."""
    freezes = binding_freezes(schedule, definitions, services)
    return [
        Entry(
            schedule.name,
            schedule.window.name,
            schedule.window.timezone,
            with_notes(schedule.its(opening), schedule, definitions),
            state_of(opening, enabled=schedule.enabled),
        )
        for opening in occurrence.openings(schedule.window, freezes, from_=from_, to=to)
    ]


def with_notes(opening: Opening, schedule: Schedule, definitions: Definitions) -> Opening:
    """The opening with what stands in its way beside freezes, as far as the files tell."""
    return replace(opening, notes=(*opening.notes, *notes_on_rings(opening, schedule, definitions)))


def of_window(window: MaintenanceWindow, definitions: Definitions, *, from_: datetime, to: datetime) -> list[Entry]:
    """The openings of one window, cut by the freezes that hold for everything or for it."""
    freezes = [freeze for freeze in definitions.freezes if freeze.applies_to(schedule="", window=window.name)]
    return [
        Entry("", window.name, window.timezone, opening, state_of(opening, enabled=True))
        for opening in occurrence.openings(window, freezes, from_=from_, to=to)
    ]


def state_of(opening: Opening, *, enabled: bool) -> str:
    """What will become of an opening as the files have it."""
    if not enabled:
        return SWITCHED_OFF
    if opening.is_frozen:
        return FROZEN
    return CUT_SHORT if opening.frozen_by else PLANNED


def window_named(name: str, definitions: Definitions) -> MaintenanceWindow:
    """The window of that name, or an error that names the nearest."""
    import difflib

    if name not in definitions.windows:
        near = difflib.get_close_matches(name, definitions.windows, n=1)
        raise NotFound(f"There is no window {name!r}." + (f" Did you mean {near[0]!r}?" if near else ""))
    return definitions.windows[name]
