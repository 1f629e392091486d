"""The ticket that asks for the review of an emergency change, one for each run: what was done unasked is looked at afterwards."""

from __future__ import annotations

from runner.domain.tickets.cause import PlainWords
from runner.domain.tickets.fingerprint import fingerprint
from runner.domain.tickets.ticket import Level, RunFacts, TicketKind, WantedTicket, priority_of

HOW_TO_SAY_SO = "wellkept tickets resolve NUMBER --done 'what the review came to'"
REVIEW = PlainWords(
    'The emergency change "{title}" was made without anybody\'s approval beforehand (run {number}, {verdict}).',
    "It counts as not reviewed until somebody has looked at it; the report names it so.",
    "We opened this ticket. The report of run {number} says what was changed on which server.",
    f"Somebody, best not who made it, looks at why it could not wait and what it did, and says so: {HOW_TO_SAY_SO}",
)


def ticket_for_review(run: RunFacts, hosts: tuple[str, ...]) -> WantedTicket:
    """The ticket of one run; it belongs to those who may approve, or else to whoever answers for the schedule."""
    names = {"title": run.title, "number": run.number, "verdict": run.verdict}
    told = (REVIEW.happened, REVIEW.means, REVIEW.done, REVIEW.needed)
    return WantedTicket(
        fingerprint=fingerprint(
            inventory=run.inventory, kind=TicketKind.REVIEW, signature=run.id, scope=f"schedule:{run.schedule}"
        ),
        kind=TicketKind.REVIEW,
        cause=None,
        priority=priority_of(run.impact, Level.MEDIUM),
        title=f"Review the emergency change {run.title!r} of run {run.number}",
        inventory=run.inventory,
        schedule=run.schedule,
        hosts=hosts,
        words=PlainWords(*(each.format_map(names) for each in told)),
        owner=run.reviewer or run.owner,
    )
