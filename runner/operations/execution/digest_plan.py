"""What a plan is made from, and its digest: the schedule, the date, and the contents of every file that takes part (rule 16)."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from runner.domain.execution.approved_content import DATE, FILES, REQUIREMENTS, SCHEDULE, digest_of_content
from runner.domain.execution.plan import HEALTH_PREFIX
from runner.domain.execution.requirements import Installed
from runner.domain.execution.schedule import Schedule
from runner.domain.time.window import Opening

CACHES = {"__pycache__", ".git"}  # what nobody wrote, and no run takes along
BESIDE_PLAYBOOKS = ("roles", "group_vars", "host_vars")  # folders whose files take part in what a playbook does


def digest_of(schedule: Schedule, opening: Opening | None, root: Path, *, installed: Installed | None = None) -> str:
    """SHA-256 over the schedule, the dated opening and the contents of every file that takes part (rule 16)."""
    return digest_of_content(content_of(schedule, opening, root, installed=installed))


def content_of(
    schedule: Schedule,
    opening: Opening | None,
    root: Path,
    *,
    among: Collection[str] | None = None,
    installed: Installed | None = None,
) -> dict[str, object]:
    """What the digest is made from.

    In a working folder only the files `among` those that a run would take along count, so that its snapshot has the same digest.
    `installed` are the roles and collections of its requirements: their contents count, too.
    """
    names = {str(path.relative_to(root)): path for path in files_of(schedule, root)}
    return {
        SCHEDULE: as_json(schedule),
        DATE: opening.rule_date.isoformat() if opening and not schedule.window.is_always else None,
        FILES: {name: file_digest(path) for name, path in names.items() if among is None or name in among},
        **({REQUIREMENTS: installed.content} if installed else {}),
    }


def playbooks_in(schedule: Schedule) -> list[str]:
    """The playbooks that a schedule names."""
    named = (schedule.playbook, *schedule.before, *schedule.after, schedule.on_failure.rollback or "")
    return [name for name in named if name and not name.startswith(HEALTH_PREFIX)]


def files_of(schedule: Schedule, root: Path) -> list[Path]:
    """The playbooks of a schedule, and the roles and variable files beside them."""
    playbooks = [root / name for name in playbooks_in(schedule)]
    folders = [base / name for base in {root, *(path.parent for path in playbooks)} for name in BESIDE_PLAYBOOKS]
    below = [
        path for folder in folders for path in folder.rglob("*") if CACHES.isdisjoint(path.relative_to(root).parts)
    ]
    return sorted({path for path in (*playbooks, *below) if path.is_file()})


def file_digest(path: Path) -> str:
    """SHA-256 of a file's content."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def as_json(value: object) -> dict[str, object]:
    """A frozen value as JSON knows it: durations and times as text; what takes no part in comparing values, such as who reads a rule, is left out."""
    import json

    found: dict[str, object] = json.loads(json.dumps(plain(value), default=str, sort_keys=True))
    return found


def plain(value: object) -> object:
    """A value's parts as mappings and lists."""
    import dataclasses

    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {name: plain(getattr(value, name)) for name in compared_fields(type(value))}
    if isinstance(value, Mapping):
        return {key: plain(part) for key, part in value.items()}
    return [plain(part) for part in value] if isinstance(value, list | tuple) else value


@lru_cache(maxsize=256)
def compared_fields(kind: type[Any]) -> tuple[str, ...]:
    """The fields of a kind of value that count when two are compared."""
    import dataclasses

    return tuple(each.name for each in dataclasses.fields(kind) if each.compare)
