"""What the last readiness run says about a slot: which hosts were fit, and whether that holds it."""

from __future__ import annotations

from functools import partial

from runner.domain.execution.guards import Hold
from runner.domain.execution.plan import RunPlan, Step
from runner.domain.execution.readiness import ReadinessSeen, hold_for_readiness
from runner.domain.execution.schedule import Schedule
from runner.domain.time.window import Opening
from runner.operations.execution.freeze_plan import step_from
from runner.operations.site import Site
from runner.store.execution import outcomes, runs
from runner.store.transaction import Transaction


def ask_readiness(schedule: Schedule, run: RunPlan, opening: Opening | None, *, site: Site) -> Hold | None:
    """Whether the last readiness run for this opening holds it; what only looks itself asks for none."""
    if run.only_looks:
        return None
    seen = site.store.read(partial(seen_for, schedule=schedule, opening=opening))
    return hold_for_readiness(schedule.name, seen)


def seen_for(connection: Transaction, *, schedule: Schedule, opening: Opening | None) -> ReadinessSeen | None:
    """The last readiness run that was made for this opening: one from the time on when it was due, by the clock or by hand."""
    if schedule.readiness is None or opening is None:
        return None
    run = runs.last_readiness(connection, schedule.name, since=opening.usable_from - schedule.readiness.before)
    if run is None:
        return None
    results = {row.host: row.result for row in outcomes.of_run(connection, run.id)}
    return ReadinessSeen(run.number, run.created_at, run.verdict, run.reason, results)


def readiness_steps(schedule: Schedule) -> tuple[Step, ...]:
    """The checks of a readiness run beside the built-in look: its own, or, by hand without any word about it, those before the work."""
    return tuple(step_from(text) for text in (schedule.readiness.checks if schedule.readiness else schedule.before))
