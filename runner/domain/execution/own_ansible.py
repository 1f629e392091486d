"""The user's own Ansible: which programs, which configuration, and what becomes of requirements files."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class RequirementsUse(StrEnum):
    """What becomes of requirements files: they are installed ahead of the runs, or left to the user."""

    INSTALL = "install"
    IGNORE = "ignore"


@dataclass(frozen=True, slots=True)
class AnsibleSettings:
    """The user's own Ansible: its configuration file and the folder of its programs, when not the ones on PATH.

    `requirements` None means what is said for more than this, and at last that they are installed.
    """

    config: str | None = None
    bin: str | None = None
    requirements: RequirementsUse | None = None

    def over(self, wider: AnsibleSettings) -> AnsibleSettings:
        """What is said here, and for the rest what is said for more than this."""
        return AnsibleSettings(
            self.config or wider.config, self.bin or wider.bin, self.requirements or wider.requirements
        )

    @property
    def installs(self) -> bool:
        """Whether requirements files are installed for it."""
        return self.requirements is not RequirementsUse.IGNORE
