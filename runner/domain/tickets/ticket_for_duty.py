"""The ticket that asks a person for a duty, one for each slot: what, why, until when, and how to say that it is done."""

from __future__ import annotations

from datetime import date

from runner.domain.tickets.cause import PlainWords
from runner.domain.tickets.fingerprint import fingerprint
from runner.domain.tickets.ticket import Level, TicketKind, WantedTicket, priority_of

HOW_TO_SAY_SO = "wellkept tickets resolve NUMBER --done 'what was done'"
DUE = PlainWords(
    'It is time for "{title}", a duty that a person does.{why}',
    "It counts as done if somebody says so before {until}; otherwise the report counts it as missed.",
    "We opened this ticket. No program does any of it.",
    f"Somebody does it, and then says so with the number of this ticket: {HOW_TO_SAY_SO}",
)
NOT_DONE = PlainWords(
    'The duty "{title}" of {date} was not done in its time: {reason}.',
    "It is still to be done. The report counts it as missed, also if it is done now.",
    "We opened this ticket. No program does any of it.",
    f"Somebody does it, or decides that the next date is soon enough, and says so with the number of this ticket: {HOW_TO_SAY_SO}",
)


def duty_fingerprint(schedule: str, rule_date: date, ordinal: int) -> str:
    """What the ticket of one slot is known by: each slot is a duty of its own, however much it resembles the last."""
    scope = f"schedule:{schedule}"
    return fingerprint(inventory="", kind=TicketKind.DUTY, signature=f"{rule_date} {ordinal}", scope=scope)


def ticket_for_duty(
    *,
    schedule: str,
    title: str,
    why: str,
    owner: str | None,
    occurrence: tuple[date, int],
    until: str,
    missed: str | None = None,
) -> WantedTicket:
    """The ticket of one slot; `until` is the window's end in words, `missed` the reason when the window has closed already."""
    names = {"title": title, "why": f" {why}" if why else "", "until": until, "date": str(occurrence[0])}
    plain = filled(DUE if missed is None else NOT_DONE, {**names, "reason": (missed or "").rstrip(".")})
    return WantedTicket(
        fingerprint=duty_fingerprint(schedule, *occurrence),
        kind=TicketKind.DUTY,
        cause=None,
        priority=priority_of(Level.MEDIUM, Level.MEDIUM),
        title=f"{title}, until {until}" if missed is None else f"{title} of {occurrence[0]} was not done in time",
        inventory="",
        schedule=schedule,
        hosts=(),
        words=plain,
        owner=owner,
        detail=missed or "",
    )


def filled(words: PlainWords, names: dict[str, str]) -> PlainWords:
    """The sentences with their names filled in."""
    told = (words.happened, words.means, words.done, words.needed)
    return PlainWords(*(each.format_map(names) for each in told))
