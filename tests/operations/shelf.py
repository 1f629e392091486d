"""A stand-in for ansible-galaxy behind the port."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from runner.domain.execution.own_ansible import AnsibleSettings
from runner.domain.execution.requirements import Installed, NotInstalled, Requirements
from runner.errors import Unknown


@dataclass
class Shelf:
    """Stands for ansible-galaxy: `install` puts what the test has ready on the shelf, or says why it cannot."""

    ready: Installed | None = None
    problem: str = ""
    at: datetime = datetime(2026, 3, 21, 22, 30, tzinfo=UTC)
    on_the_shelf: dict[str, Installed] = field(default_factory=dict)
    failed: dict[str, NotInstalled] = field(default_factory=dict)
    asked: list[tuple[Requirements, AnsibleSettings, Path]] = field(default_factory=list)

    def installed(self, wanted: Requirements, ansible: AnsibleSettings) -> Installed | None:
        return self.on_the_shelf.get(f"{wanted.digest} {ansible.bin}")

    def trouble(self, wanted: Requirements, ansible: AnsibleSettings) -> NotInstalled | None:
        return self.failed.get(f"{wanted.digest} {ansible.bin}")

    def kept(self, digest: str) -> Installed | None:
        return next((each for each in self.on_the_shelf.values() if each.digest == digest), None)

    def folder(self, digest: str) -> Path:
        return Path("/shelf") / digest

    def folder_for(self, wanted: Requirements, ansible: AnsibleSettings) -> Path | None:
        found = self.installed(wanted, ansible)
        return self.folder(found.digest) if found else None

    def install(self, wanted: Requirements, ansible: AnsibleSettings, *, project: Path) -> Installed:
        self.asked.append((wanted, ansible, project))
        if self.ready is None:
            self.failed[f"{wanted.digest} {ansible.bin}"] = NotInstalled(self.problem, self.at)
            raise Unknown(self.problem)
        self.on_the_shelf[f"{wanted.digest} {ansible.bin}"] = self.ready
        return self.ready
