"""The slot that a person means: a schedule's next one, that of a date, or one by its id."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from zoneinfo import ZoneInfo

from runner.domain.execution.run import SlotState
from runner.errors import NotFound, UsageError
from runner.operations.execution.find_schedule import schedule_to_run
from runner.operations.site import Site
from runner.operations.time.waive_slot import Asked, slots_meant, the_one, write_ahead
from runner.store.time import slots
from runner.store.transaction import Transaction

LOOK_BACK, LOOK_AHEAD = timedelta(days=7), timedelta(days=400)


@dataclass(frozen=True, slots=True)
class SlotNamed:
    """How a slot is named: by a schedule (its next one, or that of `asked`), or by the slot's own id."""

    name: str
    asked: Asked | None = None


def slot_named(named: SlotNamed, *, site: Site) -> slots.Slot:
    """The slot that is meant; raises NotFound, and UsageError for a schedule that has none."""
    if named.name not in site.current().schedules:
        by_id = site.store.read(partial(slot_by_id, name=named.name))
        if by_id:
            return by_id
    schedule = schedule_to_run(named.name, site.current())
    if schedule.window.is_always:
        raise UsageError(
            f"{named.name!r} has no window, so it has no slots: approve a run by hand, --digest D, as `wellkept plan {named.name}` prints it."
        )
    write_ahead(schedule, site=site)
    if named.asked:
        found = site.store.read(partial(slots_meant, asked=named.asked, zone=ZoneInfo(schedule.window.timezone)))
        return the_one(named.asked, found, schedule, site=site)
    following = site.store.read(partial(next_slot, schedule=schedule.name, site=site))
    if following is None:
        raise NotFound(f"{named.name!r} has no slot ahead. See `wellkept calendar {named.name}`.")
    return following


def slot_by_id(connection: Transaction, *, name: str) -> slots.Slot | None:
    """The slot of that id."""
    try:
        return slots.get(connection, name)
    except NotFound:
        return None


def next_slot(connection: Transaction, *, schedule: str, site: Site) -> slots.Slot | None:
    """The slot that is open and has no run yet, or else the next that opens."""
    now = site.clock()
    begun = slots.between(connection, now - LOOK_BACK, now + LOOK_AHEAD, [schedule])
    startable = (
        slot for slot in begun if slot.state in {SlotState.PLANNED, SlotState.DUE} and now < slot.last_start_at
    )
    return next(startable, None)
