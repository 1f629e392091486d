"""Roles and collections that requirements files ask for, and what became of them: they are installed ahead of the runs that need them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class RequirementsFile:
    """A requirements file by its name below the root, and whether it names roles, collections or both."""

    name: str
    roles: bool
    collections: bool


@dataclass(frozen=True, slots=True)
class Requirements:
    """What the requirements files of a maintenance repository ask for; without any, they are false.

    `taken_along` are the files and folders of the repository that they lead to, relative to its root. `digest` is that of everything together.
    """

    files: tuple[RequirementsFile, ...] = ()
    taken_along: tuple[str, ...] = ()
    digest: str = ""

    def __bool__(self) -> bool:
        return bool(self.files)

    @property
    def words(self) -> str:
        """What is asked for and where, for people."""
        return f"roles and collections of {' and '.join(file.name for file in self.files)}"


@dataclass(frozen=True, slots=True)
class InstalledItem:
    """One role or collection as it was installed: its version as ansible-galaxy tells it (empty when it tells none), and the digest of its files."""

    version: str
    digest: str


@dataclass(frozen=True, slots=True)
class Installed:
    """What lies installed in one folder that never changes; `digest` is that of its content, and `items` are named `role NAME` or `collection NAME`."""

    digest: str
    items: Mapping[str, InstalledItem] = field(default_factory=dict)

    @property
    def content(self) -> dict[str, str]:
        """What an approval binds of it."""
        return {name: item.digest for name, item in self.items.items()}

    @property
    def words(self) -> str:
        """Each role and collection with its version, for people."""
        return ", ".join(f"{name} {item.version}".strip() for name, item in self.items.items())


@dataclass(frozen=True, slots=True)
class NotInstalled:
    """Why requirements could not be installed at the last attempt, and when that was."""

    reason: str
    at: datetime
