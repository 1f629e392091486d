"""One tree of errors, each with its exit code; every message says place, problem and way out.

WellkeptError                 70  our own fault, unless a branch below says otherwise
|-- BadResult                  1  it was done, and the result is bad
|-- UsageError                 2  the command cannot be understood
|-- FilesInvalid               2  the maintenance repository's files have problems (all of them, at once)
|-- NotFound                   2  a name that nothing bears (with the nearest one)
|-- Held                       3  a guard says no, with its reason and until when
|-- Unknown                    4  the answer cannot be had now
|   `-- StoreUnavailable       4  the database is away, locked, full or of another version
`-- InternalError             70  a defect of ours; a report file is written and named
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing that is wrong in a file: the place, what is wrong there, and the way out.

    `file` is relative to the maintenance repository; `line` and `column` count from 1, and 0 means the whole file.
    """

    file: str
    line: int
    column: int
    message: str
    severity: str = "error"

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        label = "warning: " if self.severity == "warning" else ""
        return f"{place}: {label}{self.message}"


class WellkeptError(Exception):
    """Anything that Wellkept itself raises; the message is written for the person who reads it."""

    exit_code = 70


class BadResult(WellkeptError):
    """It was done, and the result is bad."""

    exit_code = 1


class UsageError(WellkeptError):
    """The command cannot be understood; the message says what to type instead."""

    exit_code = 2


class NotFound(WellkeptError):
    """Nothing bears that name; the message names the nearest one."""

    exit_code = 2


class FilesInvalid(WellkeptError):
    """The files of the maintenance repository have problems; nothing was changed."""

    exit_code = 2

    def __init__(self, problems: Sequence[Problem]) -> None:
        """Keep every problem, in the order of files and lines."""
        self.problems = tuple(sorted(problems))
        super().__init__("\n".join([*map(str, self.problems), self.summary()]))

    def summary(self) -> str:
        """Say how many problems there are in how many files."""
        files = len({problem.file for problem in self.problems})
        return f"{count(len(self.problems), 'problem')} in {count(files, 'file')}. Nothing was changed."


class Held(WellkeptError):
    """A guard says no; the message carries its reason and when the next chance is."""

    exit_code = 3


class Unknown(WellkeptError):
    """The answer cannot be had now; the message says what is in the way."""

    exit_code = 4


class StoreUnavailable(Unknown):
    """The database cannot be used: away, locked, full, not created yet, or of another version."""


class InternalError(WellkeptError):
    """A defect of ours; the message names the report file."""


def count(number: int, noun: str) -> str:
    """Put a number before its noun: `1 problem`, `2 problems`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
