"""What all rules look at: the declarations, their names, the defaults, and the playbooks that they name."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

from runner.config.ansible_cfg import AnsibleConfig, read_ansible_config
from runner.config.declared import Declarations, Declared
from runner.config.models.own_ansible import Ansible
from runner.config.models.settings import Defaults
from runner.config.models.windows import Window
from runner.config.names import Names, names_of
from runner.config.playbooks import Playbook, read_playbook
from runner.config.requirements import RequirementsRead, read_requirements
from runner.config.timing import Trouble, calendars_of, freeze_of, window_of
from runner.config.zones import system_zone
from runner.domain.execution.own_ansible import RequirementsUse
from runner.domain.execution.schedule import RESERVE
from runner.domain.time.duration import describe
from runner.domain.time.freeze import Freeze
from runner.domain.time.window import MaintenanceWindow
from runner.domain.time.workdays import Calendar
from runner.ports import DateSources

S = TypeVar("S", Defaults, Ansible)
FROM_ANSIBLE = "default"  # the name of an inventory that only ansible.cfg knows


@dataclass(frozen=True, slots=True)
class Fallback:
    """A value for what a definition leaves out, and where it comes from."""

    value: str
    origin: str


@dataclass(frozen=True, slots=True)
class Ground:
    """Everything that rules need to know; `today` bounds what is looked at ahead. A calendar that is broken is there as what is wrong with it."""

    root: Path
    declared: Declarations
    names: Names
    environ: Mapping[str, str]
    today: date
    zone: Fallback
    inventory: Fallback | None
    owner: Fallback | None
    reserve: Fallback
    ansible: AnsibleConfig
    requirements: RequirementsRead
    calendars: Mapping[str, Calendar | Trouble] = field(default_factory=dict)
    sources: DateSources | None = None
    _playbooks: dict[str, Playbook] = field(default_factory=dict)

    def playbook(self, path: str) -> Playbook:
        """The plays of a playbook, read once."""
        if path not in self._playbooks:
            self._playbooks[path] = read_playbook(self.root / path, root=self.root)
        return self._playbooks[path]

    def window(self, window: Declared[Window]) -> MaintenanceWindow:
        """A window of valid shape as the domain knows it; raises ValueError for a rule that cannot be read."""
        return window_of(window, zone=self.zone.value, calendars=self.calendars, sources=self.sources, root=self.root)

    def freeze(self, freeze: Declared[Any]) -> Freeze:
        """A freeze of valid shape as the domain knows it; raises ValueError for a calendar file that cannot be read."""
        return freeze_of(freeze, zone=self.zone.value, calendars=self.calendars, sources=self.sources, root=self.root)

    def has(self, path: str) -> bool:
        """Whether there is such a file or folder; a relative path is one below the root."""
        try:
            return (self.root / path).exists()
        except (OSError, ValueError):
            return False

    def path_problem(self, path: str, *, what: str) -> str | None:
        """What is wrong with the path of a file that runs are executed from: it must be there, below the root."""
        target = self.root / path
        if not os.path.normpath(target).startswith(os.path.normpath(self.root) + os.sep):
            return f"{path} lies outside of the maintenance repository, of which runs take a copy. Move it inside"
        try:
            found = target.is_file()
        except ValueError:
            found = False
        return None if found else f"there is no {what} {path}. Paths are relative to the folder of wellkept.yml"


def survey(
    declared: Declarations, *, root: Path, environ: Mapping[str, str], today: date, sources: DateSources | None = None
) -> Ground:
    """Look up the defaults: from wellkept.yml, then ansible.cfg and this machine's zone."""
    defaults = _section(declared, "defaults", Defaults)
    ansible = _section(declared, "ansible", Ansible)
    config = read_ansible_config(root, chosen=ansible.config, environ=environ)
    return Ground(
        root=root,
        declared=declared,
        names=names_of(declared),
        environ=environ,
        today=today,
        zone=_named(defaults.timezone) or Fallback(system_zone(environ), "from the system"),
        inventory=_named(defaults.inventory) or _the_only(declared) or _from_ansible(config),
        owner=_named(defaults.owner),
        reserve=_named(describe(defaults.reserve) if defaults.reserve else None)
        or Fallback(describe(RESERVE), "by default"),
        ansible=config,
        requirements=read_requirements(root) if _installs(declared, ansible) else RequirementsRead(),
        calendars=calendars_of(declared.calendars, sources, root),
        sources=sources,
    )


def inventories_declared(declared: Declarations) -> list[str]:
    """The names of inventories in wellkept.yml, valid or not."""
    found = declared.settings.raw.get("inventories") if declared.settings else None
    return list(found) if isinstance(found, dict) else []


def _installs(declared: Declarations, ansible: Ansible) -> bool:
    """Whether requirements files are installed for anything: unless told otherwise they are."""
    if ansible.to_domain().installs:
        return True
    names = inventories_declared(declared)
    said = [
        declared.settings.texts("inventories", name, "ansible", "requirements") for name in names if declared.settings
    ]
    said += [schedule.texts("ansible", "requirements") for schedule in declared.schedules.values()]
    return any(text == RequirementsUse.INSTALL for texts in said for _, text in texts)


def _section(declared: Declarations, key: str, shape: type[S]) -> S:
    found = declared.settings.value(key) if declared.settings else None
    return found if isinstance(found, shape) else shape()


def _named(value: str | None) -> Fallback | None:
    return Fallback(value, "from wellkept.yml") if value else None


def _the_only(declared: Declarations) -> Fallback | None:
    """The one inventory of wellkept.yml, when there is no other."""
    names = inventories_declared(declared)
    return Fallback(names[0], "the only one in wellkept.yml") if len(names) == 1 else None


def _from_ansible(config: AnsibleConfig) -> Fallback | None:
    return Fallback(FROM_ANSIBLE, f"from {config.file}") if config.inventory else None
