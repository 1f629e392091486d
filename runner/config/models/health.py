"""Files of health checks: questions asked of hosts."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from runner.config.fields import Comparison, Count, Name, NumberPattern, SomeSpan, Text
from runner.config.models.shape import Shape
from runner.domain.health import Check, Probe

PORTS = (1, 65_535)


class _Question(Shape):
    hosts: Text = Field(description="an Ansible host pattern", examples=["all"])
    every: SomeSpan = Field(description="how often", examples=["5m"])
    inventory: Name | None = Field(default=None, description="an inventory of wellkept.yml; otherwise the default one")
    within: SomeSpan = Field(default=timedelta(seconds=10), description="how long an answer may take", examples=["2s"])
    down_after: Count = Field(default=1, description="how many bad answers in a row count")

    def _of_every_check(self, name: str, inventory: str, source: str) -> dict[str, Any]:
        return {
            "name": name,
            "hosts": self.hosts,
            "every": self.every,
            "inventory": self.inventory or inventory,
            "within": self.within,
            "down_after": self.down_after,
            "source": source,
        }


class TcpCheck(_Question):
    """Whether a port answers."""

    probe: Literal["tcp"] = Field(description="the kind of question")
    port: Annotated[int, Field(ge=PORTS[0], le=PORTS[1])] = Field(description="the port", examples=[22])

    def to_domain(self, name: str, *, inventory: str, source: str) -> Check:
        """The check as the rest of the program knows it; `inventory` is for a check that names none."""
        return Check(probe=Probe.TCP, port=self.port, **self._of_every_check(name, inventory, source))


class SshCheck(_Question):
    """What a command says on the host."""

    probe: Literal["ssh"] = Field(description="the kind of question")
    run: Text = Field(description="the command line; anything but exit code 0 is bad", examples=["df --output=pcent /"])
    number: NumberPattern | None = Field(
        default=None, description="a regular expression whose first group is the number", examples=[r"(\d+)%"]
    )
    warn: Comparison | None = Field(default=None, description="the number that is a warning", examples=["> 80"])
    fail: Comparison | None = Field(default=None, description="the number that is critical", examples=["> 92"])

    def to_domain(self, name: str, *, inventory: str, source: str) -> Check:
        """The check as the rest of the program knows it; `inventory` is for a check that names none."""
        common = self._of_every_check(name, inventory, source)
        return Check(probe=Probe.SSH, run=self.run, number=self.number, warn=self.warn, fail=self.fail, **common)


class HttpCheck(_Question):
    """Whether a page answers as it should."""

    probe: Literal["http"] = Field(description="the kind of question")
    url: Annotated[str, Field(pattern=r"^https?://\S")] = Field(
        description="the address; `{{ inventory_hostname }}` stands for the host",
        examples=["https://{{ inventory_hostname }}/health"],
    )
    status: Annotated[int, Field(ge=100, le=599)] = Field(default=200, description="the status that is good")

    def to_domain(self, name: str, *, inventory: str, source: str) -> Check:
        """The check as the rest of the program knows it; `inventory` is for a check that names none."""
        return Check(
            probe=Probe.HTTP, url=self.url, status=self.status, **self._of_every_check(name, inventory, source)
        )


PROBES: dict[str, type[TcpCheck | SshCheck | HttpCheck]] = {"tcp": TcpCheck, "ssh": SshCheck, "http": HttpCheck}


def check_kind(value: object) -> str | None:
    """Tell the kind of a check by its probe, before anything is validated; None for one that is not known."""
    probe = value.get("probe") if isinstance(value, dict) else None
    return f"<{probe}>" if isinstance(probe, str) and probe in PROBES else None


AnyCheck = Annotated[
    Annotated[TcpCheck, Tag("<tcp>")] | Annotated[SshCheck, Tag("<ssh>")] | Annotated[HttpCheck, Tag("<http>")],
    Discriminator(check_kind),
]


class HealthFile(Shape):
    """Health checks by name."""

    health: dict[Name, AnyCheck] = Field(default_factory=dict, description="questions by name")
