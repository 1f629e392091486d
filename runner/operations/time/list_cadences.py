"""Which schedules run by themselves at a regular interval: a calendar cannot draw them, as they have no openings."""

from __future__ import annotations

from collections.abc import Collection
from typing import TypedDict

from runner.domain.settings import Definitions
from runner.domain.time.duration import describe


class Cadence(TypedDict):
    """A schedule that runs by itself every so often, such as `1h`, without a window."""

    schedule: str
    every: str


def list_cadences(definitions: Definitions, *, names: Collection[str] = ()) -> list[Cadence]:
    """The schedules on a cadence among the named ones, or among all."""
    return [
        {"schedule": each.name, "every": describe(each.every)}
        for each in definitions.schedules.values()
        if each.every and each.enabled and (not names or each.name in names)
    ]
