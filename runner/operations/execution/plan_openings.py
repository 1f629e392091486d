"""What every opening within a span would do: one plan each, as things stand now."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from runner.operations.execution.plan_occurrence import Plan, plan_occurrence
from runner.operations.site import Site
from runner.operations.time.list_openings import Entry, list_openings


def plan_openings(
    *, site: Site, from_: datetime, to: datetime, names: Collection[str] = (), limit: str | None = None
) -> list[Plan]:
    """Plan each opening that begins, or is still open, in [from_, to), of the named schedules or of all that are enabled; raises NotFound."""
    definitions = site.current()
    entries = list_openings(definitions, from_=from_, to=to, names=names)
    return [
        plan_occurrence(
            entry.schedule,
            definitions=definitions,
            site=site,
            at=max(from_, start_of(entry)),
            limit=limit,
            identity=(entry.opening.rule_date, entry.opening.ordinal),
        )
        for entry in entries
        if definitions.schedules[entry.schedule].enabled
    ]


def start_of(entry: Entry) -> datetime:
    """When a run could begin; in an opening that freezes leave nothing of, its opening, so that the plan says so."""
    opening = entry.opening
    return opening.opens if opening.is_frozen else opening.usable_from
