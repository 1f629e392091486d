"""What every opening within a span would do: one plan each, as things stand now; a person's duty has a plan of its own kind."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from runner.domain.settings import Definitions
from runner.operations.execution.plan_occurrence import Asking, Plan, plan_occurrence
from runner.operations.site import Site
from runner.operations.time.list_openings import Entry, list_openings
from runner.operations.time.plan_duty import DutyPlan, plan_duty


def plan_openings(
    *, site: Site, from_: datetime, to: datetime, names: Collection[str] = (), limit: str | None = None
) -> list[Plan | DutyPlan]:
    """Plan each opening that begins, or is still open, in [from_, to), of the named schedules or of all that are enabled; raises NotFound."""
    definitions = site.current()
    entries = list_openings(definitions, from_=from_, to=to, names=names)
    enabled = [entry for entry in entries if definitions.schedules[entry.schedule].enabled]
    return [
        plan_entry(entry, definitions=definitions, site=site, at=max(from_, start_of(entry)), limit=limit)
        for entry in enabled
    ]


def plan_entry(
    entry: Entry, *, definitions: Definitions, site: Site, at: datetime, limit: str | None
) -> Plan | DutyPlan:
    """The plan of one opening."""
    schedule = definitions.schedules[entry.schedule]
    if schedule.is_manual:
        return plan_duty(schedule, site=site, at=at)
    identity = (entry.opening.rule_date, entry.opening.ordinal)
    return plan_occurrence(
        schedule.name, Asking(at, limit=limit, identity=identity), definitions=definitions, site=site
    )


def start_of(entry: Entry) -> datetime:
    """When a run could begin; in an opening that freezes leave nothing of, its opening, so that the plan says so."""
    opening = entry.opening
    return opening.opens if opening.is_frozen else opening.usable_from
