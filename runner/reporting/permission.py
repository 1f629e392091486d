"""By whose word work was done: approvals beforehand, and reviews of emergency changes afterwards."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from runner.domain.execution.schedule import ChangeType
from runner.domain.tickets.ticket import TicketKind, TicketState
from runner.reporting.lines import Approval, Review
from runner.reporting.material import Material, run_reference, ticket_reference
from runner.reporting.values import ApprovalCounts, Finding
from runner.reporting.words import Tone, listed
from runner.store.execution.runs import Run
from runner.store.record.period_rows import ApprovalRow, TicketRow


def approvals_of(run: Run, material: Material) -> tuple[Approval, ...]:
    """Who allowed the run or its slot, whether they had asked for it themselves, and whether it was taken back."""
    found = (row for row in material.rows.approvals if is_for(row, run))
    started = run.started_at or run.created_at
    return tuple(
        Approval(
            id=row.id,
            by=str(row.by),
            at=material.moment(row.at),
            before_start=row.at <= started,
            signed=row.signature is not None,
            by_requester=is_own(row, run),
            taken_back=material.maybe(row.revoked_at),
        )
        for row in found
    )


def is_for(approval: ApprovalRow, run: Run) -> bool:
    """Whether an approval is for this run or its slot."""
    return approval.id == run.approval_id or (run.slot_id is not None and approval.slot_id == run.slot_id)


def is_own(approval: ApprovalRow, run: Run) -> bool:
    """Whether people approved what they had asked for themselves."""
    return approval.by.name in {approval.requester, run.requested_by.name}


def approval_counts(material: Material) -> ApprovalCounts:
    """How many runs began by an approval; a run counts by the one that let it begin."""
    by_id = {row.id: row for row in material.rows.approvals}
    begun = [(run, by_id[run.approval_id]) for run in material.rows.runs if run.approval_id in by_id]
    return ApprovalCounts(
        runs=tuple(run.number for run, _ in begun),
        signed=tuple(run.number for run, row in begun if row.signature is not None),
        by_requester=tuple(run.number for run, row in begun if is_own(row, run)),
    )


def type_of(definition: Mapping[str, Any]) -> str:
    """The type of a schedule's change, as it was kept; empty when it was not."""
    change = definition.get("change")
    kind = change.get("type") if isinstance(change, Mapping) else change
    return kind if isinstance(kind, str) else ""


def is_emergency(run: Run, material: Material) -> bool:
    """Whether a run was an emergency change, which is reviewed afterwards."""
    changed = material.plans[run.id].changes_something and not run.check_mode
    return changed and type_of(material.rows.definitions.get(run.definition, {})) == ChangeType.EMERGENCY


def review_of(run: Run, material: Material) -> Review | None:
    """Whether somebody has reviewed an emergency change; None for any other."""
    if not is_emergency(run, material):
        return None
    ticket = next((each for each in material.tickets.get(run.id, ()) if each.kind is TicketKind.REVIEW), None)
    if ticket is None or ticket.state is not TicketState.RESOLVED:
        return Review(done=False, by=None, at=None, ticket=ticket_reference(ticket) if ticket else None)
    by, at = reviewer_of(ticket, material), material.maybe(ticket.resolved_at)
    return Review(done=True, by=by, at=at, ticket=ticket_reference(ticket))


def reviewer_of(ticket: TicketRow, material: Material) -> str | None:
    """Who resolved the ticket last."""
    ends = [each for each in material.rows.ticket_events if each.ticket_id == ticket.id and each.action == "resolved"]
    return str(ends[-1].actor) if ends else None


def unreviewed(material: Material) -> Iterator[Finding]:
    """Emergency changes that nobody has reviewed."""
    reviews = ((run, review_of(run, material)) for run in material.rows.runs)
    runs = [run for run, review in reviews if review and not review.done]
    if runs:
        names = listed([f"run {run.number}" for run in runs])
        verb = "was an emergency change" if len(runs) == 1 else "were emergency changes"
        text = f"{names[:1].upper()}{names[1:]} {verb} that nobody has reviewed yet."
        yield Finding(Tone.PARTLY, text, tuple(map(run_reference, runs)))


def approved_by_requester(material: Material) -> Iterator[Finding]:
    """Runs that began by the word of the person who had asked for them."""
    numbers = set(approval_counts(material).by_requester)
    runs = [run for run in material.rows.runs if run.number in numbers]
    if runs:
        names = listed([f"run {run.number}" for run in runs])
        text = f"{names[:1].upper()}{names[1:]} {'was' if len(runs) == 1 else 'were'} approved by the person who had asked for it."
        yield Finding(Tone.NEUTRAL, text, tuple(map(run_reference, runs)))
