"""Playbooks that schedules name: they are there, can be read, may be split, and are told what they ask for.

Measured on Ansible itself: called with `--limit` per batch of hosts, plays for localhost are skipped, `run_once` runs once per batch, and all of it
ends green. Whether a play's pattern lies inside the schedule's can only be told by Ansible, later.
"""

from __future__ import annotations

from collections.abc import Iterator

from runner.config.declared import Declared
from runner.config.ground import Ground
from runner.config.models.schedule import ScheduleFile
from runner.config.nearest import listed
from runner.config.playbooks import LOCALHOST, Obstacle, Play
from runner.config.rules.schedules import HEALTH
from runner.config.source import Path
from runner.errors import Problem

READINESS = ("readiness", "checks")
ROLLBACK = ("on_failure", "rollback")


def problems(ground: Ground) -> Iterator[Problem]:
    """Everything that is wrong with the playbooks of schedules; each file's own problems once."""
    told: set[Problem] = set()
    for schedule in ground.declared.schedules.values():
        for path, name in _named(schedule):
            fresh = [found for found in _of_playbook(schedule, path, name, ground) if found not in told]
            told.update(fresh)
            yield from fresh


def _named(schedule: Declared[ScheduleFile]) -> Iterator[tuple[Path, str]]:
    """Every playbook that a schedule names, and where."""
    for keys in (("playbook",), ("before",), READINESS, ("after",), ROLLBACK):
        for path, name in schedule.texts(*keys):
            if not name.startswith(HEALTH):
                yield path, name


def _of_playbook(schedule: Declared[ScheduleFile], path: Path, name: str, ground: Ground) -> Iterator[Problem]:
    """The problems of one playbook in one schedule."""
    called_for_some = path[len(schedule.path) :] == ROLLBACK
    key = ROLLBACK[-1] if called_for_some else str(path[len(schedule.path)])
    if says := ground.path_problem(name, what="playbook"):
        yield schedule.source.problem(path, f"{key}: {says}")
        return
    playbook = ground.playbook(name)
    yield from playbook.problems
    for play in playbook.plays:
        if says := _obstacles(schedule, play, called_for_some=called_for_some):
            yield schedule.source.problem(path, f"{key}: {says}")
        if says := _unanswered(schedule, play):
            yield schedule.source.problem(path, f"{key}: {says}")


def _obstacles(schedule: Declared[ScheduleFile], play: Play, *, called_for_some: bool) -> str | None:
    """Why a play cannot be called once per batch of hosts; None when it can, or when somebody vouches for it. A rollback is never called for all hosts."""
    if schedule.raw.get("split_is_safe") is True:
        return None
    if schedule.raw.get("split", "hosts") != "hosts" and not called_for_some:
        return None
    found = list(play.obstacles)
    if play.is_local and not any(name in str(schedule.raw.get("hosts", "")) for name in LOCALHOST):
        found.append(Obstacle(f"hosts: {play.hosts}", f"{play.file}:{play.line}"))
    if not found:
        return None
    several = ", ".join(f"{obstacle.what} ({obstacle.place})" for obstacle in found[:5])
    more = f" and {len(found) - 5} more" if len(found) > 5 else ""  # noqa: PLR2004  enough to show
    if called_for_some:
        return (
            f"{play.called} is called for the hosts that failed only, which it cannot be because of {several}{more}. "
            "Change it, or write split_is_safe: true if you know that it does no harm"
        )
    return (
        f"{play.called} cannot be called once per batch of hosts, because of {several}{more}. "
        "Write split: whole, or split_is_safe: true if you know that it does no harm"
    )


def _unanswered(schedule: Declared[ScheduleFile], play: Play) -> str | None:
    """Which variables a play needs that the schedule does not give."""
    given = schedule.raw.get("extra_vars")
    known = given.keys() if isinstance(given, dict) else ()
    missing = dict.fromkeys(name for name in (*play.variables, *play.prompts) if name not in known)
    if not missing:
        return None
    asks = "asks a person for" if missing.keys() <= set(play.prompts) else "needs"
    example = ", ".join(f"{name}: …" for name in missing)
    return f"{play.called} {asks} {listed(missing)}, and nobody answers in a window. Add extra_vars: {{{example}}}"
