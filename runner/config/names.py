"""Names that definitions refer to, and what to say when nothing bears one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from runner.config.declared import Declarations, Declared
from runner.config.nearest import listed, nearest
from runner.config.source import Path
from runner.domain.time.window import ALWAYS
from runner.errors import Problem

INVENTORY, PERSON, OWNER, SERVICE = "inventory", "person", "person or team", "service"
WINDOW, SCHEDULE, CHECK, CALENDAR = "window", "schedule", "health check", "calendar"
_SECTIONS = {INVENTORY: ("inventories",), PERSON: ("people",), OWNER: ("people", "teams"), SERVICE: ("services",)}
_WHERE = {
    INVENTORY: "below inventories: in wellkept.yml",
    PERSON: "below people: in wellkept.yml",
    OWNER: "below people: or teams: in wellkept.yml",
    SERVICE: "below services: in wellkept.yml",
    WINDOW: "below windows: in schedules/windows.yml",
    CALENDAR: "below calendars: in schedules/windows.yml",
    SCHEDULE: "in a file below schedules/",
    CHECK: "below health: in schedules/health.yml",
}


@dataclass(frozen=True, slots=True)
class Names:
    """For each kind of name: all names and where they are declared. `whole` unless a file could not be read."""

    places: Mapping[str, Mapping[str, str]]
    whole: bool

    def unknown(self, kind: str, name: str) -> str | None:
        """What to say when nothing of this kind bears the name; None when something does, or may."""
        known = self.places[kind]
        if name in known or not self.whole:
            return None
        close = nearest(name, known)
        if close:
            return f"there is no {kind} {name!r}. Did you mean {close!r}{_at(known[close])}?"
        others = f"Known: {listed(known)}; or declare it {_WHERE[kind]}" if known else f"Declare it {_WHERE[kind]}"
        return f"there is no {kind} {name!r}. {others}"

    def check(self, definition: Declared[Any], kind: str, *keys: str | int) -> Iterator[Problem]:
        """Every name at this key of a definition (one, or a list) that nothing bears."""
        for path, name in definition.texts(*keys):
            yield from self.check_one(definition, kind, path, name)

    def check_one(self, definition: Declared[Any], kind: str, path: Path, name: str) -> Iterator[Problem]:
        """The problem of one name at a path of the definition's file, when nothing bears it."""
        if says := self.unknown(kind, name):
            key = next(part for part in reversed(path) if isinstance(part, str))
            yield definition.source.problem(path, f"{key}: {says}")


def names_of(declared: Declarations) -> Names:
    """All names that the files declare, valid or not."""
    places: dict[str, dict[str, str]] = {kind: {} for kind in _WHERE}
    if declared.settings:
        for kind, sections in _SECTIONS.items():
            for section in sections:
                places[kind] |= _section(declared.settings, section)
    places[WINDOW] = {ALWAYS: "built in"} | {name: window.place for name, window in declared.windows.items()}
    places[CALENDAR] = {name: calendar.place for name, calendar in declared.calendars.items()}
    places[SCHEDULE] = {name: schedule.place for name, schedule in declared.schedules.items()}
    places[CHECK] = {name: check.place for name, check in declared.checks.items()}
    return Names(places, whole=declared.whole)


def _section(settings: Declared[Any], section: str) -> dict[str, str]:
    """The names of one mapping of wellkept.yml."""
    found = settings.raw.get(section)
    return {name: settings.source.place((section, name)) for name in found} if isinstance(found, dict) else {}


def _at(place: str) -> str:
    return f" ({place})" if ":" in place else ""
