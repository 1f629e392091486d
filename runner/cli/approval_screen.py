"""Whose approval a plan needs, and whether it has it."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from runner.domain.execution.approval import Policy, Standing

if TYPE_CHECKING:
    from runner.operations.execution.plan_occurrence import Plan


def approval_lines(plan: Plan) -> list[str]:
    """Who approved it, or who has to and how; nothing for what needs nobody's word."""
    standing = plan.approval
    if standing.policy is Policy.NONE:
        return []
    if standing.counts is None:
        wanted = f"Approval: {standing.words}"
        return [wanted, f"  To approve {for_what(plan)}: {how_to_approve(plan)}"]
    signed = "signed" if standing.counts.signature else "not signed"
    lines = [f"Approval: {for_what(plan)} is approved by {standing.counts.by} ({signed})"]
    lines += [f"  left out: {host}, not in the approved list" for host in standing.left_out]
    return lines + [f"  gone: {host}, approved and no longer in the inventory" for host in standing.gone]


def for_what(plan: Plan) -> str:
    """The slot, or the run by hand, that an approval is for."""
    from runner.operations.execution.start_run import local

    opening = plan.opening or plan.following
    if plan.schedule.window.is_always or opening is None:
        return "a run by hand"
    return f"the slot that opens {local(opening.opens, plan)}"


def how_to_approve(plan: Plan) -> str:
    """The command that approves it."""
    name = plan.schedule.name
    if plan.schedule.window.is_always:
        return f"wellkept runs approve {name} --digest {plan.digest[:12]}"
    opening = plan.opening or plan.following
    day = opening.opens.astimezone(ZoneInfo(plan.schedule.window.timezone)).date() if opening else ""
    return f"wellkept runs approve {name}" + (f" --at {day}" if day else "")


def approval_row(standing: Standing) -> dict[str, object]:
    """The same for JSON."""
    given = standing.counts
    return {
        "needed": str(standing.policy),
        "by": given.by.name if given else None,
        "at": given.at.isoformat() if given else None,
        "signed": bool(given and given.signature),
        "waits": standing.words if standing.waits else None,
        "left_out": list(standing.left_out),
        "gone": list(standing.gone),
    }
