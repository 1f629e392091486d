"""The user's own Ansible: which programs, and which configuration."""

from __future__ import annotations

from dataclasses import dataclass

NEVER, WHERE_PROVED = "never", "where_proved"


@dataclass(frozen=True, slots=True)
class AnsibleSettings:
    """The user's own Ansible: its configuration file and the folder of its programs, when not the ones on PATH.

    `pipelining` says whether we may switch it on where it was proved: NEVER, or WHERE_PROVED, which holds when nothing is said.
    """

    config: str | None = None
    bin: str | None = None
    pipelining: str | None = None

    def over(self, wider: AnsibleSettings) -> AnsibleSettings:
        """What is said here, and for the rest what is said for more than this."""
        return AnsibleSettings(self.config or wider.config, self.bin or wider.bin, self.pipelining or wider.pipelining)
