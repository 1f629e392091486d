"""Starts a readiness run: by the clock once ahead of each slot, by hand whenever a person asks."""

from __future__ import annotations

from datetime import datetime, timedelta

from runner.domain.execution.run import RunState, Trigger
from runner.domain.who import Actor
from runner.errors import Held, UsageError
from runner.operations.execution.find_schedule import schedule_named
from runner.operations.execution.plan_occurrence import Asking, Plan, plan_occurrence
from runner.operations.execution.requester import requester_of
from runner.operations.execution.start_run import Wish, claim, held_in_words
from runner.operations.site import Site
from runner.store.execution import runs
from runner.store.transaction import Transaction

EVER = timedelta(days=3660)


def start_readiness_by_hand(name: str, *, site: Site) -> str:
    """Look now whether the hosts are fit; gives the run's id. Raises Held with every reason, and UsageError for a schedule without readiness."""
    definitions = site.current()
    if schedule_named(name, definitions).readiness is None:
        raise UsageError(
            f"{name!r} has no readiness run. Add to its schedule: readiness: {{before: 1d}}, "
            f"or see what a run would do: wellkept run {name} --check"
        )
    plan = plan_occurrence(name, Asking(site.clock(), ahead=True), definitions=definitions, site=site)
    if plan.holds:
        raise Held(held_in_words(plan, plan.holds))
    run = started(plan, by=site.actor, since=None, site=site)
    if run is None:
        raise Held(f"A readiness run of {name!r} is going on already. `wellkept runs list` shows it.")
    return run


def start_readiness(plan: Plan, *, since: datetime, site: Site) -> str | None:
    """Start the readiness run of a slot ahead, all guards being clear; None when there has been one since then."""
    return started(plan, by=requester_of(plan.schedule, site=site), since=since, site=site)


def started(plan: Plan, *, by: Actor, since: datetime | None, site: Site) -> str | None:
    """The run, unless there has been one since then, or, without an instant, unless one is going on."""
    name = plan.schedule.name
    return claim(
        plan,
        site=site,
        trigger=Trigger.READINESS,
        slot=None,
        by=by,
        wish=Wish(),
        overridden=(),
        is_free=lambda c: not is_looked_at(c, name, since=since, now=site.clock()),
    )


def is_looked_at(connection: Transaction, schedule: str, *, since: datetime | None, now: datetime) -> bool:
    """Whether there has been a readiness run since then; without an instant, whether one is going on."""
    last = runs.last_readiness(connection, schedule, since=since or now - EVER)
    return last is not None and (since is not None or last.state is RunState.RUNNING)
