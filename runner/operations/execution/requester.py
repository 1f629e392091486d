"""Who asked for a slot's run."""

from __future__ import annotations

from runner.domain.execution.schedule import Schedule
from runner.domain.who import Actor
from runner.operations.site import Site
from runner.store.execution import definitions as definition_rows

KIND = "once"  # of the definition of a schedule that a person made for one slot


def requester_of(schedule: Schedule, *, site: Site) -> Actor:
    """The schedule's owner, or the person who made it for one slot."""
    kept = site.store.read(lambda c: definition_rows.last_of(c, KIND, schedule.name)) if schedule.window.only else None
    return Actor(kept.body["by"]) if kept else Actor(schedule.owner or "wellkept", "system")
