"""Asks a run's inventory again before hosts are drawn: one that is a program, or lies elsewhere, may name others by now."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from functools import partial

from runner.domain.execution.guards import INVENTORY, Hold, hold_for_inventory
from runner.domain.record.record import run_stream
from runner.operations.execution.match_hosts import chosen
from runner.operations.site import Site
from runner.operations.time.once_schedules import schedule_in
from runner.ports import InventoryAnswer
from runner.store.execution import holds, inventories, runs
from runner.store.record import log as entries
from runner.store.transaction import Transaction

log = logging.getLogger(__name__)
FRESH = timedelta(minutes=1)  # so old an answer may be when hosts are drawn by it
ASK_AGAIN = timedelta(seconds=15)  # between two questions to an inventory that cannot be trusted


def is_to_be_asked(run: runs.Run, *, site: Site) -> bool:
    """Whether this run's inventory may answer differently by now than when it was last heard."""
    heard = site.store.read(lambda c: inventories.heard_at(c, run.inventory))
    is_fresh = heard is not None and site.clock() - heard < FRESH
    return not is_fresh and site.snapshotted.may_change(run.snapshot, run.inventory)


def ask_again(run: runs.Run, *, site: Site) -> bool:
    """Ask, and keep a good answer as the last one; False while the answer cannot be trusted, and then nothing is concluded from it."""
    if was_held_lately(run, site=site):
        return False
    answer = site.snapshotted.ask(run.snapshot, run.inventory)
    hold = hold_of(run, answer, site=site)
    write = (
        partial(write_hold, hold=hold) if hold else partial(write_answer, answer=answer, came=came(run, answer, site))
    )
    site.store.write(partial(write, run=run, at=site.clock()))
    return hold is None


def was_held_lately(run: runs.Run, *, site: Site) -> bool:
    """Whether the inventory held this run a moment ago: a run takes its next step every second, and some inventories ask a cloud."""
    held = site.store.read(lambda c: holds.of_run(c, run.schedule, run.id))
    return any(hold.guard == INVENTORY and site.clock() - hold.last_seen < ASK_AGAIN for hold in held)


def hold_of(run: runs.Run, answer: InventoryAnswer, *, site: Site) -> Hold | None:
    """The same guard as at the claim: an inventory that errs, is too small or lost too much says nothing about who is gone."""
    inventory = site.snapshotted.of(run.snapshot).settings.inventories[run.inventory]
    last_good, retired = site.store.read(
        lambda c: (inventories.last_good(c, inventory.name), inventories.retired(c, inventory.name))
    )
    return hold_for_inventory(
        inventory, hosts=tuple(answer.hosts), errors=answer.errors, last_good=last_good, retired=retired
    )


def came(run: runs.Run, answer: InventoryAnswer, site: Site) -> list[str]:
    """The hosts that the schedule would mean now, and did not when the run was claimed: they are left out."""
    schedule = schedule_in(run.snapshot, run.schedule, site=site)
    planned = run.plan
    return [host for host in chosen(schedule.hosts, planned.limit, answer) if host not in planned.hosts]


def write_answer(
    connection: Transaction, *, run: runs.Run, answer: InventoryAnswer, came: list[str], at: datetime
) -> None:
    """The answer as the last good one, and in the run's stream whom it misses and whom it names beyond the plan."""
    inventories.remember(connection, run.inventory, tuple(answer.hosts), at=at)
    gone = [host for host in run.plan.hosts if host not in answer.hosts]
    if gone or came:
        body = {"action": "inventory.changed", "inventory": run.inventory, "gone": gone, "came": came}
        entries.append(connection, run_stream(run.id), [body], at=at)


def write_hold(connection: Transaction, *, run: runs.Run, hold: Hold, at: datetime) -> None:
    """The guard's no; told once for as long as it is the same."""
    if holds.keep(connection, hold, schedule=run.schedule, run_id=run.id, at=at):
        log.warning("Run %s: %s", run.number, hold.reason, extra={"action": "run.held", "run": run.id})
        body = {"action": "run.held", "guard": hold.guard, "reason": hold.reason}
        entries.append(connection, run_stream(run.id), [body], at=at)
