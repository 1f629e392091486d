"""The user's own Ansible: which programs, which configuration, and what becomes of requirements files."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

PODMAN = "podman"  # the engine of those who name none


class RequirementsUse(StrEnum):
    """What becomes of requirements files: they are installed ahead of the runs, or left to the user."""

    INSTALL = "install"
    IGNORE = "ignore"


NEVER, WHERE_PROVED = "never", "where_proved"


@dataclass(frozen=True, slots=True)
class AnsibleSettings:
    """The user's own Ansible: its configuration file and the folder of its programs, when not the ones on PATH.

    `pipelining` says whether we may switch it on where it was proved: NEVER, or WHERE_PROVED, which holds when nothing is said.
    `image` is the container image that playbooks run in, by `engine`; `mounts` are absolute paths of this machine that they find there, too.
    `requirements` None means what is said for more than this, and at last that they are installed.
    """

    config: str | None = None
    bin: str | None = None
    requirements: RequirementsUse | None = None
    image: str | None = None
    engine: str | None = None
    mounts: tuple[str, ...] = ()
    pipelining: str | None = None

    def over(self, wider: AnsibleSettings) -> AnsibleSettings:
        """What is said here, and for the rest what is said for more than this."""
        return AnsibleSettings(
            self.config or wider.config,
            self.bin or wider.bin,
            self.requirements or wider.requirements,
            self.image or wider.image,
            self.engine or wider.engine,
            self.mounts or wider.mounts,
            self.pipelining or wider.pipelining,
        )

    @property
    def installs(self) -> bool:
        """Whether requirements files are installed for it."""
        return self.requirements is not RequirementsUse.IGNORE
