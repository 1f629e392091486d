"""Looks up whether the roles and collections that a schedule needs are installed; no network is ever asked."""

from __future__ import annotations

from runner.domain.execution.guards import Hold, hold_for_requirements
from runner.domain.execution.requirements import Installed
from runner.domain.execution.schedule import Schedule
from runner.domain.settings import Definitions
from runner.errors import Unknown
from runner.operations.site import Site


def installed_for(schedule: Schedule, definitions: Definitions, *, site: Site) -> Installed | None:
    """What is installed for a schedule; None when it needs nothing, or not everything is there."""
    wanted = definitions.requirements_for(schedule)
    try:
        return site.galaxy.installed(wanted, schedule.ansible) if wanted else None
    except Unknown:
        return None


def hold_for_what_is_missing(
    schedule: Schedule, installed: Installed | None, definitions: Definitions, *, site: Site
) -> Hold | None:
    """A hold, with the reason, while something is not installed."""
    wanted = definitions.requirements_for(schedule)
    if not wanted or installed:
        return None
    return hold_for_requirements(wanted, site.galaxy.trouble(wanted, schedule.ansible))
