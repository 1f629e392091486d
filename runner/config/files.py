"""Which files there are, and of which kind each is: its first top-level key tells."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Generic, TypeVar

from runner.config.models.causes import CausesFile
from runner.config.models.health import HealthFile
from runner.config.models.report import ReportFile
from runner.config.models.schedule import ScheduleFile
from runner.config.models.settings import SettingsFile
from runner.config.models.shape import Shape
from runner.config.models.windows import WindowsFile
from runner.config.nearest import nearest
from runner.config.not_yet import KEYS
from runner.config.source import Source
from runner.config.tree import LARGEST_FILE, load
from runner.config.validation import validate
from runner.config.wording import keys_of
from runner.errors import Problem

SETTINGS = "wellkept.yml"
FOLDERS = ("schedules", "reports")
OUTPUT = "output"  # reports/output holds written reports, no definitions
KINDS: dict[str, type[Shape]] = {
    "settings": SettingsFile,
    "windows": WindowsFile,
    "health": HealthFile,
    "causes": CausesFile,
    "report": ReportFile,
    "schedule": ScheduleFile,
}
_FREE = frozenset({"extra_vars"})
_ENDINGS = (".yml", ".yaml")
_OF_FOLDER = {"schedules": "schedule", "reports": "report"}

M_co = TypeVar("M_co", bound=Shape, covariant=True)


@dataclass(frozen=True, slots=True)
class Document(Generic[M_co]):
    """One file: its kind, what was read, and its model when it has no problem."""

    kind: str
    source: Source
    model: M_co | None


@dataclass(frozen=True, slots=True)
class Reading:
    """All files of a maintenance repository; `unread` when one of them could not be read as YAML at all."""

    documents: tuple[Document[Shape], ...]
    problems: tuple[Problem, ...]
    unread: bool


def read_files(root: Path, *, beside: Mapping[str, str] | None = None) -> Reading:
    """Read every file of definitions below the root, and the schedules beside them that stand in no file."""
    documents, problems, unread = [], [], False
    read = ((folder, *read_file(root, path, free=_FREE)) for path, folder in _files(root))
    loaded = (
        ("schedules", *load(text.encode(), name, tolerant=False, free=_FREE)) for name, text in (beside or {}).items()
    )
    for folder, source, found in chain(read, loaded):
        problems += found
        unread = unread or source is None
        if source is not None:
            kind = kind_of(source.value, folder)
            model, wrong = validate(KINDS[kind], source)
            documents.append(Document(kind, source, model if not found else None))
            told = {(problem.line, problem.column) for problem in found}
            problems += [problem for problem in wrong if (problem.line, problem.column) not in told]
    return Reading(tuple(documents), tuple(problems), unread)


def read_file(
    root: Path, path: Path, *, tolerant: bool = False, free: frozenset[str] = frozenset()
) -> tuple[Source | None, list[Problem]]:
    """Read one file of YAML; a folder, a pipe or a file that cannot be opened is a problem, never an exception."""
    name = shown(root, path)
    try:
        if path.is_dir():
            return None, [Problem(name, 0, 0, "is a folder; a file was expected. Rename it, or remove it")]
        if path.exists() and not path.is_file():
            return None, [Problem(name, 0, 0, "is no regular file. Put a plain file here")]
        with path.open("rb") as file:
            content = file.read(LARGEST_FILE + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        return None, [Problem(name, 0, 0, f"cannot be read: {reason}. Check that it is there, and its permissions")]
    return load(content, name, tolerant=tolerant, free=free)


def shown(root: Path, path: Path) -> str:
    """A path as problems show it: relative to the root, and always printable."""
    relative = os.path.relpath(path, root)
    return os.fsencode(relative).decode("utf-8", "replace").replace("\n", "?")


def kind_of(value: object, folder: str) -> str:
    """Tell the kind of a file by its first top-level key, or the nearest known one; otherwise by its folder."""
    if folder == SETTINGS:
        return "settings"
    usual = _OF_FOLDER[folder]
    first = next(iter(value), "") if isinstance(value, Mapping) else ""
    kinds = sorted(_FIRST_KEYS, key=lambda kind: kind != usual)
    for kind in kinds:
        if first in _FIRST_KEYS[kind]:
            return kind
    close = nearest(first, {key for keys in _FIRST_KEYS.values() for key in keys})
    return next((kind for kind in kinds if close in _FIRST_KEYS[kind]), usual)


_FIRST_KEYS: dict[str, frozenset[str]] = {
    kind: frozenset([*keys_of(model), *KEYS.get(model.__name__, ())])
    for kind, model in KINDS.items()
    if kind != "settings"
}


def _files(root: Path) -> Iterator[tuple[Path, str]]:
    """Every file of definitions, and the folder (or wellkept.yml) that it was found in, in the order of names."""
    yield root / SETTINGS, SETTINGS
    for folder in FOLDERS:
        for path in sorted(_below(root / folder, leave_out=OUTPUT if folder == "reports" else "")):
            yield path, folder


def _below(folder: Path, *, leave_out: str) -> Iterator[Path]:
    """The YAML files of a folder and its subfolders; hidden ones are left out."""
    for here, folders, files in os.walk(folder):
        yield from (Path(here, name) for name in folders if name.endswith(_ENDINGS) and not name.startswith("."))
        folders[:] = [name for name in folders if not name.startswith(".") and name != leave_out]
        yield from (Path(here, name) for name in files if name.endswith(_ENDINGS) and not name.startswith("."))
