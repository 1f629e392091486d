"""Plain words for every code that a report shows, and the tone of each; a reader who is no technician understands them."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from runner.domain.execution.outcome import NotRun, Result
from runner.domain.execution.run import SlotOutcome, SlotState, Trigger, Verdict
from runner.domain.tickets.ticket import TicketState
from runner.reporting.lines import Status


class Tone(StrEnum):
    """How an outcome is meant, from good to not known; each has a shape of its own on the page."""

    GOOD = "good"
    PARTLY = "partly"
    BAD = "bad"
    NEUTRAL = "neutral"
    UNKNOWN = "unknown"


Words = Mapping[str, tuple[str, Tone]]

VERDICTS: Words = {
    Verdict.SUCCEEDED: ("Done as planned", Tone.GOOD),
    Verdict.DEGRADED: ("Partly done", Tone.PARTLY),
    Verdict.FAILED: ("Failed", Tone.BAD),
    Verdict.MISCONFIGURED: ("Could not start: the instructions are wrong", Tone.BAD),
    Verdict.HALTED: ("Stopped by its own safety limit", Tone.BAD),
    Verdict.CANCELLED: ("Stopped by a person", Tone.PARTLY),
    Verdict.EXPIRED: ("How it ended is not known", Tone.UNKNOWN),
}
SLOTS: Words = {
    **VERDICTS,
    SlotOutcome.DONE: ("Done by hand", Tone.GOOD),
    SlotOutcome.MISSED: ("Missed: not started in time", Tone.BAD),
    SlotOutcome.HELD: ("Held back by a safety check", Tone.PARTLY),
    SlotOutcome.PAUSED: ("Left out: maintenance was paused", Tone.NEUTRAL),
    SlotOutcome.FROZEN: ("Left out: a change freeze", Tone.NEUTRAL),
    SlotOutcome.SKIPPED: ("Left out: the run before was still going", Tone.PARTLY),
    SlotOutcome.WAIVED: ("Left out: a person waived it beforehand", Tone.NEUTRAL),
    SlotOutcome.UNKNOWN: ("Not known: the record was restored", Tone.UNKNOWN),
}
UNSETTLED: Words = {
    SlotState.PLANNED: ("Still ahead", Tone.UNKNOWN),
    SlotState.DUE: ("Open now, not started yet", Tone.UNKNOWN),
    SlotState.CLAIMED: ("Going on now", Tone.UNKNOWN),
}
RESULTS: Words = {
    Result.OK: ("Done, nothing had to change", Tone.GOOD),
    Result.CHANGED: ("Done", Tone.GOOD),
    Result.FAILED: ("Failed", Tone.BAD),
    Result.UNREACHABLE: ("Not reached", Tone.BAD),
    Result.IN_DOUBT: ("Begun, its end is not known", Tone.UNKNOWN),
    Result.NOT_RUN: ("Not touched", Tone.NEUTRAL),
}
WHY_NOT_RUN: Mapping[NotRun, str] = {
    NotRun.BUDGET: "The run had stopped by its safety limit before this server's turn came.",
    NotRun.NO_ROOM: "The time that was left in the window was too short for this server; it comes first next time.",
    NotRun.CUTOFF: "The latest time to start had passed; this server comes first next time.",
    NotRun.FROZEN: "A change freeze had begun; this server comes first next time.",
    NotRun.PAUSED: "Maintenance had been paused; this server comes first next time.",
    NotRun.PRE_CHECK: "The check before the work found that this server was not fit for it.",
    NotRun.CANCELLED: "A person had stopped the run before this server's turn came.",
    NotRun.LOCK: "Another run was at work on this server; it comes first next time.",
    NotRun.VANISHED: "This server is no longer in the inventory.",
    NotRun.NOT_IN_PLAYBOOK: "The instructions do not mention this server.",
    NotRun.CONFIGURATION: "The instructions are wrong or incomplete, so that the run did not touch this server.",
}
IN_DOUBT = "Contact was lost while the work was going on, so that its end is not known."
TRIGGERS: Mapping[Trigger, str] = {
    Trigger.SLOT: "by its schedule",
    Trigger.CADENCE: "by its schedule, at a regular interval",
    Trigger.READINESS: "ahead of a slot, to see whether its hosts are fit; nothing was changed",
    Trigger.HAND: "by hand",
    Trigger.ONCE: "once, planned by hand",
    Trigger.CONTINUED: "to continue an earlier run",
}
TICKETS: Words = {
    TicketState.OPEN: ("Open", Tone.BAD),
    TicketState.ACKNOWLEDGED: ("Being worked on", Tone.PARTLY),
    TicketState.RESOLVED: ("Resolved", Tone.GOOD),
}
CHANGE_TYPES: Mapping[str, str] = {
    "standard": "standard (authorised in advance)",
    "normal": "normal (authorised each time)",
    "emergency": "emergency (authorised afterwards)",
}
GUARDS: Mapping[str, str] = {
    "window": "maintenance window",
    "freeze": "change freeze",
    "pause": "pause",
    "requires": "ring before it",
    "alerts": "alerts outside",
    "readiness": "look ahead at whether hosts are fit",
}
STANDINGS: Words = {
    "done": ("All work done as planned", Tone.GOOD),
    "partly": ("Part of the work is not done", Tone.PARTLY),
    "not_done": ("Not done", Tone.BAD),
    "not_reached": ("Not reached", Tone.BAD),
    "never_seen": ("No work was tried here", Tone.BAD),
}
RESTARTS: Words = {
    "done": ("Restarted", Tone.GOOD),
    "needed": ("Restart still needed", Tone.PARTLY),
    "done_and_needed": ("Restarted, needs another", Tone.PARTLY),
    "not_needed": ("Not needed", Tone.NEUTRAL),
}


def status(code: str, words: Words) -> Status:
    """A code with its words and tone; one that is not in the table is shown as it is."""
    text, tone = words.get(code, (str(code), Tone.UNKNOWN))
    return Status(str(code), text, str(tone))


def number(count: int, one: str, many: str = "") -> str:
    """A number with its noun: `1 server`, `2 servers`."""
    return f"{count} {one if count == 1 else many or one + 's'}"


def listed(names: tuple[str, ...] | list[str], *, most: int = 5) -> str:
    """Names as people list them: `a, b and c`, or `a, b, c, d, e and 7 more`."""
    shown = list(names[:most])
    if len(names) > most:
        return f"{', '.join(shown)} and {len(names) - most} more"
    return " and ".join(filter(None, (", ".join(shown[:-1]), shown[-1]))) if shown else ""
