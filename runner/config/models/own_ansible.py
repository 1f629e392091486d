"""The user's own Ansible, for everything, for one inventory, or for one schedule."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from runner.config.fields import Text
from runner.config.models.shape import Shape
from runner.domain.execution.own_ansible import AnsibleSettings


class Ansible(Shape):
    """The user's own Ansible, when it is not the one on PATH."""

    config: Text | None = Field(default=None, description="the configuration file", examples=["ansible.cfg"])
    bin: Text | None = Field(
        default=None, description="the folder of ansible-playbook and its companions", examples=["/opt/ansible/bin"]
    )

    pipelining: Literal["where_proved", "never"] | None = Field(
        default=None,
        description="whether runs switch pipelining on for hosts where `wellkept doctor HOST` proved it (the default), unless your own configuration "
        "says anything about pipelining",
        examples=["never"],
    )

    def to_domain(self) -> AnsibleSettings:
        """The settings as the rest of the program knows them."""
        return AnsibleSettings(self.config, self.bin, self.pipelining)
