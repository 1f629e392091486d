"""Looks around in a repository that has playbooks already: its inventories, its playbooks, and where a path of a cron line lies in it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from runner.config.ansible_cfg import read_ansible_config
from runner.config.playbooks import read_playbook
from runner.domain.adoption.crontab import Unsayable

INVENTORY_FOLDERS = ("inventories", "inventory", "hosts")
INVENTORY_FILES = ("hosts", "hosts.ini", "hosts.yml", "hosts.yaml", "inventory", "inventory.ini", "inventory.yml", "inventory.yaml")  # fmt: skip
NOT_INVENTORIES = frozenset({"group_vars", "host_vars", "README.md", "README"})
NOT_PLAYBOOKS = frozenset({"roles", "collections", "inventories", "inventory", "group_vars", "host_vars", "vars"})
NOT_PLAYBOOKS |= {"tasks", "handlers", "templates", "files", "schedules", "reports", "molecule", "tests", "var"}
YAML = (".yml", ".yaml")
MOST_PLAYBOOKS = 500
_NO_NAME = re.compile(r"[^A-Za-z0-9_.-]+")


@dataclass(frozen=True, slots=True)
class Content:
    """What a repository has: inventories by name with their source, the one that ansible.cfg names, and playbooks; paths are relative to `root`."""

    root: Path
    inventories: Mapping[str, str]
    default: str | None
    playbooks: tuple[str, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Located:
    """Where a path of a cron line lies: relative to the repository, or absolute when it lies elsewhere; `note` when it was taken for another."""

    path: str
    note: str = ""


def find_content(root: Path) -> Content:
    """Look for inventories and playbooks; nothing is executed."""
    config = read_ansible_config(root, chosen=None, environ={})
    inventories: dict[str, str] = {}
    notes = [str(problem) for problem in config.problems]
    default = None
    if config.inventory and "," in config.inventory:
        notes.append(
            f"{config.file} names several inventories at once. Put them into one folder, and name that below inventories:"
        )
    elif config.inventory:
        default = named(config.inventory, inventories)
    for source in _inventories(root):
        named(source, inventories)
    return Content(root, inventories, default, tuple(_playbooks(root)), tuple(notes))


def named(source: str, inventories: dict[str, str]) -> str:
    """The name of an inventory, which is that of its file or folder; a new one is added."""
    for name, known in inventories.items():
        if os.path.normpath(known) == os.path.normpath(source):
            return name
    name = free_name("listed" if "," in source else PurePosixPath(source).stem or "inventory", inventories)
    inventories[name] = source
    return name


def free_name(wanted: str, taken: Mapping[str, object]) -> str:
    """A name that may stand in a file, and that nothing bears yet."""
    plain = _NO_NAME.sub("-", wanted).strip("-_.") or "unnamed"
    numbers = (plain if number == 1 else f"{plain}-{number}" for number in range(1, len(taken) + 2))
    return next(name for name in numbers if name not in taken)


def _inventories(root: Path) -> Iterator[str]:
    """Inventories at the places where people keep them; each file or folder below inventories/ is one."""
    for name in INVENTORY_FOLDERS:
        folder = root / name
        if folder.is_dir() and name != "inventories" and any(path.is_file() for path in folder.iterdir()):
            yield name
        elif folder.is_dir():
            inside = sorted(folder.iterdir())
            yield from (
                f"{name}/{path.name}" for path in inside if path.name not in NOT_INVENTORIES and path.name[0] != "."
            )
    yield from (name for name in INVENTORY_FILES if (root / name).is_file())


def _playbooks(root: Path) -> Iterator[str]:
    """Files of YAML that are lists of plays, outside of roles and the like."""
    found = 0
    for here, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if name not in NOT_PLAYBOOKS and not name.startswith("."))
        for name in sorted(name for name in files if name.endswith(YAML) and not name.startswith(".")):
            read = read_playbook(Path(here, name), root=root)
            if read.plays and not read.problems and found < MOST_PLAYBOOKS:
                found += 1
                yield os.path.relpath(Path(here, name), root)


def locate(path: str, *, folder: str, home: Path | None, root: Path) -> Located:
    """Where a path that a cron line names lies; raises Unsayable when it is not there.

    What does not exist as it is written is looked for in this repository by its last parts: the repository may be a copy of the folder that cron works in.
    """
    if "~" in path + folder and home is None:
        raise Unsayable(f"{path} lies in a home folder that is not known. Write the whole path")
    wanted = home / path[2:] if home and path.startswith("~/") else folder_of(folder, home=home) / path
    inside = _inside(wanted, root)
    if inside is not None:
        return Located(inside)
    if wanted.exists():
        return Located(str(wanted))
    parts = PurePosixPath(os.path.normpath(wanted)).parts[1:]
    for first in range(len(parts)):
        candidate = "/".join(parts[first:])
        if (root / candidate).exists():
            return Located(
                candidate, f"{wanted} is not on this machine: {candidate} of this repository was taken for it"
            )
    raise Unsayable(f"there is no {wanted}, and nothing like it in this repository. Check the path")


def folder_of(folder: str, *, home: Path | None) -> Path:
    """The folder that a line works in; cron begins in the home folder of its user."""
    begins = home or Path("/")
    return begins / folder[1:].lstrip("/") if folder.startswith("~") else begins / folder


def _inside(path: Path, root: Path) -> str | None:
    """The path from the root, when it is there and lies below it; links are followed only above the root."""
    plain = Path(os.path.normpath(path))
    for known in (root, root.resolve()):
        for candidate in (plain, plain.parent.resolve() / plain.name):
            if candidate.is_relative_to(known) and candidate.exists():
                return os.path.relpath(candidate, known)
    return None
