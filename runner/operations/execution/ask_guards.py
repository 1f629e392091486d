"""Asks the guards that look beyond a schedule itself: boundaries, the ring before it, alerts outside, and the disk of the record."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import partial

from runner.domain.execution import host_pattern
from runner.domain.execution.alerts import hold_for_alerts
from runner.domain.execution.boundaries import begins_to_hold, hold_for_never, hold_for_whole
from runner.domain.execution.guards import ALERTS, SOCKETS, Hold, hold_for_image, hold_for_record
from runner.domain.execution.plan import RunPlan
from runner.domain.execution.rings import RingRun, hold_for_ring
from runner.domain.execution.run import SlotOutcome, Verdict
from runner.domain.execution.schedule import Schedule
from runner.domain.settings import Definitions, Never
from runner.domain.time.window import MaintenanceWindow
from runner.errors import Unknown, UsageError
from runner.operations.site import Site
from runner.ports import InventoryAnswer
from runner.store.execution import runs
from runner.store.time import slots
from runner.store.transaction import Transaction

OF_A_DUTY = {SlotOutcome.DONE: Verdict.SUCCEEDED, SlotOutcome.MISSED: Verdict.FAILED}  # a waived one says nothing
NO_RUN = "0" * 36  # as long as the id of a run


def ask_guards(
    schedule: Schedule, run: RunPlan, answer: InventoryAnswer, *, definitions: Definitions, site: Site, at: datetime
) -> Iterator[Hold | None]:
    """The guards' answers, in the order in which a person would want to hear them."""
    for never, window, hosts in forbidden_hosts(run, answer, definitions):
        yield hold_for_never(never, window, hosts, now=at)
    yield hold_for_whole(run, definitions.settings.boundaries.max_concurrent_hosts)
    yield from ask_rings(schedule, run, definitions=definitions, site=site, at=at)
    yield hold_for_sockets(site)
    if at <= site.clock():  # what fires now, and what is free now, says nothing about later
        yield ask_alerts(schedule, run, answer, definitions=definitions, site=site)
        yield hold_for_record(site.free_bytes())
        yield hold_for_image(site.executor.in_the_way(schedule.ansible))


def hold_for_sockets(site: Site) -> Hold | None:
    """Whether ssh's sockets would have a place: told before anything is begun."""
    try:
        site.control_path(NO_RUN)
    except UsageError as reason:
        return Hold(SOCKETS, str(reason))
    return None


def ask_alerts(
    schedule: Schedule, run: RunPlan, answer: InventoryAnswer, *, definitions: Definitions, site: Site
) -> Hold | None:
    """Whether an alert fires for a host of this run; who cannot be asked holds it as well. Check mode waits for nobody."""
    source = definitions.settings.alertmanager
    if run.only_looks or source is None or ALERTS not in schedule.hold_on:
        return None
    try:
        alerts = site.alerts.firing(source)
    except Unknown as reason:
        return Hold(ALERTS, str(reason))
    return hold_for_alerts(alerts, {host: answer.hosts.get(host, {}) for host in run.hosts}, ignore=source.ignore)


def forbidden_hosts(
    run: RunPlan, answer: InventoryAnswer, definitions: Definitions
) -> Iterator[tuple[Never, MaintenanceWindow, tuple[str, ...]]]:
    """For each boundary, the window in which it holds, and the hosts of this run that it names; none for a run that changes nothing."""
    for never in definitions.settings.boundaries.never if run.changes_something else ():
        named = host_pattern.match(never.hosts, hosts=tuple(answer.hosts), groups=answer.groups)
        yield never, definitions.windows[never.during], tuple(host for host in run.hosts if host in named)


def next_boundary(run: RunPlan, answer: InventoryAnswer, *, definitions: Definitions, at: datetime) -> datetime | None:
    """When the next boundary begins to hold for a host of this run, which must have ended by then."""
    each = (begins_to_hold(window, hosts, now=at) for _, window, hosts in forbidden_hosts(run, answer, definitions))
    return min((begins for begins in each if begins), default=None)


def ask_rings(
    schedule: Schedule, run: RunPlan, *, definitions: Definitions, site: Site, at: datetime
) -> Iterator[Hold | None]:
    """Whether every ring before this one is through; check mode waits for none."""
    for requirement in () if run.only_looks else schedule.requires:
        ring = definitions.schedules.get(requirement.schedule)
        last = site.store.read(partial(last_time, name=requirement.schedule, ring=ring))
        yield hold_for_ring(requirement, last, now=at)


def last_time(connection: Transaction, *, name: str, ring: Schedule | None) -> RingRun | None:
    """When a ring was through last, as a whole; for a duty, when its slot was settled last."""
    if ring is not None and ring.is_manual:
        slot = slots.last_settled(connection, name, list(OF_A_DUTY))
        return of_duty(slot) if slot else None
    run = runs.last_whole(connection, name)
    return RingRun(f"run {run.number}", run.verdict, run.ended_at, run.record_incomplete) if run else None


def of_duty(slot: slots.Slot) -> RingRun:
    """What the last slot of a person's duty says."""
    outcome = SlotOutcome(slot.outcome or "")
    return RingRun("the last slot", OF_A_DUTY[outcome], slot.settled_at, outcome=str(outcome))
