"""Starts a run: asks the guards, takes the snapshot, and claims the slot, or says who holds it and until when."""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from runner.domain.execution import guards
from runner.domain.execution.approval import Approval, Policy, Standing
from runner.domain.execution.boundaries import ended_by
from runner.domain.execution.guards import Hold
from runner.domain.execution.plan import RunPlan
from runner.domain.execution.requirements import Installed
from runner.domain.execution.run import Trigger
from runner.domain.execution.schedule import Schedule
from runner.domain.record.record import canonical, run_stream
from runner.domain.rights import holders_in_words, may
from runner.domain.settings import Settings
from runner.domain.time.cadence import Interval
from runner.domain.who import Actor, Right
from runner.errors import Held, UsageError
from runner.operations.execution.approval_standing import policy_for
from runner.operations.execution.digest_plan import as_json, digest_of
from runner.operations.execution.find_requirements import hold_for_what_is_missing, installed_for
from runner.operations.execution.plan_occurrence import Asking, Plan, plan_occurrence
from runner.operations.execution.requester import requester_of
from runner.operations.site import Site
from runner.operations.time.count_interval import count_interval
from runner.operations.time.once_schedules import schedule_in
from runner.ports import SnapshotTaken
from runner.store.execution import approvals, inventories, overrides, runs, snapshots
from runner.store.execution import definitions as definition_rows
from runner.store.record import log as entries
from runner.store.sql import serialise
from runner.store.time import slots
from runner.store.transaction import Transaction

log = logging.getLogger(__name__)
DIGEST = re.compile("[0-9a-f]{12,64}")  # from as many characters on as `wellkept plan` prints


def always_free(_connection: Transaction) -> bool:
    """What needs no further look than that at the slot."""
    return True


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person asked for: which hosts, whether only to look, and what they want to override, why, and until when.

    `continues` is the number of the run that left these hosts over.
    """

    limit: str | None = None
    check_mode: bool = False
    digest: str | None = None
    override: str | None = None
    until: datetime | None = None
    continues: int | None = None


def start_by_hand(name: str, wish: Wish, *, site: Site) -> str:
    """Start a run by hand, with every guard; gives its id. Raises Held with every reason and the next opening."""
    check_form(name, wish)
    definitions = site.current()
    check_right(wish, definitions.settings, by=site.actor)
    now = site.clock()
    plan = plan_occurrence(
        name,
        Asking(now, limit=wish.limit, check_mode=wish.check_mode, by_hand=True),
        definitions=definitions,
        site=site,
    )
    check_digest(name, plan.digest, wish)
    holds = holds_left(plan, wish)
    if holds:
        raise Held(held_in_words(plan, holds))
    overridden = [hold for hold in plan.holds if hold not in holds]
    trigger = Trigger.CONTINUED if wish.continues else Trigger.HAND
    run = claim(plan, site=site, trigger=trigger, slot=None, by=site.actor, wish=wish, overridden=overridden)
    if run is None:
        raise Held(f"{name!r} could not be claimed: somebody else was first. `wellkept runs` shows it.")
    return run


def check_form(name: str, wish: Wish) -> None:
    """Refuse a digest that is too short to tell one plan from another."""
    if wish.digest is not None and not DIGEST.fullmatch(wish.digest):
        raise UsageError(
            f"--digest {wish.digest}: this is no digest of a plan, nor the first 12 or more characters of one (0-9, a-f). "
            f"Copy it from the last line of `wellkept plan {name}`."
        )


def check_right(wish: Wish, settings: Settings, *, by: Actor) -> None:
    """Refuse an override to people whose teams have not that right; raises UsageError with who has it."""
    if wish.override is not None and not may(by.name, Right.OVERRIDE, settings.teams):
        who = holders_in_words(Right.OVERRIDE, settings.teams)
        raise UsageError(f"{by} may not override a guard. Who may, by teams: in wellkept.yml: {who}.")


def check_digest(name: str, digest: str, wish: Wish) -> None:
    """Refuse to run anything but the plan that was looked at."""
    if wish.digest and not digest.startswith(wish.digest):
        raise Held(
            f"The plan of {name!r} has changed: its digest is {digest[:12]} now, not {wish.digest[:12]}. "
            f"Look at it again with `wellkept plan {name}`."
        )


def holds_left(plan: Plan, wish: Wish) -> tuple[Hold, ...]:
    """The holds that an override does not lift: it needs a reason and an expiry, and does not lift every guard."""
    if wish.override is None:
        return plan.holds
    if not wish.override.strip() or wish.until is None:
        raise UsageError(
            "An override needs a reason and an expiry: --override 'why' --until '2026-03-22 04:00' (or --until 2h)."
        )
    if wish.until <= plan.at:
        raise UsageError("The override's --until is in the past.")
    return tuple(hold for hold in plan.holds if hold.guard not in guards.CAN_BE_OVERRIDDEN)


def held_in_words(plan: Plan, holds: Sequence[Hold]) -> str:
    """Every hold with its reason, and the next chance."""
    lines = [f"{plan.schedule.name!r} is held; nothing was changed."]
    lines += [
        f"  {hold.reason}" + (f" (until {hold.until:%Y-%m-%d %H:%M} UTC)" if hold.until else "") for hold in holds
    ]
    if plan.following and not plan.schedule.window.is_always:
        lines.append(f"Next opening: {local(plan.following.usable_from, plan)}")
    if any(hold.guard == guards.APPROVAL for hold in holds):
        lines.append(
            f"To approve this run by hand: wellkept runs approve {plan.schedule.name} --digest {plan.digest[:12]}"
        )
    if all(hold.guard in guards.CAN_BE_OVERRIDDEN for hold in holds):
        lines.append("To do it all the same, with your name in the report: --override 'why' --until 2h")
    return "\n".join(lines)


def local(instant: datetime, plan: Plan) -> str:
    """An instant in the zone of the plan's window and in UTC."""
    return local_in(instant, plan.schedule.window.timezone)


def local_in(instant: datetime, zone: str) -> str:
    """An instant in a zone and in UTC."""
    from zoneinfo import ZoneInfo

    if zone == "UTC":
        return f"{instant:%a %Y-%m-%d %H:%M} UTC"
    return f"{instant.astimezone(ZoneInfo(zone)):%a %Y-%m-%d %H:%M} {zone} ({instant:%Y-%m-%d %H:%M} UTC)"


def start_slot(slot: slots.Slot, plan: Plan, *, site: Site) -> str | None:
    """Start the run of a due slot whose guards are all clear; None when somebody else was first."""
    return claim(
        plan,
        site=site,
        trigger=Trigger.ONCE if plan.schedule.window.only else Trigger.SLOT,
        slot=slot,
        by=requester_of(plan.schedule, site=site),
        wish=Wish(),
        overridden=(),
    )


def start_interval(interval: Interval, plan: Plan, *, site: Site) -> str | None:
    """Start the run of an interval of a schedule that has a cadence, all guards being clear; None when somebody else was first."""
    by, name, trigger = requester_of(plan.schedule, site=site), plan.schedule.name, Trigger.CADENCE

    def is_free(connection: Transaction) -> bool:
        return count_interval(connection, name, interval, began=site.clock(), ran=True)

    return claim(plan, site=site, trigger=trigger, slot=None, by=by, wish=Wish(), overridden=(), is_free=is_free)


def claim(
    plan: Plan,
    *,
    site: Site,
    trigger: Trigger,
    slot: slots.Slot | None,
    by: Actor,
    wish: Wish,
    overridden: Sequence[Hold],
    is_free: Callable[[Transaction], bool] = always_free,
) -> str | None:
    """Take the snapshot, see that it is what was asked for, then insert the run.

    In the same transaction a slot is swapped from due to claimed, and `is_free` asks, and notes, whether what it is for has no run yet.
    """
    taken = site.snapshotted.readable(site.snapshots.take(site.root, besides=site.current().files_besides))
    installed = installed_in(taken, plan, site=site)
    digest = digest_in(taken, plan, installed, site=site)
    check_digest(plan.schedule.name, digest, wish)
    approval = approval_for(plan, digest, taken, site=site)
    plan = replace(plan, installed=installed, run=replace(plan.run, requirements=installed.digest if installed else ""))
    now = site.clock()
    run = runs.NewRun(
        trigger=trigger,
        schedule=plan.schedule.name,
        title=plan.run.title,
        definition=definition_digest(plan.schedule),
        snapshot=taken.digest,
        plan=ended_by_expiry(plan, wish.until, overridden) if overridden and wish.until else plan.run,
        plan_digest=digest,
        requested_by=by,
        created_at=now,
        slot_id=slot.id if slot else None,
        approval_id=approval.id if approval else None,
        late_seconds=max(0.0, (now - slot.usable_from).total_seconds()) if slot else None,
        versions=dict(site.versions),
        check_mode=wish.check_mode,
    )
    return site.store.write(
        partial(write_claim, run=run, plan=plan, taken=taken, wish=wish, overridden=overridden, at=now, is_free=is_free)
    )


def approval_for(plan: Plan, digest: str, taken: SnapshotTaken, *, site: Site) -> Approval | None:
    """The approval that the run begins by; raises Held when the files were edited while it was being started, so that it needs one, or another."""
    approval, name = plan.approval.counts, plan.schedule.name
    schedule, settings = schedule_in(taken.digest, name, site=site), site.snapshotted.of(taken.digest).settings
    if approval is None and policy_for(schedule, settings, check_mode=plan.run.only_looks) is not Policy.NONE:
        raise Held(
            f"The files of {name!r} were edited just now, so that it needs approval: `wellkept plan {name}` says whose."
        )
    if approval and approval.digest != digest:
        raise Held(
            f"The files of {name!r} were edited just now, so that what {approval.by} approved is not what would run."
        )
    return approval


def installed_in(taken: SnapshotTaken, plan: Plan, *, site: Site) -> Installed | None:
    """The roles and collections that the run will find; raises Held when requirements were edited while it was being started, and are not installed."""
    schedule, definitions = schedule_in(taken.digest, plan.schedule.name, site=site), site.snapshotted.of(taken.digest)
    installed = installed_for(schedule, definitions, site=site)
    if hold := hold_for_what_is_missing(schedule, installed, definitions, site=site):
        raise Held(f"{plan.schedule.name!r}: {hold.reason}.")
    return installed


def digest_in(taken: SnapshotTaken, plan: Plan, installed: Installed | None, *, site: Site) -> str:
    """The digest of what will really be executed: the files may have been edited since the plan was made. Raises NotFound when the schedule is gone."""
    schedule = schedule_in(taken.digest, plan.schedule.name, site=site)
    return digest_of(schedule, plan.opening, taken.path, installed=installed)


def ended_by_expiry(plan: Plan, until: datetime, overridden: Sequence[Hold]) -> RunPlan:
    """An override ends with its expiry; one that does not lift the window ends with the window, too. A boundary ends every run."""
    closes = last_start = until
    if plan.opening and not any(hold.guard == guards.WINDOW for hold in overridden):
        closes = min(until, plan.opening.closes)
        last_start = min(until, plan.opening.closes - plan.schedule.window.cutoff)
    return ended_by(replace(plan.run, opens=None, last_start=last_start, ends=closes), plan.boundary)


def definition_digest(schedule: Schedule) -> str:
    """SHA-256 of everything that a schedule says."""
    return hashlib.sha256(canonical(as_json(schedule))).hexdigest()


def write_claim(
    connection: Transaction,
    *,
    run: runs.NewRun,
    plan: Plan,
    taken: SnapshotTaken,
    wish: Wish,
    overridden: Sequence[Hold],
    at: datetime,
    is_free: Callable[[Transaction], bool],
) -> str | None:
    """The run, its slot or what else it is for, its snapshot, its override and its first log entry in one transaction; None when somebody else was first."""
    serialise(connection, f"run:{run.schedule}")
    if runs.live_of_schedule(connection, run.schedule):
        return None
    if run.approval_id and not approvals.is_in_force(connection, run.approval_id):
        return None
    if not is_free(connection):
        return None
    snapshots.keep(connection, digest=taken.digest, path=str(taken.path), commit=taken.commit, dirty=taken.dirty, at=at)
    definition_rows.keep(
        connection, digest=run.definition, kind="schedule", name=run.schedule, body=as_json(plan.schedule), at=at
    )
    if overridden:
        run = replace(run, override_id=write_override(connection, run, wish, overridden, at=at))
    claimed = slots.claim(connection, run.slot_id, run) if run.slot_id else runs.insert(connection, run)
    if claimed is None:
        return None
    if run.override_id:
        overrides.take(connection, run.override_id, run_id=run.id, now=at)
    inventories.remember(connection, plan.schedule.inventory, tuple(plan.answer.hosts), at=at)
    entries.append(connection, run_stream(run.id), [opening_entry(run, plan, taken, overridden, wish)], at=at)
    return claimed


def write_override(
    connection: Transaction, run: runs.NewRun, wish: Wish, overridden: Sequence[Hold], *, at: datetime
) -> str:
    """Who overrode which guards, why, and until when; gives its id."""
    return overrides.add(
        connection,
        schedule=run.schedule,
        reason=wish.override or "",
        by=run.requested_by,
        guards=[hold.guard for hold in overridden],
        at=at,
        expires_at=wish.until or at,
    )


def opening_entry(
    run: runs.NewRun, plan: Plan, taken: SnapshotTaken, overridden: Sequence[Hold], wish: Wish
) -> dict[str, object]:
    """The first entry of a run: who, what, where, from which inputs, by which versions."""
    return {
        "action": "run.claimed",
        "by": run.requested_by.name,
        "trigger": str(run.trigger),
        "schedule": run.schedule,
        "title": run.title,
        "inventory": plan.schedule.inventory,
        "hosts": list(plan.run.hosts),
        "waves": [wave.name for wave in plan.run.waves],
        "budget": plan.run.budget,
        "plan_digest": run.plan_digest,
        "definition": run.definition,
        "snapshot": taken.digest,
        "commit": taken.commit,
        "dirty": taken.dirty,
        **(
            {"requirements": {name: item.version for name, item in plan.installed.items.items()}}
            if plan.installed
            else {}
        ),
        "slot": run.slot_id,
        "continues": wish.continues,
        "approved": approved_in_words(plan.approval),
        "overridden": [hold.reason for hold in overridden],
        "versions": dict(run.versions),
        "check_mode": run.check_mode,
    }


def approved_in_words(standing: Standing) -> dict[str, object] | None:
    """By which approval a run begins, and which hosts that leaves out, for the run's first entry."""
    if standing.counts is None:
        return None
    approval = standing.counts
    return {
        "approval": approval.id,
        "by": approval.by.name,
        "signed": approval.signature is not None,
        "left_out": list(standing.left_out),
        "gone": list(standing.gone),
    }
