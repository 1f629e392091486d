"""What Ansible says when it refuses a playbook, in one line, with the place that it names; by the forms of ansible-core 2.16 and of 2.19 and later."""

from __future__ import annotations

import re
from dataclasses import dataclass

_ERROR = re.compile(
    r"^(?:\[ERROR\]: |ERROR! )(?P<words>.+?)(?:\n\n|\nOrigin: |\nThe error appears|\Z)", re.MULTILINE | re.DOTALL
)
_ORIGIN = re.compile(r"^Origin: (?P<file>.+?):(?P<line>\d+)(?::(?P<column>\d+))?$", re.MULTILINE)
_OLDER_ORIGIN = re.compile(r"appears to be in '(?P<file>.+?)': line (?P<line>\d+), column (?P<column>\d+)")


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why Ansible refuses a playbook; `file` is relative to the repository, and empty (with line 0) when it names none there."""

    words: str
    file: str = ""
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.words} ({self.file}:{self.line}:{self.column})" if self.file else self.words


def refusal_in(said: str, *, project: str) -> Refusal | None:
    """The first error in what Ansible said, its paths relative to the folder `project`; None when there is none of a known form."""
    error = _ERROR.search(said)
    if error is None:
        return None
    words = " ".join(error["words"].split()).replace(f"{project}/", "").replace(project, ".")
    origin = _ORIGIN.search(said) or _OLDER_ORIGIN.search(said)
    if origin is None or not origin["file"].startswith(f"{project}/"):
        return Refusal(words)
    return Refusal(words, origin["file"].removeprefix(f"{project}/"), int(origin["line"]), int(origin["column"] or 1))
