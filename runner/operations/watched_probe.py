"""A probe that tells of each answer as it comes, for whoever waits for all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from runner.domain.health import Answer, Check
from runner.operations.site import Site
from runner.ports import HostProbe


@dataclass(frozen=True, slots=True)
class WatchedProbe:
    """Asks as `probe` does, and says `check host` to `heard` with each answer."""

    probe: HostProbe
    heard: Callable[[str], None]

    def ask(self, check: Check, hosts: Mapping[str, Mapping[str, object]]) -> Iterator[Answer]:
        """Ask every host and give each answer as it comes."""
        for answer in self.probe.ask(check, hosts):
            self.heard(f"{answer.check} {answer.host}")
            yield answer


def watched(site: Site, heard: Callable[[str], None]) -> Site:
    """The same site, with a probe that tells of each answer."""
    return replace(site, probe=WatchedProbe(site.probe, heard))
