"""The definitions together with what their inventories say now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from runner.domain.settings import Definitions, Service
from runner.operations.execution.match_hosts import matching, services_of
from runner.ports import InventoryAnswer, InventoryReader


@dataclass(frozen=True, slots=True)
class Inventoried:
    """The definitions, what their inventories say now, and for each schedule the services that its hosts serve: freezes may be for these."""

    definitions: Definitions
    answers: Mapping[str, InventoryAnswer]
    services: Mapping[str, tuple[Service, ...]]

    def hosts_of(self, pattern: str, inventory: str) -> tuple[str, ...]:
        """The hosts that a pattern means; none when the inventory could not be read."""
        answer = self.answers[inventory]
        return () if answer.errors else matching(pattern, answer)


def read_inventories(definitions: Definitions, reader: InventoryReader) -> Inventoried:
    """Ask every inventory what it holds."""
    settings = definitions.settings
    answers = {name: reader.read(inventory, project=settings.root) for name, inventory in settings.inventories.items()}
    services = {
        each.name: services_of(matching(each.hosts, answers[each.inventory]), definitions, answers[each.inventory])
        for each in definitions.with_playbooks.values()
    }
    return Inventoried(definitions, answers, services)
