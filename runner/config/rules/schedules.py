"""Schedules: names that exist, waves in an order that makes sense, and somebody who answers for them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from runner.config.declared import Declared
from runner.config.ground import Ground
from runner.config.models.schedule import OF_A_PLAYBOOK, ScheduleFile, Wave
from runner.config.names import CHECK, INVENTORY, OWNER, WINDOW
from runner.config.rules import cadences
from runner.domain.execution.approval import Policy
from runner.domain.execution.schedule import ChangeType
from runner.domain.rights import holders
from runner.domain.time.window import ALWAYS
from runner.domain.who import Right
from runner.errors import Problem

HEALTH = "health:"
_EXAMPLES = {"playbook": "playbook: playbooks/patch.yml", "hosts": "hosts: web", "window": "window: prod-patch"}
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.@-]*")
_NOT_WITH_WHOLE = ("waves", "concurrency", "apart")
_OF_A_DUTY = ("schedule", "title", "why", "owner", "kind", "window", "change", "enabled")


def problems(ground: Ground) -> Iterator[Problem]:
    """Everything that is wrong with schedules beyond their shape, but for their playbooks."""
    strict = bool(ground.declared.settings and ground.declared.settings.value("strict"))
    for schedule in ground.declared.schedules.values():
        yield from _name(schedule)
        yield from _duty(schedule) if is_manual(schedule) else _playbook(schedule)
        yield from cadences.problems(schedule)
        yield from _references(schedule, ground)
        yield from _answered_for(schedule, ground, severity="error" if strict else "warning")
        yield from _waves(schedule)
        yield from _whole(schedule)
        yield from _alerts(schedule, ground)
        yield from _on_failure(schedule)
        yield from _approved(schedule, ground)


def _name(schedule: Declared[ScheduleFile]) -> Iterator[Problem]:
    """The name of a file is the schedule's, unless the file says otherwise."""
    if "schedule" not in schedule.raw and not _NAME.fullmatch(schedule.name):
        says = f"{schedule.name!r}, the file's name, is no name of a schedule. Rename the file, or add schedule: NAME"
        yield schedule.problem(says=says)


def is_manual(schedule: Declared[ScheduleFile]) -> bool:
    """Whether it is a duty of a person, and runs no playbook."""
    return schedule.raw.get("kind") == "manual"


def _playbook(schedule: Declared[ScheduleFile]) -> Iterator[Problem]:
    """What runs a playbook says which, and where."""
    for key in (*OF_A_PLAYBOOK, *(() if "every" in schedule.raw else ("window",))):
        if isinstance(schedule.source.at(()), dict) and key not in schedule.raw:
            yield schedule.problem(says=f"{key}: is missing. Add it, such as {_EXAMPLES[key]}")


def _duty(schedule: Declared[ScheduleFile]) -> Iterator[Problem]:
    """A person's duty has nothing to run, a name that people know it by, and a window in which it comes due."""
    for key in schedule.raw:
        if key in ScheduleFile.model_fields and key not in _OF_A_DUTY:
            yield schedule.problem(key, says=f"{key}: a manual duty runs no playbook. Remove it", at_key=True)
    if "title" not in schedule.raw:
        yield schedule.problem(says="title: is missing. Say what is to be done, such as title: Restore rehearsal")
    if "window" not in schedule.raw:
        yield schedule.problem(says="window: is missing. Add it, such as window: prod-patch")
    if schedule.raw.get("window") == ALWAYS:
        says = "window: always never opens, so a manual duty would never come due in it. Name a window that opens and closes"
        yield schedule.problem("window", says=says)


def _references(schedule: Declared[ScheduleFile], ground: Ground) -> Iterator[Problem]:
    """Names that nothing bears, and an inventory that nobody names."""
    yield from ground.names.check(schedule, INVENTORY, "inventory")
    yield from ground.names.check(schedule, OWNER, "owner")
    yield from ground.names.check(schedule, OWNER, "change", "owner")
    yield from ground.names.check(schedule, WINDOW, "window")
    for key in ("before", "after"):
        for path, text in schedule.texts(key):
            if text.startswith(HEALTH):
                yield from ground.names.check_one(schedule, CHECK, path, text.removeprefix(HEALTH))
    if "inventory" not in schedule.raw and not ground.inventory and schedule.raw and not is_manual(schedule):
        says = "inventory: none is named, and there is no default. Add inventory: NAME, or a default in wellkept.yml: defaults: {inventory: NAME}"
        yield schedule.problem(says=says)


def _answered_for(schedule: Declared[ScheduleFile], ground: Ground, *, severity: str) -> Iterator[Problem]:
    """Somebody answers for a schedule, and it is told what for."""
    change = schedule.raw.get("change")
    owned = "owner" in schedule.raw or (isinstance(change, dict) and "owner" in change) or ground.owner
    if not owned and schedule.raw:
        says = "owner is missing: nobody answers for this schedule. Add owner: NAME, or a default in wellkept.yml"
        yield schedule.problem(says=says, severity=severity)
    if "why" not in schedule.raw and schedule.raw:
        says = "why is missing: reports cannot say what this is good for. Add why: and a sentence"
        yield schedule.problem(says=says, severity=severity)


def _waves(schedule: Declared[ScheduleFile]) -> Iterator[Problem]:
    """Each wave has a name of its own, and the one that takes whatever is left comes last."""
    waves = schedule.value("waves")
    if not isinstance(waves, list):
        return
    seen: set[str] = set()
    for number, wave in enumerate(waves):
        assert isinstance(wave, Wave)  # noqa: S101  tells the type only
        if wave.name in seen:
            says = f"name: there are two waves {wave.name!r}. Rename one"
            yield schedule.problem("waves", number, "name", says=says)
        seen.add(wave.name)
        if wave.size is None and wave.hosts is None and number < len(waves) - 1:
            says = f"waves: {wave.name!r} has no size, so it takes whatever is left, and nothing remains for later waves. Give it a size, or put it last"
            yield schedule.problem("waves", number, says=says)


def _whole(schedule: Declared[ScheduleFile]) -> Iterator[Problem]:
    """A playbook that is called once for all hosts has no waves."""
    if schedule.raw.get("split") == "whole":
        for key in _NOT_WITH_WHOLE:
            if key in schedule.raw:
                says = f"{key}: has no effect with split: whole, which calls Ansible once for all hosts. Remove it, or write split: hosts"
                yield schedule.problem(key, says=says, at_key=True)


def _alerts(schedule: Declared[ScheduleFile], ground: Ground) -> Iterator[Problem]:
    """Whoever waits for alerts to be over knows where they are heard."""
    settings = ground.declared.settings
    waits = any(text == "alerts" for _, text in schedule.texts("hold_on"))
    if waits and settings and "alerts" not in settings.raw:
        says = 'hold_on: nobody is named who could be asked for alerts. Add to wellkept.yml: alerts: {alertmanager: {url: "http://127.0.0.1:9093"}}'
        yield schedule.problem("hold_on", says=says, at_key=True)


def _on_failure(schedule: Declared[ScheduleFile]) -> Iterator[Problem]:
    """One call for all hosts cannot be repeated for some, and what changes nothing has nothing to take back."""
    wanted = schedule.raw.get("on_failure")
    if not isinstance(wanted, dict):
        return
    if "retry" in wanted and schedule.raw.get("split") == "whole":
        says = "retry: split: whole calls Ansible once for all hosts, and cannot call it again for some. Remove it, or write split: hosts"
        yield schedule.problem("on_failure", "retry", says=says, at_key=True)
    if "rollback" in wanted and schedule.raw.get("effect") == "read_only":
        says = "rollback: read-only work changes nothing that could be rolled back. Remove it"
        yield schedule.problem("on_failure", "rollback", says=says, at_key=True)


def _approved(schedule: Declared[ScheduleFile], ground: Ground) -> Iterator[Problem]:
    """A change that somebody else than its owner must approve has somebody else who may."""
    settings = ground.declared.settings.model if ground.declared.settings else None
    if settings is None or schedule.model is None or is_manual(schedule):
        return
    kind = schedule.model.change.type
    owner = schedule.model.owner or schedule.model.change.owner or (ground.owner.value if ground.owner else None)
    teams = {name: team.to_domain(name) for name, team in settings.teams.items()}
    allowed = holders(Right.APPROVE, teams)
    known = list(settings.people) if allowed is None else allowed
    anybody = allowed is None and not settings.people
    if (
        settings.boundaries.approval.to_domain()[ChangeType(kind)] is Policy.OTHER
        and not anybody
        and not {*known} - {owner}
    ):
        says = (
            f"change: nobody could approve a {kind} change here, as it wants somebody other than its owner. Add members to a team with "
            f"may: [approve], or write boundaries: {{approval: {{{kind}: self}}}} in wellkept.yml"
        )
        yield schedule.problem(*(["change"] if "change" in schedule.raw else []), says=says, severity="warning")
