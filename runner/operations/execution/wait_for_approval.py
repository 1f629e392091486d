"""The slots of the next days that wait for somebody's approval, each with the reason; signatures are checked, and files compared, as at the start."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from runner.domain.execution.approval import Policy, Standing
from runner.domain.execution.approved_content import Content
from runner.domain.execution.run import SlotState
from runner.domain.settings import Definitions
from runner.operations.execution.approval_standing import Question, occasion_of, policy_for, standing_of
from runner.operations.execution.digest_plan import content_of
from runner.operations.execution.find_requirements import installed_for
from runner.operations.site import Site
from runner.store.time import slots

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
    """The slots that open within that time, or are open, and wait. No inventory is asked: hosts that came since show in the plan."""
    now = site.clock()
    normal = {
        name for name, each in definitions.schedules.items() if needs_approval(name, definitions) and each.enabled
    }
    if not normal:
        return ()
    ahead = site.store.read(lambda c: slots.between(c, now - LOOK_BACK, now + within, normal))
    startable = [slot for slot in ahead if slot.state in STARTABLE and now < slot.last_start_at]
    contents = contents_of({slot.schedule for slot in startable}, definitions, site=site)
    return tuple(
        Waiting(slot.id, slot.schedule, slot.opens_at, slot.last_start_at, standing.words)
        for slot in startable
        if (standing := standing_at(slot, contents[slot.schedule], definitions, site=site)).waits
    )


def needs_approval(name: str, definitions: Definitions) -> bool:
    """Whether the slots of a schedule need somebody's word."""
    schedule = definitions.schedules[name]
    return not schedule.is_manual and policy_for(schedule, definitions.settings) is not Policy.NONE


def contents_of(names: Collection[str], definitions: Definitions, *, site: Site) -> dict[str, Content]:
    """What each schedule's digest is made from, but for the date."""
    among, schedules = site.snapshots.names(site.root) if names else (), definitions.schedules
    installed = {name: installed_for(schedules[name], definitions, site=site) for name in names}
    return {
        name: content_of(schedules[name], None, site.root, among=among, installed=installed[name]) for name in names
    }


def standing_at(slot: slots.Slot, content: Content, definitions: Definitions, *, site: Site) -> Standing:
    """How it stands with the approval of a slot."""
    schedule, settings = definitions.schedules[slot.schedule], definitions.settings
    question = Question(schedule=schedule, occurrence=slot.identity, content=content)
    return standing_of(question, occasion_of(question, settings, site=site), settings, site=site, at=site.clock())
