"""The user's own Ansible: which programs, and which configuration."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AnsibleSettings:
    """The user's own Ansible: its configuration file and the folder of its programs, when not the ones on PATH."""

    config: str | None = None
    bin: str | None = None

    def over(self, wider: AnsibleSettings) -> AnsibleSettings:
        """What is said here, and for the rest what is said for more than this."""
        return AnsibleSettings(self.config or wider.config, self.bin or wider.bin)
