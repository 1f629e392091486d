"""Which hosts a pattern names, and which services they are for."""

from __future__ import annotations

from collections.abc import Sequence

from runner.domain.execution import host_pattern
from runner.domain.settings import Definitions, Service
from runner.ports import InventoryAnswer


def matching(pattern: str, answer: InventoryAnswer) -> tuple[str, ...]:
    """The hosts that an Ansible pattern names, in inventory order."""
    return host_pattern.match(pattern, hosts=tuple(answer.hosts), groups=answer.groups)


def chosen(pattern: str, limit: str | None, answer: InventoryAnswer) -> tuple[str, ...]:
    """The hosts that a schedule's pattern names, and of those only the ones that a person's own pattern names, too."""
    hosts = matching(pattern, answer)
    within = set(matching(limit, answer)) if limit else set(hosts)
    return tuple(host for host in hosts if host in within)


def services_of(hosts: Sequence[str], definitions: Definitions, answer: InventoryAnswer) -> tuple[Service, ...]:
    """The services that any of these hosts serve."""
    return tuple(
        service
        for service in definitions.settings.services.values()
        if set(matching(service.hosts, answer)) & set(hosts)
    )
