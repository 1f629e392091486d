"""The plan of a person's duty, on the screen and as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.cli.approval_screen import approval_row
from runner.domain.execution.approval import Standing

if TYPE_CHECKING:
    from runner.operations.time.plan_duty import DutyPlan


def duty_row(plan: DutyPlan) -> dict[str, object]:
    """The plan for JSON: the keys of any plan, empty where only a playbook has something, and the end of its window."""
    opening = plan.opening or plan.following
    return {
        "schedule": plan.schedule.name,
        "title": plan.schedule.title,
        "kind": str(plan.schedule.kind),
        "at": plan.at.isoformat(),
        "hosts": [],
        "waves": [],
        "failure_budget": 0,
        "concurrency": 0,
        "apart": {"variables": [], "groups": {}},
        "estimates_seconds": {},
        "reserve_seconds": 0.0,
        "on_failure": {"retries": 0, "retry_after_seconds": None, "rollback": None},
        "opens": opening.opens.isoformat() if opening else None,
        "closes": opening.closes.isoformat() if opening else None,
        "every_seconds": None,
        "owner": plan.schedule.owner,
        "ticket": plan.ticket,
        "holds": [],
        "carried": [],
        "passed_over": {},
        "defaults": list(plan.schedule.defaults_used),
        "digest": "",
        "approval": approval_row(Standing()),  # nobody approves what a person does
        "readiness": None,
        "requirements": {},
        "adds_to_ansible": [],
    }


def duty_lines(plan: DutyPlan) -> list[str]:
    """The plan as a person reads it."""
    schedule = plan.schedule
    lines = [f"{schedule.title} ({schedule.name}, {schedule.source})"]
    lines += [f"Why: {schedule.why}"] if schedule.why else []
    lines += ["A duty that a person does: no playbook, no hosts.", f"Answers for it: {schedule.owner or 'nobody'}"]
    lines += [window_line(plan), done_line(plan)]
    return [
        *lines,
        *(["Defaults used:"] if schedule.defaults_used else []),
        *(f"  {d}" for d in schedule.defaults_used),
    ]


def window_line(plan: DutyPlan) -> str:
    """When it is due, in its window's own zone."""
    from runner.operations.execution.start_run import local_in

    name, zone = plan.schedule.window.name, plan.schedule.window.timezone
    if plan.opening:
        return f"Window: {name}, open until {local_in(plan.opening.closes, zone)}"
    following = local_in(plan.following.opens, zone) if plan.following else "never"
    return f"Window: {name}, closed; next opening {following}"


def done_line(plan: DutyPlan) -> str:
    """How somebody says that it is done."""
    if plan.ticket:
        return f"When it is done: wellkept tickets resolve {plan.ticket} --done 'what was done'"
    return "A ticket is opened when its window opens. Who has done it resolves that: wellkept tickets resolve NUMBER --done 'what was done'"
