"""What a duty of a person would ask for at an instant: no hosts and no guards, only when it is due and who answers for it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from runner.domain.execution.schedule import Schedule
from runner.domain.tickets.ticket_for_duty import duty_fingerprint
from runner.domain.time import occurrence
from runner.domain.time.window import Opening
from runner.operations.site import Site
from runner.store.tickets import tickets


@dataclass(frozen=True, slots=True)
class DutyPlan:
    """A duty as it stands at `at`: the opening that it is due in, the next one, and the number of its live ticket."""

    schedule: Schedule
    at: datetime
    opening: Opening | None
    following: Opening | None
    ticket: int | None


def plan_duty(schedule: Schedule, *, site: Site, at: datetime) -> DutyPlan:
    """When this duty is due; freezes do not bind it."""
    opening = occurrence.opening_at(schedule.window, (), at)
    following = occurrence.next_opening(schedule.window, (), after=at)
    return DutyPlan(schedule, at, opening, following, live_ticket(schedule, opening, site) if opening else None)


def live_ticket(schedule: Schedule, opening: Opening, site: Site) -> int | None:
    """The number of the ticket that asks for it; None before it is opened, and once it is resolved."""
    mark = duty_fingerprint(schedule.name, opening.rule_date, opening.ordinal)
    found = site.store.read(lambda c: tickets.live_of(c, mark))
    return found.number if found else None
