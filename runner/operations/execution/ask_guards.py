"""Asks the guards that look beyond a schedule itself: the ring before it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import partial

from runner.domain.execution.guards import Hold
from runner.domain.execution.plan import RunPlan
from runner.domain.execution.rings import RingRun, hold_for_ring
from runner.domain.execution.run import SlotOutcome, Verdict
from runner.domain.execution.schedule import Schedule
from runner.domain.settings import Definitions
from runner.operations.site import Site
from runner.store.execution import runs
from runner.store.time import slots
from runner.store.transaction import Transaction

OF_A_DUTY = {SlotOutcome.DONE: Verdict.SUCCEEDED, SlotOutcome.MISSED: Verdict.FAILED}  # a waived one says nothing


def ask_guards(
    schedule: Schedule, run: RunPlan, *, definitions: Definitions, site: Site, at: datetime
) -> Iterator[Hold | None]:
    """The guards' answers, in the order in which a person would want to hear them."""
    yield from ask_rings(schedule, run, definitions=definitions, site=site, at=at)


def ask_rings(
    schedule: Schedule, run: RunPlan, *, definitions: Definitions, site: Site, at: datetime
) -> Iterator[Hold | None]:
    """Whether every ring before this one is through; check mode waits for none."""
    for requirement in () if run.check_mode else schedule.requires:
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
