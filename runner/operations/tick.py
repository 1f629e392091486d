"""One beat of the metronome: what is due is claimed, held or settled; what goes on takes its next step; nothing that fails here stops the rest."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

from runner.domain.guards import FREEZE, OVERLAP, PAUSE
from runner.domain.record import INSTALLATION
from runner.domain.run import SlotOutcome, SlotState
from runner.domain.settings import Definitions
from runner.operations.follow_up import SLOT_MISSED, follow_up
from runner.operations.plan_occurrence import Plan, plan_occurrence
from runner.operations.settle_runs import settle_runs
from runner.operations.site import Site
from runner.operations.start_run import start_slot
from runner.ports import Dispatcher
from runner.store import daemons, holds, outbox, slots
from runner.store import log as entries
from runner.store.transaction import Transaction

log = logging.getLogger(__name__)
ASK_AGAIN = timedelta(seconds=15)  # between two questions to a slot that is held
OUTCOME_OF_HOLD = {FREEZE: SlotOutcome.FROZEN, PAUSE: SlotOutcome.PAUSED, OVERLAP: SlotOutcome.SKIPPED}
ORDER_OF_HOLDS = (FREEZE, PAUSE, OVERLAP)


def tick(*, site: Site, dispatcher: Dispatcher, started: datetime, starting: bool = True) -> None:
    """Do whatever the rows and the clock ask for now; with `starting` False no new run is started, as while the daemon is stopping."""
    guarded("beat", lambda: site.store.write(lambda c: daemons.beat(c, site.owner, started_at=started)))
    if starting:
        guarded("slots", lambda: site.store.write(lambda c: slots.mark_due(c, now=site.clock())))
        guarded("due", partial(consider_due_slots, site=site))
    guarded("runs", lambda: settle_runs(site=site, dispatcher=dispatcher))
    guarded("follow-up", lambda: follow_up(site=site))


def guarded(part: str, work: Callable[[], object]) -> None:
    """One part of the beat; its trouble is logged and the other parts go on."""
    try:
        work()
    except Exception:
        log.exception("The beat's part %r failed", part, extra={"action": "tick.failed", "part": part})


def consider_due_slots(*, site: Site) -> None:
    """Every due slot is claimed, held until later, or settled without a run; one bad schedule never stops another."""
    definitions = site.current()
    for slot in site.store.read(slots.due):
        guarded(f"slot of {slot.schedule}", partial(consider, slot, definitions=definitions, site=site))


def consider(slot: slots.Slot, *, definitions: Definitions, site: Site) -> None:
    """Start a due slot's run if no guard says no; settle it when its last start is over."""
    now = site.clock()
    if slot.schedule not in definitions.schedules:
        settle_without_run(slot, SlotOutcome.HELD, "its schedule was deleted while it was due", site=site)
        return
    if slot.hosts is not None and now < slot.last_start_at and was_asked_lately(slot, site=site, now=now):
        return
    plan = plan_occurrence(slot.schedule, definitions=definitions, site=site, at=min(now, slot.closes_at))
    if slot.hosts is None:
        site.store.write(lambda c: slots.keep_hosts(c, slot.id, plan.run.hosts))
    if slot.is_frozen or now >= slot.last_start_at:
        settle_too_late(slot, plan, site=site)
    elif plan.holds:
        site.store.write(
            lambda c: [holds.keep(c, hold, schedule=slot.schedule, at=now, slot_id=slot.id) for hold in plan.holds]
        )
    else:
        start_slot(slot, plan, site=site)


def was_asked_lately(slot: slots.Slot, *, site: Site, now: datetime) -> bool:
    """Whether a held slot was asked a moment ago: every question reads the inventory, and some ask a cloud for it."""
    seen = [hold.last_seen for hold in site.store.read(lambda c: holds.of_slot(c, slot.id))]
    return bool(seen) and now - max(seen) < ASK_AGAIN


def settle_too_late(slot: slots.Slot, plan: Plan, *, site: Site) -> None:
    """A slot whose last start is over settles by its first hold, or, when nothing held it, as missed with a ticket."""
    if slot.is_frozen:
        settle_without_run(slot, SlotOutcome.FROZEN, f"change freeze {', '.join(slot.frozen_by)}", site=site)
        return
    held = site.store.read(lambda c: holds.of_slot(c, slot.id))
    if held:
        first = min(
            held,
            key=lambda hold: ORDER_OF_HOLDS.index(hold.guard) if hold.guard in ORDER_OF_HOLDS else len(ORDER_OF_HOLDS),
        )
        settle_without_run(slot, OUTCOME_OF_HOLD.get(first.guard, SlotOutcome.HELD), first.reason, site=site)
        return
    reason = "the scheduler was not running while the window was open"
    settle_without_run(slot, SlotOutcome.MISSED, reason, site=site, impact=plan.run.impact)


def settle_without_run(
    slot: slots.Slot, outcome: SlotOutcome, reason: str, *, site: Site, impact: str = "medium"
) -> bool:
    """Give a due slot its one outcome, and record it; a missed one asks for a ticket."""
    write = partial(write_outcome, slot=slot, outcome=outcome, reason=reason, impact=impact, at=site.clock())
    return site.store.write(write)


def write_outcome(
    connection: Transaction, *, slot: slots.Slot, outcome: SlotOutcome, reason: str, impact: str, at: datetime
) -> bool:
    """The outcome and its log entry in one transaction; False when the slot was settled already."""
    if not slots.settle(connection, slot.id, outcome=str(outcome), reason=reason, was=SlotState.DUE, at=at):
        return False
    body = {
        "action": "slot.settled",
        "slot": slot.id,
        "schedule": slot.schedule,
        "rule_date": slot.rule_date.isoformat(),
        "outcome": str(outcome),
        "reason": reason,
    }
    if outcome is SlotOutcome.MISSED:
        outbox.put(connection, kind=SLOT_MISSED, target=slot.id, body={"impact": impact}, at=at)
    entries.append(connection, INSTALLATION, [body], at=at)
    return True
