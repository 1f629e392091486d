"""The look ahead of a slot, in a plan."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from runner.operations.execution.plan_occurrence import Plan


def readiness_lines(plan: Plan) -> list[str]:
    """What is looked at and when, and what came of it the last time for this opening."""
    from runner.domain.execution.readiness import in_words
    from runner.domain.time.duration import describe

    wanted = plan.schedule.readiness
    if wanted is None:
        return []
    checks = ", ".join(("connection and login", *wanted.checks))
    told = f"Readiness: {describe(wanted.before)} before it opens: {checks}"
    return [told, f"  {in_words(plan.readiness)}" if plan.readiness else "  not looked at yet for this opening"]


def readiness_row(plan: Plan) -> dict[str, object] | None:
    """The same for JSON; None for a schedule that wants none."""
    wanted, seen = plan.schedule.readiness, plan.readiness
    if wanted is None:
        return None
    return {
        "before_seconds": wanted.before.total_seconds(),
        "checks": list(wanted.checks),
        "run": seen.number if seen else None,
        "verdict": str(seen.verdict) if seen and seen.verdict else None,
        "not_ready": list(seen.not_ready) if seen else [],
    }
