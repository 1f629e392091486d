"""Everything that the files declare, by name, whether or not it is valid: the ground that rules between files stand on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any, Generic, TypeVar

from runner.config.files import Document, Reading
from runner.config.models.causes import CauseRule
from runner.config.models.health import PROBES, HealthFile
from runner.config.models.report import ReportFile
from runner.config.models.schedule import ScheduleFile
from runner.config.models.settings import SettingsFile
from runner.config.models.shape import Shape
from runner.config.models.windows import (
    Calendar,
    FreezeBetween,
    FreezeByEvents,
    FreezeEveryYear,
    FreezeOnHolidays,
    Window,
    WindowsFile,
    freeze_kind,
)
from runner.config.source import Path, Source
from runner.config.validation import salvage, salvage_value, value_of
from runner.errors import Problem

M = TypeVar("M", bound=Shape)
AnyFreeze = FreezeEveryYear | FreezeBetween | FreezeByEvents | FreezeOnHolidays
_FREEZES: dict[str, type[Shape]] = {
    "<every_year>": FreezeEveryYear,
    "<between>": FreezeBetween,
    "<ics>": FreezeByEvents,
    "<holidays>": FreezeOnHolidays,
}


@dataclass(frozen=True, slots=True)
class Declared(Generic[M]):
    """One definition: its name, where it stands, and its model when it has no problem of shape."""

    name: str
    source: Source
    path: Path
    shape: type[M]
    model: M | None

    @property
    def raw(self) -> Mapping[str, Any]:
        """What stands in the file; empty when it is no mapping."""
        found = self.source.at(self.path)
        return found if isinstance(found, dict) else {}

    @property
    def place(self) -> str:
        """Where it is declared, as `file:line`."""
        return self.source.place(self.path)

    def value(self, key: str) -> object:
        """The value of a key, also when the rest has problems; its default when left out, None when it is wrong."""
        return salvage_value(self.shape, self.raw, key) if self.model is None else value_of(self.model, key)

    def texts(self, *keys: str | int) -> Iterator[tuple[Path, str]]:
        """The text at a path of keys, or each text of the list there, with its path."""
        found = self.source.at((*self.path, *keys))
        items = enumerate(found) if isinstance(found, list) else [(None, found)]
        for number, item in items:
            if isinstance(item, str):
                yield (*self.path, *keys) if number is None else (*self.path, *keys, number), item

    def problem(self, *keys: str | int, says: str, severity: str = "error", at_key: bool = False) -> Problem:
        """A problem at a key of this definition, or at the definition when no key is given."""
        path = (*self.path, *keys)
        return self.source.problem(path, says, at_key=at_key or not keys, severity=severity)


@dataclass(frozen=True, slots=True)
class Declarations:
    """All definitions of a maintenance repository; `whole` unless a file could not be read, so that names may be missing."""

    settings: Declared[SettingsFile] | None
    calendars: dict[str, Declared[Calendar]] = field(default_factory=dict)
    windows: dict[str, Declared[Window]] = field(default_factory=dict)
    inline_windows: dict[str, Declared[Window]] = field(default_factory=dict)
    freezes: dict[str, Declared[Any]] = field(default_factory=dict)
    schedules: dict[str, Declared[ScheduleFile]] = field(default_factory=dict)
    checks: dict[str, Declared[Any]] = field(default_factory=dict)
    reports: dict[str, Declared[ReportFile]] = field(default_factory=dict)
    causes: dict[str, Declared[CauseRule]] = field(default_factory=dict)
    whole: bool = True


def declare(reading: Reading) -> tuple[Declarations, list[Problem]]:
    """Collect all definitions; a name that is declared twice is a problem at the second place."""
    settings = next((d for d in reading.documents if d.kind == "settings"), None)
    declared = Declarations(_settings(settings) if settings else None, whole=not reading.unread)
    problems: list[Problem] = []
    for document in reading.documents:
        for word, table, definition in _definitions(document, declared):
            if first := table.get(definition.name):
                problems.append(_twice(word, definition, first))
            else:
                table[definition.name] = definition
    return declared, problems


def _definitions(document: Document[Shape], to: Declarations) -> Iterator[tuple[str, dict[str, Any], Declared[Any]]]:
    """The definitions of one file, each with its kind in words and the table it belongs into."""
    source = document.source
    match document.kind:
        case "windows":
            for name, calendar, path in _named(document, WindowsFile, "calendars", Calendar):
                yield "calendar", to.calendars, Declared(name, source, path, Calendar, calendar)
            for name, model, path in _named(document, WindowsFile, "windows", Window):
                yield "window", to.windows, Declared(name, source, path, Window, model)
            yield from (("freeze", to.freezes, freeze) for freeze in _freezes(source))
        case "health":
            for name, raw in _mapping(source, "health").items():
                yield "health check", to.checks, _check(name, source, raw)
        case "causes":
            yield from (("rule", to.causes, rule) for rule in _causes(source))
        case "schedule":
            schedule = _schedule(document)
            yield "schedule", to.schedules, schedule
            if isinstance(schedule.raw.get("window"), dict):
                window = salvage(Window, schedule.raw["window"])
                yield "window", to.inline_windows, Declared(schedule.name, source, ("window",), Window, window)
        case "report":
            yield from (("report", to.reports, report) for report in _reports(document))


def _settings(document: Document[Shape]) -> Declared[SettingsFile]:
    model = document.model if isinstance(document.model, SettingsFile) else None
    return Declared("settings", document.source, (), SettingsFile, model)


def _schedule(document: Document[Shape]) -> Declared[ScheduleFile]:
    """A schedule by its own name, or by that of its file."""
    model = document.model if isinstance(document.model, ScheduleFile) else None
    named = document.source.at(("schedule",))
    name = named if isinstance(named, str) else PurePosixPath(document.source.file).stem
    return Declared(name, document.source, (), ScheduleFile, model)


def _reports(document: Document[Shape]) -> Iterator[Declared[ReportFile]]:
    """The report of a file; one without a name is a problem already."""
    model = document.model if isinstance(document.model, ReportFile) else None
    called = document.source.at(("report",))
    if isinstance(called, str):
        yield Declared(called, document.source, (), ReportFile, model)


def _named(
    document: Document[Shape], kind: type[Shape], key: str, shape: type[M]
) -> Iterator[tuple[str, M | None, Path]]:
    """The named parts of a file, each with its model unless it has a problem itself."""
    for name, raw in _mapping(document.source, key).items():
        whole = getattr(document.model, key) if isinstance(document.model, kind) else {}
        yield name, whole.get(name) or salvage(shape, raw), (key, name)


def _check(name: str, source: Source, raw: object) -> Declared[Any]:
    """A health check; one with an unknown probe has a name all the same."""
    probe = raw.get("probe") if isinstance(raw, dict) else None
    shape: type[Shape] | None = PROBES.get(str(probe))
    return Declared(name, source, ("health", name), shape or HealthFile, salvage(shape, raw) if shape else None)


def _causes(source: Source) -> Iterator[Declared[CauseRule]]:
    """The rules of a file, by their places, for they have no names."""
    listed = source.at(("causes",))
    for number, raw in enumerate(listed if isinstance(listed, list) else []):
        path = ("causes", number)
        yield Declared(source.place(path) + f"#{number}", source, path, CauseRule, salvage(CauseRule, raw))


def _freezes(source: Source) -> Iterator[Declared[Any]]:
    """The freezes of a file; one without a name is a problem already."""
    listed = source.at(("freezes",))
    for number, raw in enumerate(listed if isinstance(listed, list) else []):
        shape = _FREEZES[freeze_kind(raw)]
        if isinstance(raw, dict) and isinstance(raw.get("name"), str):
            yield Declared(raw["name"], source, ("freezes", number), shape, salvage(shape, raw))


def _mapping(source: Source, key: str) -> Mapping[str, Any]:
    found = source.at((key,))
    return found if isinstance(found, dict) else {}


def _twice(word: str, second: Declared[Any], first: Declared[Any]) -> Problem:
    return second.problem(
        says=f"{word} {second.name!r} is declared twice, first in {first.place}. Rename one, or remove it"
    )
