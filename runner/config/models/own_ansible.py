"""The user's own Ansible, for everything, for one inventory, or for one schedule."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from runner.config.fields import Text
from runner.config.models.shape import Shape
from runner.domain.execution.own_ansible import AnsibleSettings, RequirementsUse


class Ansible(Shape):
    """The user's own Ansible, when it is not the one on PATH."""

    config: Text | None = Field(default=None, description="the configuration file", examples=["ansible.cfg"])
    bin: Text | None = Field(
        default=None, description="the folder of ansible-playbook and its companions", examples=["/opt/ansible/bin"]
    )
    requirements: Literal["install", "ignore"] | None = Field(
        default=None,
        description="`install`: what requirements files name is installed ahead of the runs, as it is without this key; `ignore`: it is left to you",
        examples=["ignore"],
    )

    image: Text | None = Field(
        default=None,
        description="a container image with Ansible (an execution environment) that playbooks run in; it must be on this machine",
        examples=["registry.example.com/ee@sha256:0a1b2c"],
    )
    engine: Literal["podman", "docker"] | None = Field(
        default=None, description="what runs the image; `podman` without this key"
    )
    mounts: list[Text] = Field(
        default_factory=list,
        description="files and folders of this machine that playbooks find in the container at the same place, read-only",
        examples=[["/etc/ansible/keys"]],
    )

    pipelining: Literal["where_proved", "never"] | None = Field(
        default=None,
        description="whether runs switch pipelining on for hosts where `wellkept doctor HOST` proved it (the default), unless your own configuration "
        "says anything about pipelining",
        examples=["never"],
    )

    def to_domain(self) -> AnsibleSettings:
        """The settings as the rest of the program knows them."""
        use = RequirementsUse(self.requirements) if self.requirements else None
        return AnsibleSettings(self.config, self.bin, use, self.image, self.engine, tuple(self.mounts), self.pipelining)
