"""What an opening waits for, as the files tell it: the rings before it, and whether any of them opens in time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from runner.domain.execution.schedule import Requirement, Schedule
from runner.domain.settings import Definitions
from runner.domain.time import occurrence
from runner.domain.time.window import Opening
from runner.operations.time.bind_freezes import binding_freezes

FURTHEST = timedelta(days=366)  # how far back a ring is looked for that may have been through at any time


def notes_on_rings(opening: Opening, schedule: Schedule, definitions: Definitions) -> Iterator[str]:
    """One note for each ring before this opening."""
    for requirement in schedule.requires:
        ring = definitions.schedules[requirement.schedule]
        in_time = ring.window.is_always or opens_in_time(requirement, ring, opening, definitions)
        yield f"requires {ring.name}" + ("" if in_time else ", which has no opening in time before it")


def opens_in_time(requirement: Requirement, ring: Schedule, opening: Opening, definitions: Definitions) -> bool:
    """Whether the ring has an opening in which a run could end early enough, and not too early."""
    latest = opening.last_start - requirement.at_least
    earliest = opening.usable_from - (requirement.within or FURTHEST)
    freezes = binding_freezes(ring, definitions, ())
    found = occurrence.openings(ring.window, freezes, from_=earliest, to=latest)
    return ring.enabled and any(not each.is_frozen and each.usable_from < latest for each in found)
