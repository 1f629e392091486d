"""What becomes of schedules on a cadence: in each interval one run is started, as soon as nothing holds it; an interval that ends before that was missed."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import datetime
from functools import partial

from runner.domain.execution.guards import OVERLAP, Hold
from runner.domain.execution.plan import HEALTH_PREFIX
from runner.domain.execution.schedule import Schedule
from runner.domain.settings import Definitions
from runner.domain.time.cadence import Interval, interval_at, is_due
from runner.errors import StoreUnavailable
from runner.operations.execution.plan_occurrence import Asking, plan_occurrence
from runner.operations.execution.start_run import start_interval
from runner.operations.site import Site
from runner.operations.time.consider_slots import ASK_AGAIN, TROUBLE
from runner.operations.time.count_interval import count_passed
from runner.store.execution import runs
from runner.store.time import cadence

log = logging.getLogger(__name__)
Asked = dict[str, datetime]  # when each schedule that is held was asked last


def consider_intervals(definitions: Definitions, *, site: Site, asked: Asked) -> None:
    """Start a run in each interval that has begun, unless something holds it; one bad schedule never stops another."""
    last = site.store.read(cadence.last_intervals_counted)
    on_cadence = {each.name: each for each in definitions.schedules.values() if each.every and each.enabled}
    forget_gone(last, on_cadence, site=site)
    for schedule in on_cadence.values():
        try:
            consider(schedule, last.get(schedule.name), definitions=definitions, site=site, asked=asked)
        except StoreUnavailable:
            raise
        except Exception:
            log.exception("An interval of %s is stuck", schedule.name, extra={"action": "interval.stuck"})


def forget_gone(last: Iterable[str], on_cadence: Iterable[str], *, site: Site) -> None:
    """Expect nothing more of schedules that are gone, switched off, or have a window now: one that comes back has missed nothing."""
    gone = [name for name in last if not name.startswith(HEALTH_PREFIX) and name not in on_cadence]
    if gone:
        site.store.write(partial(cadence.forget_last, schedules=gone))


def consider(schedule: Schedule, last: Interval | None, *, definitions: Definitions, site: Site, asked: Asked) -> None:
    """Start the run of a schedule whose interval has begun; while it is held it is asked again, until the interval is over."""
    now = site.clock()
    if schedule.every is None or not is_due(schedule.every, last, now=now):
        return
    interval, before = interval_at(now, schedule.every), asked.get(schedule.name)
    if before is not None and interval.begins <= before <= now < before + ASK_AGAIN:
        return
    if held := start_or_hold(schedule, interval, definitions=definitions, site=site):
        asked[schedule.name] = now
        still_open = site.store.write(partial(count_passed, name=schedule.name, interval=interval))
        if still_open and (before is None or before < interval.begins):  # told once in an interval
            log.info("%s waits: %s", schedule.name, held.reason, extra={"action": "interval.held", "guard": held.guard})


def start_or_hold(schedule: Schedule, interval: Interval, *, definitions: Definitions, site: Site) -> Hold | None:
    """Start the interval's run, or give the first guard's no; a start that fails by itself is a no with its reason, too."""
    going = site.store.read(lambda c: runs.live_of_schedule(c, schedule.name))
    if going:  # the inventory need not be read for that
        return Hold(OVERLAP, f"run {going.number} of it is still going on")
    try:
        plan = plan_occurrence(schedule.name, Asking(site.clock(), digested=False), definitions=definitions, site=site)
        if plan.holds:
            return plan.holds[0]
        start_interval(interval, plan, site=site)
    except StoreUnavailable:
        raise
    except Exception as error:
        log.exception("%s could not be started", schedule.name, extra={"action": "interval.trouble"})
        return Hold(TROUBLE, f"it could not be started: {error}")
    return None
