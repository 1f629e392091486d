"""One file as it was read: its values, and where each key and value stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from runner.errors import Problem

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Mark:
    """Where a key or value stands (from 1), how it is written, and what YAML takes it for (`int`, `str`, `map` …)."""

    line: int
    column: int
    raw: str = ""
    tag: str = ""


@dataclass(frozen=True, slots=True)
class Source:
    """The values of one file, and the places of its keys and values by path; `file` is relative to the root."""

    file: str
    value: object
    keys: Mapping[Path, Mark] = field(default_factory=dict)
    values: Mapping[Path, Mark] = field(default_factory=dict)

    def at(self, path: Path) -> object:
        """The value at a path; None when there is none."""
        value = self.value
        for part in path:
            value = _inside(value, part)
        return value

    def place(self, path: Path) -> str:
        """Where the key at a path stands, as `file:line`."""
        return f"{self.file}:{self.mark_of_key(path).line}"

    def mark_of_key(self, path: Path) -> Mark:
        """The place of a key; for an item of a list, of the item; for what is not there, of what should hold it."""
        return self.keys.get(path) or self.mark_of_value(path)

    def mark_of_value(self, path: Path) -> Mark:
        """The place of a value; for what is not there, the key of what should hold it."""
        if path in self.values:
            return self.values[path]
        for length in range(len(path) - 1, -1, -1):
            if found := self.keys.get(path[:length]) or self.values.get(path[:length]):
                return found
        return Mark(1, 1)

    def problem(self, path: Path, message: str, *, at_key: bool = False, severity: str = "error") -> Problem:
        """A problem of this file at the value (or the key) of a path."""
        mark = self.mark_of_key(path) if at_key else self.mark_of_value(path)
        return Problem(self.file, mark.line, mark.column, message, severity)


def _inside(value: object, part: str | int) -> object:
    """What stands under a key of a mapping or at a place of a list; None when there is nothing."""
    if isinstance(value, dict):
        return value.get(part)
    if isinstance(value, list) and isinstance(part, int) and part < len(value):
        found: object = value[part]
        return found
    return None
