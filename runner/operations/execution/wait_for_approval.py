"""The slots of the next days that wait for somebody's approval, each with the reason; signatures are checked, and files compared, as at the start."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from runner.domain.execution.approval import Policy
from runner.domain.execution.run import SlotState
from runner.domain.settings import Definitions
from runner.operations.execution.approval_standing import policy_for
from runner.operations.execution.plan_occurrence import plan_occurrence
from runner.operations.site import Site
from runner.store.time import slots

log = logging.getLogger(__name__)
COMING = timedelta(days=7)
STARTABLE = frozenset({SlotState.PLANNED, SlotState.DUE})
LOOK_BACK = timedelta(days=7)  # how long ago a slot may have opened that can still be started


@dataclass(frozen=True, slots=True)
class Waiting:
    """A slot that nobody has approved yet, or whose approval does not count any more; it cannot start after `last_start`."""

    slot: str
    schedule: str
    opens: datetime
    last_start: datetime
    why: str


def slots_that_wait(definitions: Definitions, *, site: Site, within: timedelta = COMING) -> tuple[Waiting, ...]:
    """The slots that open within that time, or are open, and wait; one that cannot be planned now is left to the other guards."""
    now = site.clock()
    normal = {
        name for name, each in definitions.schedules.items() if needs_approval(name, definitions) and each.enabled
    }
    if not normal:
        return ()
    ahead = site.store.read(lambda c: slots.between(c, now - LOOK_BACK, now + within, normal))
    startable = [slot for slot in ahead if slot.state in STARTABLE and now < slot.last_start_at]
    return tuple(waiting for slot in startable for waiting in waiting_of(slot, definitions, site=site, now=now))


def needs_approval(name: str, definitions: Definitions) -> bool:
    """Whether the slots of a schedule need somebody's word."""
    schedule = definitions.schedules[name]
    return not schedule.is_manual and policy_for(schedule, definitions.settings) is not Policy.NONE


def waiting_of(slot: slots.Slot, definitions: Definitions, *, site: Site, now: datetime) -> Iterator[Waiting]:
    """The slot, if it waits."""
    at = max(now, slot.usable_from)
    try:
        plan = plan_occurrence(slot.schedule, definitions=definitions, site=site, at=at, identity=slot.identity)
    except Exception:
        log.exception("A slot of %s cannot be planned", slot.schedule, extra={"action": "slot.trouble"})
        return
    if plan.approval.waits:
        yield Waiting(slot.id, slot.schedule, slot.opens_at, slot.last_start_at, plan.approval.words)
