"""When each schedule may begin next: by the files, and by the ledger where it knows better."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from runner.domain.execution.run import SlotState
from runner.domain.execution.schedule import Schedule
from runner.domain.settings import Definitions
from runner.domain.time import occurrence
from runner.domain.time.window import Opening
from runner.operations.time.bind_freezes import binding_freezes
from runner.operations.time.keep_ledger import has_slots
from runner.store.database import Store
from runner.store.time import slots

LOOK_BACK = timedelta(days=7)
LOOK_AHEAD = timedelta(days=90)
USED = frozenset({SlotState.CLAIMED, SlotState.SETTLED})


@dataclass(frozen=True, slots=True)
class NextOpening:
    """The opening that a schedule is in, or its next one."""

    schedule: str
    opens: datetime
    last_start: datetime
    is_open: bool


def openings_now(
    defined: Definitions | None, store: Callable[[], Store], now: datetime, *, asked: bool
) -> tuple[NextOpening, ...]:
    """By the files; by the ledger what they cannot know: slots that were made without a file, and the next one after one that is used or waived."""
    around = store().read(lambda c: slots.between(c, now - LOOK_BACK, now + LOOK_AHEAD)) if asked else []
    written = openings_from_ledger([slot for slot in around if slot.opens_at >= now])
    if not defined:
        return written
    over = {(slot.schedule, slot.usable_from) for slot in around if slot.state in USED}
    found = [each for each in openings_from_files(defined, now) if (each.schedule, each.opens) not in over]
    known = {each.schedule for each in found} | {s.name for s in defined.schedules.values() if not has_slots(s)}
    found += [each for each in written if each.schedule not in known]
    return tuple(sorted(found, key=lambda each: (each.opens, each.schedule)))


def openings_from_files(definitions: Definitions, now: datetime) -> tuple[NextOpening, ...]:
    """The present or next opening of every schedule, the soonest first, from what the files say now."""
    found = (next_of(schedule, definitions, now) for schedule in definitions.schedules.values() if has_slots(schedule))
    return tuple(sorted((each for each in found if each), key=lambda each: (each.opens, each.schedule)))


def next_of(schedule: Schedule, definitions: Definitions, now: datetime) -> NextOpening | None:
    """The opening that is on now and can still be started in, else the next one that freezes leave something of."""
    freezes = binding_freezes(schedule, definitions, ())
    current = occurrence.opening_at(schedule.window, freezes, now)
    if current and current.usable_from <= now < current.last_start:
        return next_in(current, schedule, now)
    later = occurrence.next_opening(schedule.window, freezes, after=now, usable=True)
    return next_in(later, schedule, now) if later else None


def next_in(opening: Opening, schedule: Schedule, now: datetime) -> NextOpening:
    """When the schedule may begin in this opening; while its splay runs it is not open yet."""
    mine = schedule.its(opening)
    return NextOpening(schedule.name, mine.usable_from, mine.last_start, is_open=mine.usable_from <= now)


def openings_from_ledger(ahead: Sequence[slots.Slot]) -> tuple[NextOpening, ...]:
    """The next openings as they were written ahead."""
    first: dict[str, slots.Slot] = {}
    for slot in ahead:
        if slot.state is SlotState.PLANNED and not slot.is_frozen:
            first.setdefault(slot.schedule, slot)
    return tuple(
        NextOpening(slot.schedule, slot.usable_from, slot.last_start_at, is_open=False) for slot in first.values()
    )
