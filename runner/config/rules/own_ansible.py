"""The user's own Ansible: what is named for everything, for an inventory or for a schedule must be there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from runner.config.declared import Declared
from runner.config.ground import Ground, inventories_declared
from runner.errors import Problem


def problems(ground: Ground) -> Iterator[Problem]:
    """Configurations and folders of programs that are not there."""
    if settings := ground.declared.settings:
        yield from _missing(settings, ground, "ansible")
        for name in inventories_declared(ground.declared):
            yield from _missing(settings, ground, "inventories", name, "ansible")
    for schedule in ground.declared.schedules.values():
        yield from _missing(schedule, ground, "ansible")


def _missing(declared: Declared[Any], ground: Ground, *place: str) -> Iterator[Problem]:
    for key, what in (("config", "configuration"), ("bin", "folder")):
        for path, text in declared.texts(*place, key):
            if not ground.has(text):
                says = f"{key}: there is no {what} {text}. Paths are relative to the folder of wellkept.yml"
                yield declared.source.problem(path, says)
    for path, text in declared.texts(*place, "mounts"):
        if not (text.startswith("/") and ground.has(text)):
            says = f"mounts: there is no {text} on this machine; give a file or folder by its absolute path"
            yield declared.source.problem(path, says)
