"""Rules that can say no to a run: each answers None, or a hold with its reason and until when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from runner.domain.execution.approval import Standing
from runner.domain.execution.plan import RunPlan
from runner.domain.execution.schedule import Amount, Schedule, Split
from runner.domain.settings import Inventory
from runner.domain.time.freeze import Freeze
from runner.domain.time.window import Opening
from runner.errors import count

APPROVAL = "approval"
WINDOW, FREEZE, PAUSE, OVERLAP, INVENTORY, RECORD, HOSTS = (
    "window",
    "freeze",
    "pause",
    "overlap",
    "inventory",
    "record",
    "hosts",
)
CAN_BE_OVERRIDDEN = frozenset({WINDOW, FREEZE, PAUSE})


@dataclass(frozen=True, slots=True)
class Hold:
    """A guard's no: what stands in the way, and until when as far as it is known."""

    guard: str
    reason: str
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Pause:
    """A person's order to touch nothing; `hosts` is a pattern, empty for everything. `until` None lasts until it is resumed.

    `by` is empty when nobody knows who gave it. `stops_at_once` also ends what is in flight.
    """

    id: str
    reason: str
    by: str
    since: datetime
    until: datetime | None = None
    hosts: str = ""
    stops_at_once: bool = False

    @property
    def words(self) -> str:
        """Who paused, and why."""
        return f"paused by {self.by}: {self.reason}" if self.by else f"paused: {self.reason}"


def hold_for_window(
    schedule: Schedule, opening: Opening | None, following: Opening | None, *, check_mode: bool = False, now: datetime
) -> Hold | None:
    """Hold a change outside its window, and in the window after its last start; read-only work needs no window."""
    if schedule.window.is_always or check_mode or not schedule.changes_something:
        return None
    until = following.usable_from if following else None
    if opening is None or not opening.opens <= now < opening.closes:
        return Hold(WINDOW, f"maintenance window {schedule.window.name!r} is closed", until)
    if now < opening.usable_from:
        why = f"freezes leave the later part of maintenance window {schedule.window.name!r} to be used"
        return Hold(WINDOW, why, opening.usable_from)
    if not opening.is_frozen and now >= opening.last_start:
        return Hold(WINDOW, f"it is too late to start in maintenance window {schedule.window.name!r}", until)
    return None


def hold_for_freeze(freezes: Sequence[Freeze], *, now: datetime) -> Hold | None:
    """Hold a change while a freeze covers it; `freezes` are those that bind it."""
    for freeze in freezes:
        if until := freeze.until(now):
            why = f": {freeze.reason}" if freeze.reason else ""
            return Hold(FREEZE, f"change freeze {freeze.name!r}{why}", until)
    return None


def hold_for_pause(
    plan: RunPlan, pauses: Sequence[Pause], *, paused_hosts: Mapping[str, frozenset[str]]
) -> Hold | None:
    """Hold a change while somebody has paused everything, or every one of its hosts; one call for all hosts cannot leave any of them out."""
    if not plan.changes_something:
        return None
    named = {pause: paused_hosts.get(pause.id, frozenset()).intersection(plan.hosts) for pause in pauses}
    for pause, hosts in named.items():
        if not pause.hosts or stops_all(plan, hosts):
            return Hold(PAUSE, pause.words, pause.until)
    return hold_for_several(plan, {pause: hosts for pause, hosts in named.items() if hosts})


def hold_for_several(plan: RunPlan, named: Mapping[Pause, frozenset[str]]) -> Hold | None:
    """Hold a change of which several pauses leave nothing together; as soon as one of them ends, the rest can begin."""
    if not stops_all(plan, frozenset().union(*named.values())):
        return None
    ends = [pause.until for pause in named if pause.until]
    return Hold(PAUSE, "; ".join(pause.words for pause in named), min(ends, default=None))


def stops_all(plan: RunPlan, paused: frozenset[str]) -> bool:
    """Whether a pause of these hosts leaves nothing to do; otherwise the run passes over them."""
    if plan.split is Split.WHOLE:
        return not paused.isdisjoint(plan.hosts)
    return bool(plan.hosts) and paused.issuperset(plan.hosts)


def hold_for_hosts(schedule: Schedule, hosts: Sequence[str]) -> Hold | None:
    """Hold a schedule whose pattern names no host at all: nothing done must never look like something done well."""
    if hosts:
        return None
    return Hold(HOSTS, f"no host of inventory {schedule.inventory!r} matches {schedule.hosts!r}")


def hold_for_approval(standing: Standing) -> Hold | None:
    """Hold a change that somebody has yet to approve."""
    return Hold(APPROVAL, standing.words) if standing.waits else None


def hold_for_overlap(schedule: Schedule, running: int | None) -> Hold | None:
    """Hold a schedule while its own last run is still going; `running` is that run's number."""
    return Hold(OVERLAP, f"run {running} of {schedule.name!r} is still going") if running is not None else None


def hold_for_inventory(
    inventory: Inventory,
    *,
    hosts: Sequence[str],
    errors: Sequence[str],
    last_good: Sequence[str],
    retired: frozenset[str],
) -> Hold | None:
    """Hold while an inventory errs, is too small, or lost more hosts than it may against its last good answer, and name who is missing."""
    if errors:
        return Hold(INVENTORY, f"inventory {inventory.name!r} cannot be trusted: {'; '.join(errors)}")
    missing = [host for host in last_good if host not in hosts and host not in retired]
    names = f"; missing: {', '.join(missing)}" if missing else ""
    if len(hosts) < inventory.min_hosts:
        return Hold(
            INVENTORY,
            f"inventory {inventory.name!r} has {count(len(hosts), 'host')}, fewer than min_hosts {inventory.min_hosts}{names}",
        )
    known = len([host for host in last_good if host not in retired])
    if known and dropped_too_far(inventory.max_drop, len(missing), known):
        return Hold(
            INVENTORY,
            f"inventory {inventory.name!r} lost {len(missing)} of {count(known, 'host')}, more than max_drop {inventory.max_drop}{names}",
        )
    return None


def dropped_too_far(limit: Amount | None, missing: int, known: int) -> bool:
    """Whether more hosts are missing than `limit` allows; without a limit any number may go."""
    return limit is not None and missing > limit.rounded_down(known)


def first_hold(*holds: Hold | None) -> Hold | None:
    """The first no among the guards' answers."""
    return next((hold for hold in holds if hold is not None), None)
