"""What becomes of due slots: each is started, held until it is asked again, or settled without a run."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from runner.domain.execution.guards import FREEZE, OVERLAP, PAUSE, STILL_SAID, Hold
from runner.domain.execution.run import SlotOutcome, SlotState
from runner.domain.execution.schedule import CatchUp, Overlap, Schedule
from runner.domain.record.record import INSTALLATION
from runner.domain.settings import Definitions
from runner.errors import StoreUnavailable
from runner.operations.execution.follow_up import SLOT_MISSED
from runner.operations.execution.plan_occurrence import Asking, Plan, plan_occurrence
from runner.operations.execution.start_run import start_slot
from runner.operations.site import Site
from runner.operations.time.ask_for_duty import ask, tell_ticket, was_asked_for, why_not_done
from runner.store.execution import debts, holds
from runner.store.record import log as entries
from runner.store.tickets import outbox
from runner.store.time import slots
from runner.store.transaction import Transaction

log = logging.getLogger(__name__)
ASK_AGAIN = timedelta(seconds=15)  # between two questions to a slot that is held
PUNCTUAL = timedelta(minutes=1)  # a start within this of the opening is not late
OUTCOME_OF_HOLD = {FREEZE: SlotOutcome.FROZEN, PAUSE: SlotOutcome.PAUSED, OVERLAP: SlotOutcome.SKIPPED}
ORDER_OF_HOLDS = (FREEZE, PAUSE, OVERLAP)
TROUBLE = "trouble"  # the guard that stands for a start that failed by itself
NOT_RUNNING = "the scheduler was not running while the window was open"
NEVER_LATE = "the scheduler was not running when the window opened, and late_start is never"
HELD_BEFORE = "the scheduler was no longer running at the last start; until {} UTC the slot had been held: {}"


@dataclass(frozen=True, slots=True)
class Owing:
    """The hosts that a missed slot had meant, and that come first in the next window: at most one catch-up, however many were missed."""

    inventory: str
    hosts: tuple[str, ...]


def consider_slots(definitions: Definitions, *, site: Site) -> None:
    """Consider every due slot; one bad schedule never stops another."""
    for slot in site.store.read(slots.due):
        try:
            consider(slot, definitions=definitions, site=site)
        except Exception:
            log.exception("A slot of %s is stuck", slot.schedule, extra={"action": "slot.stuck", "slot": slot.id})


def consider(slot: slots.Slot, *, definitions: Definitions, site: Site) -> None:
    """Start a due slot's run if no guard says no; settle it when its last start is over."""
    now = site.clock()
    schedule = definitions.schedules.get(slot.schedule)
    if schedule is None or not schedule.enabled:
        became = "deleted" if schedule is None else "switched off"
        settle_without_run(slot, SlotOutcome.HELD, f"its schedule was {became} while it was due", site=site)
    elif schedule.is_manual:
        consider_duty(slot, site=site)
    elif is_too_late(slot, schedule, now=now):
        settle_too_late(slot, definitions=definitions, site=site)
    elif now >= slot.usable_from and not was_asked_lately(slot, site=site, now=now):
        held = start_or_hold(slot, definitions=definitions, site=site)
        site.store.write(partial(keep_holds, slot=slot, held=held, at=now))


def consider_duty(slot: slots.Slot, *, site: Site) -> None:
    """Ask a person for a due duty, however late in its window; settle it as missed once the window has closed. No freeze and no pause holds it."""
    now = site.clock()
    if now >= slot.closes_at:
        settle_without_run(slot, SlotOutcome.MISSED, why_not_done(slot), site=site)
    elif not was_asked_for(slot):
        site.store.write(partial(ask, slot=slot, at=now))


def is_too_late(slot: slots.Slot, schedule: Schedule, *, now: datetime) -> bool:
    """Whether nothing can be started in this slot any more."""
    unasked = slot.hosts is None and now > slot.usable_from + PUNCTUAL
    return slot.is_frozen or now >= slot.last_start_at or (schedule.late_start == "never" and unasked)


def was_asked_lately(slot: slots.Slot, *, site: Site, now: datetime) -> bool:
    """Whether a held slot was asked a moment ago: every question reads the inventory, and some ask a cloud for it."""
    seen = [hold.last_seen for hold in site.store.read(lambda c: holds.of_slot(c, slot.id))]
    return bool(seen) and now - max(seen) < ASK_AGAIN


def start_or_hold(slot: slots.Slot, *, definitions: Definitions, site: Site) -> Sequence[Hold]:
    """Start the slot's run, or give the guards' noes; a start that fails by itself is a no with its reason, too."""
    try:
        plan = plan_slot(slot, definitions=definitions, site=site)
        if not plan.holds:
            start_slot(slot, plan, site=site)
        return plan.holds
    except StoreUnavailable:
        raise
    except Exception as error:
        log.exception("A slot of %s could not be started", slot.schedule, extra={"action": "slot.trouble"})
        return (Hold(TROUBLE, f"it could not be started: {error}"),)


def plan_slot(slot: slots.Slot, *, definitions: Definitions, site: Site) -> Plan:
    """What the slot's run would do now; the hosts that it means are kept with it, also if nothing runs."""
    at = min(site.clock(), slot.closes_at)
    plan = plan_occurrence(
        slot.schedule, Asking(at, identity=slot.identity, digested=False), definitions=definitions, site=site
    )
    if slot.hosts is None:
        site.store.write(lambda c: slots.keep_hosts(c, slot.id, plan.run.hosts))
    return plan


def keep_holds(connection: Transaction, *, slot: slots.Slot, held: Sequence[Hold], at: datetime) -> None:
    """Note what holds a slot now."""
    for hold in held:
        holds.keep(connection, hold, schedule=slot.schedule, at=at, slot_id=slot.id)


def settle_too_late(slot: slots.Slot, *, definitions: Definitions, site: Site) -> None:
    """Settle a slot in which nothing can be started any more; that its hosts cannot be had now keeps nothing from being settled."""
    schedule, impact, meant = definitions.schedules[slot.schedule], "medium", slot.hosts or ()
    try:
        run = plan_slot(slot, definitions=definitions, site=site).run
        impact, meant = run.impact, slot.hosts or run.hosts
    except Exception:
        log.exception("The hosts of a slot of %s are not known", slot.schedule, extra={"action": "slot.trouble"})
    held = site.store.read(lambda c: holds.of_slot(c, slot.id))
    outcome, reason = outcome_without_run(slot, held, now=site.clock(), overlap=schedule.overlap)
    catches_up = outcome is SlotOutcome.MISSED and schedule.catch_up is CatchUp.NEXT_WINDOW
    owing = Owing(schedule.inventory, meant) if catches_up else None
    settle_without_run(slot, outcome, reason, site=site, impact=impact, owing=owing)


def outcome_without_run(
    slot: slots.Slot, held: Sequence[holds.HeldSlot], *, now: datetime, overlap: Overlap = Overlap.FORBID
) -> tuple[SlotOutcome, str]:
    """The first hold in the order of the rules (frozen, paused, skipped, else held) of those that lasted; missed when nothing held it to the end.

    One that had queued for the run before it was to be done, and is missed, not skipped.
    """
    if slot.is_frozen:
        return SlotOutcome.FROZEN, f"change freeze {', '.join(slot.frozen_by)}"
    lasted = [hold for hold in held if hold.last_seen >= min(now, slot.last_start_at) - STILL_SAID]
    if lasted:
        first = min(lasted, key=rank)
        if first.guard == OVERLAP and overlap is Overlap.QUEUE:
            return SlotOutcome.MISSED, f"{first.reason} at its last start"
        return OUTCOME_OF_HOLD.get(first.guard, SlotOutcome.HELD), first.reason
    return SlotOutcome.MISSED, why_missed(slot, held, now=now)


def why_missed(slot: slots.Slot, held: Sequence[holds.HeldSlot], *, now: datetime) -> str:
    """Why nothing was started: nobody was there; what was said before that is told with it."""
    if held:
        last = min(held, key=lambda hold: (-hold.last_seen.timestamp(), rank(hold)))
        return HELD_BEFORE.format(f"{last.last_seen:%Y-%m-%d %H:%M}", last.reason)
    return NOT_RUNNING if now >= slot.last_start_at else NEVER_LATE


def rank(hold: holds.HeldSlot) -> int:
    """Where a hold stands in the order of the rules."""
    return ORDER_OF_HOLDS.index(hold.guard) if hold.guard in ORDER_OF_HOLDS else len(ORDER_OF_HOLDS)


def settle_without_run(
    slot: slots.Slot,
    outcome: SlotOutcome,
    reason: str,
    *,
    site: Site,
    impact: str = "medium",
    owing: Owing | None = None,
) -> bool:
    """Give a due slot its one outcome, and record it; a missed one asks for a ticket, and its hosts may owe a run from now on."""
    write = partial(write_outcome, slot=slot, outcome=outcome, reason=reason, impact=impact, at=site.clock())
    return site.store.write(partial(write, owing=owing))


def write_outcome(
    connection: Transaction,
    *,
    slot: slots.Slot,
    outcome: SlotOutcome,
    reason: str,
    impact: str,
    at: datetime,
    owing: Owing | None = None,
) -> bool:
    """The outcome and its log entry in one transaction; False when the slot was settled already."""
    if not slots.settle(connection, slot.id, outcome=str(outcome), reason=reason, was=SlotState.DUE, at=at):
        return False
    body: dict[str, object] = {
        "action": "slot.settled",
        "slot": slot.id,
        "schedule": slot.schedule,
        "rule_date": slot.rule_date.isoformat(),
        "outcome": str(outcome),
        "reason": reason,
    }
    if outcome is SlotOutcome.MISSED:
        outbox.put(connection, kind=SLOT_MISSED, target=slot.id, body={"impact": impact}, at=at)
    tell_ticket(connection, slot=slot, outcome=outcome, reason=reason, at=at)
    if owing:
        debts.owe(connection, owing.inventory, slot.schedule, owing.hosts, run=slot.id, at=at)
        body["owing"] = list(owing.hosts)
    entries.append(connection, INSTALLATION, [body], at=at)
    return True
