"""Looks ahead: before each slot of a schedule that wants it, one readiness run, late rather than never, and never once the slot has opened."""

from __future__ import annotations

import logging
from datetime import datetime
from functools import partial

from runner.domain.execution.guards import Hold
from runner.domain.execution.run import SlotState
from runner.domain.execution.schedule import Readiness
from runner.domain.settings import Definitions
from runner.errors import StoreUnavailable
from runner.operations.execution.plan_occurrence import Asking, plan_occurrence
from runner.operations.execution.start_readiness import start_readiness
from runner.operations.site import Site
from runner.operations.time.consider_intervals import Asked
from runner.operations.time.consider_slots import ASK_AGAIN, TROUBLE
from runner.store.execution import runs
from runner.store.time import slots

log = logging.getLogger(__name__)


def consider_readiness(definitions: Definitions, *, site: Site, asked: Asked) -> None:
    """Start what is due; one bad schedule never stops another."""
    wanted = {name: each.readiness for name, each in definitions.schedules.items() if each.readiness and each.enabled}
    if not wanted:
        return
    now = site.clock()
    ahead = now + max(readiness.before for readiness in wanted.values()) + datetime.resolution
    for slot in site.store.read(lambda c: slots.between(c, now, ahead, wanted)):
        try:
            consider(slot, wanted[slot.schedule], definitions=definitions, site=site, asked=asked)
        except StoreUnavailable:
            raise
        except Exception:
            log.exception("The readiness of %s is stuck", slot.schedule, extra={"action": "readiness.stuck"})


def consider(slot: slots.Slot, readiness: Readiness, *, definitions: Definitions, site: Site, asked: Asked) -> None:
    """Start the readiness run of a slot that is still ahead; while it is held it is asked again, until the slot opens."""
    now, since = site.clock(), slot.usable_from - readiness.before
    if slot.state is not SlotState.PLANNED or slot.is_frozen or not since <= now < slot.opens_at:
        return
    if was_asked_lately(slot, asked, now=now) or is_made(slot, since=since, site=site):
        return
    if held := start_or_hold(slot, since=since, definitions=definitions, site=site):
        if slot.id not in asked:  # told once for each slot
            log.info("The readiness of %s waits: %s", slot.schedule, held.reason, extra={"action": "readiness.held"})
        asked[slot.id] = now


def was_asked_lately(slot: slots.Slot, asked: Asked, *, now: datetime) -> bool:
    """Whether it was held a moment ago: every question reads the inventory."""
    before = asked.get(slot.id)
    return before is not None and before <= now < before + ASK_AGAIN


def is_made(slot: slots.Slot, *, since: datetime, site: Site) -> bool:
    """Whether there has been a readiness run for this slot, also by hand."""
    return site.store.read(partial(runs.last_readiness, schedule=slot.schedule, since=since)) is not None


def start_or_hold(slot: slots.Slot, *, since: datetime, definitions: Definitions, site: Site) -> Hold | None:
    """Start it, or give the first guard's no; a start that fails by itself is a no with its reason, too."""
    asking = Asking(site.clock(), ahead=True, until=slot.usable_from, digested=False)
    try:
        plan = plan_occurrence(slot.schedule, asking, definitions=definitions, site=site)
        if plan.holds:
            return plan.holds[0]
        start_readiness(plan, since=since, site=site)
    except StoreUnavailable:
        raise
    except Exception as error:
        log.exception("The readiness run of %s could not be started", slot.schedule, extra={"action": TROUBLE})
        return Hold(TROUBLE, f"it could not be started: {error}")
    return None
