"""Valid models into domain values, with what was left out filled in, and said."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from sys import intern
from typing import Any

from runner.config.declared import Declared
from runner.config.environment import expand, missing
from runner.config.ground import FROM_ANSIBLE, Ground, inventories_declared
from runner.config.models.schedule import OF_A_SLOT, ScheduleFile
from runner.config.models.settings import SettingsFile
from runner.config.rules.schedules import is_manual
from runner.domain.execution.own_ansible import AnsibleSettings
from runner.domain.execution.schedule import Schedule
from runner.domain.health import Check
from runner.domain.settings import Definitions, Inventory, Settings
from runner.domain.tickets.cause import CauseTable
from runner.domain.time.duration import parse_timedelta
from runner.domain.time.window import ALWAYS, MaintenanceWindow

_SQLITE = "sqlite:///"
_BY_DEFAULT = {
    "effect": "change",
    "change": "standard",
    "split": "hosts",
    "waves": "a canary of 1 from five hosts up, then the rest",
    "concurrency": "10",
    "failure_budget": "0, so the first failure stops it",
    "late_start": "until_cutoff",
    "catch_up": "none",
    "overlap": "forbid",
}
_NOT_WHOLE = ("waves", "concurrency")
_OF_WINDOW = {"cutoff": "0m", "at_end": "finish_batch"}


def assemble(ground: Ground) -> Definitions:
    """Everything that the files say, as the rest of the program knows it; all files must be valid."""
    declared = ground.declared
    assert declared.settings and declared.settings.model  # noqa: S101, PT018  valid, as the caller has made sure
    windows = {name: ground.window(window) for name, window in declared.windows.items()}
    windows[ALWAYS] = MaintenanceWindow(ALWAYS, source="built in")
    settings = settings_of(declared.settings.model, ground)
    schedules = {name: _schedule(schedule, windows, ground, settings) for name, schedule in declared.schedules.items()}
    return Definitions(
        settings=_asking(settings, schedules.values()),
        schedules=schedules,
        windows=windows,
        freezes=tuple(ground.freeze(freeze) for freeze in declared.freezes.values() if freeze.model),
        checks={name: _check(check, ground) for name, check in declared.checks.items()},
        reports={
            name: report.model.to_domain(source=report.place)
            for name, report in declared.reports.items()
            if report.model
        },
        requirements=ground.requirements.wanted,
        causes=CauseTable(tuple(rule.model.to_domain() for rule in declared.causes.values() if rule.model)),
    )


def _asking(settings: Settings, schedules: Iterable[Schedule]) -> Settings:
    """The settings, with the variables of hosts that schedules need from each inventory."""
    wanted: dict[str, list[str]] = {}
    for schedule in schedules:
        wanted.setdefault(schedule.inventory, []).extend(schedule.apart)
    inventories = {
        name: replace(inventory, variables=tuple(sorted(set(wanted.get(name, ())))))
        for name, inventory in settings.inventories.items()
    }
    return replace(settings, inventories=inventories)


def settings_of(model: SettingsFile, ground: Ground) -> Settings:
    """The settings, with absolute paths and without references to the environment."""
    environ, root = ground.environ, ground.root
    ansible = model.ansible.to_domain()
    inventories = {name: inventory.to_domain(name, ansible) for name, inventory in model.inventories.items()}
    if not inventories_declared(ground.declared) and ground.ansible.inventory:
        inventories[FROM_ANSIBLE] = Inventory(FROM_ANSIBLE, ground.ansible.inventory, ansible=ansible)
    asked = ground.requirements.wanted
    inventories = (
        {name: replace(each, requirements=asked) for name, each in inventories.items()} if asked else inventories
    )
    return Settings(
        root=root,
        organisation=model.organisation,
        database=_database(expand(model.database, environ), root),
        state_dir=root / expand(model.state_dir, environ),
        timezone=ground.zone.value,
        default_inventory=ground.inventory.value if ground.inventory else None,
        default_owner=ground.owner.value if ground.owner else None,
        strict=model.strict,
        inventories=inventories,
        secrets=model.secrets.to_domain(),
        people={name: person.to_domain(name) for name, person in model.people.items()},
        teams={name: team.to_domain(name) for name, team in model.teams.items()},
        services={name: service.to_domain(name) for name, service in model.services.items()},
        ansible=ansible,
        horizon=model.horizon,
        dead_man_ping=model.dead_man_ping.to_domain(environ) if model.dead_man_ping else None,
        boundaries=model.boundaries.to_domain(),
        alertmanager=model.alerts.alertmanager.to_domain() if model.alerts else None,
        upgrade_at_least=model.boundaries.upgrade_at_least.to_domain(),
        approval=model.boundaries.approval.to_domain(),
        signing_key=_signing_key(model, ground),
    )


def _database(url: str, root: Path) -> str:
    """The address of the database, a relative path of SQLite made absolute."""
    if not url.startswith(_SQLITE):
        return url
    return f"{_SQLITE}{root / url.removeprefix(_SQLITE)}"


def _signing_key(model: SettingsFile, ground: Ground) -> Path | None:
    """The file of the signing key; None, for the default one, when none is named or its variable is not set."""
    if model.signing is None or missing(model.signing.key, ground.environ):
        return None
    return ground.root / Path(expand(model.signing.key, ground.environ)).expanduser()


def _check(check: Declared[Any], ground: Ground) -> Check:
    assert check.model  # noqa: S101  valid, as the caller has made sure
    found: Check = check.model.to_domain(
        check.name, inventory=ground.inventory.value if ground.inventory else "", source=check.place
    )
    return found


def _schedule(
    schedule: Declared[ScheduleFile], windows: dict[str, MaintenanceWindow], ground: Ground, settings: Settings
) -> Schedule:
    """A schedule, with what it left out filled in."""
    model = schedule.model
    assert model  # noqa: S101  valid, as the caller has made sure
    fallback = ground.inventory.value if ground.inventory else ""
    owner = model.owner or model.change.owner or (ground.owner.value if ground.owner else None)
    inline = ground.declared.inline_windows.get(schedule.name)
    inventory = "" if is_manual(schedule) else model.inventory or fallback
    return model.to_domain(
        schedule.name,
        title=model.title or _first_play(schedule, ground),
        inventory=inventory,
        ansible=settings.inventories[inventory].ansible if inventory else AnsibleSettings(),
        reserve=model.reserve or parse_timedelta(ground.reserve.value),
        window=ground.window(inline) if inline else windows[str(model.window or ALWAYS)],
        owner=owner,
        source=schedule.place,
        defaults_used=tuple(map(intern, _defaults_used(schedule, ground))),  # thousands of schedules say the same
    )


def _first_play(schedule: Declared[ScheduleFile], ground: Ground) -> str:
    """The name of the first play, which is the title of a schedule without one."""
    plays = ground.playbook(str(schedule.raw["playbook"])).plays
    return plays[0].name if plays else schedule.name


def _defaults_used(schedule: Declared[ScheduleFile], ground: Ground) -> Iterator[str]:
    """Every value that the file left out, and where it was taken from."""
    raw, window, manual = schedule.raw, schedule.raw.get("window"), is_manual(schedule)
    change = raw.get("change") or {}
    if "schedule" not in raw:
        yield f"schedule: {schedule.name}, from the file's name"
    if "title" not in raw and not manual:
        yield f"title: {_first_play(schedule, ground)}, from the first play"
    if "inventory" not in raw and not manual and ground.inventory:
        yield f"inventory: {ground.inventory.value}, {ground.inventory.origin}"
    if "owner" not in raw and "owner" not in change and ground.owner:
        yield f"owner: {ground.owner.value}, {ground.owner.origin}"
    if _window_without_zone(window, ground):
        yield f"timezone: {ground.zone.value}, {ground.zone.origin}"
    if manual:
        return
    if isinstance(window, dict):
        yield from (f"{key}: {value}, by default" for key, value in _OF_WINDOW.items() if key not in window)
    yield from _of_runs(raw, ground)


def _of_runs(raw: Mapping[str, Any], ground: Ground) -> Iterator[str]:
    """What a schedule that runs a playbook left out about how it runs."""
    change = raw.get("change") or {}
    if "reserve" not in raw and "every" not in raw:
        yield f"reserve: {ground.reserve.value} for a host without a past, {ground.reserve.origin}"
    of_none = OF_A_SLOT if "every" in raw else ()
    for key, value in _BY_DEFAULT.items():
        left_out = "type" not in change if key == "change" else key not in raw
        if left_out and key not in of_none and not (raw.get("split") == "whole" and key in _NOT_WHOLE):
            yield f"{key}: {value}, by default"


def _window_without_zone(window: object, ground: Ground) -> bool:
    """Whether the window of a schedule, written in place or named, names no zone of its own."""
    if isinstance(window, dict):
        return "timezone" not in window
    named = ground.declared.windows.get(str(window))
    return named is not None and "timezone" not in named.raw
