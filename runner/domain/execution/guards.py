"""Rules that can say no to a run: each answers None, or a hold with its reason and until when."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from runner.domain.execution.apart import Variables, groups_of, nowhere, untold
from runner.domain.execution.approval import Standing
from runner.domain.execution.plan import RunPlan
from runner.domain.execution.requirements import NotInstalled, Requirements
from runner.domain.execution.schedule import Amount, Schedule, Split
from runner.domain.settings import Inventory
from runner.domain.time.freeze import Freeze
from runner.domain.time.window import Opening
from runner.errors import count

APPROVAL, WAVES, SOCKETS, READINESS = "approval", "waves", "sockets", "readiness"
WINDOW, FREEZE, PAUSE, DRAIN, OVERLAP, INVENTORY = "window", "freeze", "pause", "drain", "overlap", "inventory"
RECORD, HOSTS, REQUIRES, BOUNDARY, ALERTS, APART = "record", "hosts", "requires", "boundary", "alerts", "apart"
REQUIREMENTS, CONTAINER = "requirements", "container"
NAMED = 5  # hosts in a sentence
STILL_SAID = timedelta(minutes=5)  # a hold heard so shortly before the last start lasted to it; questions may be slow
MIB = 1024**2
LEAST_FREE = 256 * MIB  # bytes: snapshots, spools and the record of a night
CAN_BE_OVERRIDDEN = frozenset({WINDOW, FREEZE, PAUSE, REQUIRES, ALERTS, READINESS})


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


@dataclass(frozen=True, slots=True)
class Drain:
    """A person's order to begin no further piece of work, of any run; what has begun is finished, and runs go on when it is ended."""

    reason: str
    by: str
    since: datetime

    @property
    def words(self) -> str:
        """Who drains, and why."""
        return f"drained by {self.by}: {self.reason}"


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


def hold_for_drain(drain: Drain | None) -> Hold | None:
    """Hold everything, also what changes nothing, while somebody wants all work to come to rest."""
    return Hold(DRAIN, drain.words) if drain else None


def stops_all(plan: RunPlan, paused: frozenset[str]) -> bool:
    """Whether a pause of these hosts leaves nothing to do; otherwise the run passes over them."""
    if plan.split is Split.WHOLE:
        return not paused.isdisjoint(plan.hosts)
    return bool(plan.hosts) and paused.issuperset(plan.hosts)


def hold_for_record(free: int) -> Hold | None:
    """Hold all new work while the disk has too little room for the record; `free` is in bytes. What was done and not recorded cannot be proved."""
    if free >= LEAST_FREE:
        return None
    return Hold(RECORD, f"less than {LEAST_FREE // MIB} MiB are free on the disk of the record; make room on it")


def hold_for_hosts(schedule: Schedule, hosts: Sequence[str]) -> Hold | None:
    """Hold a schedule whose pattern names no host at all: nothing done must never look like something done well."""
    if hosts:
        return None
    return Hold(HOSTS, f"no host of inventory {schedule.inventory!r} matches {schedule.hosts!r}")


def hold_for_apart(schedule: Schedule, hosts: Sequence[str], variables: Mapping[str, Variables]) -> Hold | None:
    """Hold a schedule that wants hosts kept apart by something that cannot be told, or that none of them has: a wrong name must not go unnoticed."""
    told = untold(schedule.apart, hosts, variables)
    for name, those in told.items():
        named = ", ".join(those[:NAMED]) + (" …" if len(those) > NAMED else "")
        why = f"{name}, which keeps hosts apart, is a template, encrypted or a mapping at {named}. Only Ansible could fill it: give it as plain text"
        return Hold(APART, why)
    missing = nowhere(schedule.apart, groups_of(schedule.apart, hosts, variables)) if hosts else ()
    if not missing:
        return None
    why = (
        f"no host of {schedule.hosts!r} has the variable {' or '.join(missing)}, which keeps hosts apart, "
        f"in inventory {schedule.inventory!r}. Is it misspelt?"
    )
    return Hold(APART, why)


def hold_for_container(schedule: Schedule, hosts: Sequence[str], variables: Mapping[str, Variables]) -> Hold | None:
    """Hold a schedule whose playbook would change its own container instead of this machine: that is gone with the container, and would look well done."""
    local = [host for host in hosts if variables.get(host, {}).get("ansible_connection") == "local"]
    if not schedule.ansible.image or not local:
        return None
    named = ", ".join(local[:NAMED])
    why = f"the connection of {named} is local, and playbooks run in the image {schedule.ansible.image}: it would be changed in the place of this machine"
    return Hold(CONTAINER, f"{why}. Reach it by ssh, or give its schedule no image")


def hold_for_image(in_the_way: str) -> Hold | None:
    """Hold a schedule whose image is not on this machine: nothing is fetched when a run begins."""
    return Hold(CONTAINER, f"{in_the_way}. Fetch it, since no run does") if in_the_way else None


def hold_for_waves(schedule: Schedule, named: Mapping[str, Collection[str]]) -> Hold | None:
    """Hold a schedule of which a wave names hosts and finds none: without its canary, the rest would go first. `named` has the hosts of each such wave."""
    empty = [wave for wave in schedule.waves if wave.hosts and not named.get(wave.name)]
    if not empty:
        return None
    waves = " and ".join(f"wave {wave.name!r} ({wave.hosts!r})" for wave in empty)
    verb = "names" if len(empty) == 1 else "name"
    return Hold(WAVES, f"{waves} {verb} no host of {schedule.hosts!r} in inventory {schedule.inventory!r}")


def hold_for_approval(standing: Standing) -> Hold | None:
    """Hold a change that somebody has yet to approve."""
    return Hold(APPROVAL, standing.words) if standing.waits else None


def hold_for_overlap(schedule: Schedule, running: int | None) -> Hold | None:
    """Hold a schedule while its own last run is still going; `running` is that run's number."""
    return Hold(OVERLAP, f"run {running} of {schedule.name!r} is still going") if running is not None else None


def hold_for_requirements(missing: Requirements, trouble: NotInstalled | None) -> Hold | None:
    """Hold a schedule whose roles and collections are not installed: without them it would fail, or do something else."""
    if not missing:
        return None
    if trouble:
        return Hold(REQUIREMENTS, f"{trouble.reason} (tried {trouble.at:%Y-%m-%d %H:%M} UTC)")
    way_out = "the daemon installs them, and so does `wellkept plan`"
    return Hold(REQUIREMENTS, f"the {missing.words} are not installed yet; {way_out}")


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
