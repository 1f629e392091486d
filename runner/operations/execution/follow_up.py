"""What follows from a settled run or a missed slot: tickets, a checkpoint, tidying. Each is a letter in the outbox, so that no crash loses it."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import timedelta
from functools import partial

from runner.domain.execution.plan import RunPlan
from runner.domain.rights import team_with
from runner.domain.who import Right
from runner.errors import UsageError, WellkeptError
from runner.operations.record.write_checkpoint import write_checkpoint
from runner.operations.site import Site
from runner.operations.tickets.file_duty import file_duty
from runner.operations.tickets.reconcile_tickets import file_missed_slot, reconcile_tickets
from runner.operations.time.ask_for_duty import SLOT_ASKED
from runner.store.execution import pieces, runs
from runner.store.tickets import outbox
from runner.store.time import slots

log = logging.getLogger(__name__)
RUN_SETTLED = "run.settled"
SLOT_MISSED = "slot.missed"
AGAIN = timedelta(minutes=1)  # a letter whose bearer died comes again after this


def follow_up(*, site: Site) -> None:
    """Do everything that waits; what fails is tried again later, and never keeps the rest."""
    now = site.clock()
    for letter in site.store.read(lambda c: outbox.due(c, now)):
        if letter.kind in DEEDS and site.store.write(partial(outbox.take, letter=letter, again_at=now + AGAIN)):
            do(letter, site=site)


def do(letter: outbox.Letter, *, site: Site) -> None:
    """Do what one letter asks for, and note how it went."""
    try:
        DEEDS[letter.kind](letter, site)
    except (WellkeptError, OSError) as error:
        log.warning("%s of %s: %s", letter.kind, letter.target, error, extra={"action": "follow_up.failed"})
        failed = partial(outbox.failed, letter_id=letter.id, error=str(error), again_at=site.clock() + AGAIN)
        site.store.write(failed)
    else:
        site.store.write(partial(outbox.sent, letter_id=letter.id))


def after_run(letter: outbox.Letter, site: Site) -> None:
    """After a run: its masters are closed, its tickets filed, its record signed, its leavings on disk removed."""
    run = site.store.read(lambda c: runs.get(c, letter.target))
    close_masters(run.id, site=site)
    file_tickets(run.id, run.plan, site=site)
    write_checkpoint(site.store, site.signer, clock=site.clock)
    remove_spools(run, site=site)


def close_masters(run_id: str, *, site: Site) -> None:
    """End the run's leash and its ssh masters; a run without a place for its sockets never had any."""
    with suppress(UsageError):
        site.executor.finish_run(run_id, site.control_path(run_id))


def file_tickets(run_id: str, plan: RunPlan, *, site: Site) -> None:
    """Open, touch and close the tickets that a settled run asks for; done twice, the second time changes nothing."""
    reviewer = team_with(Right.APPROVE, site.current().settings.teams)
    reconcile_tickets(site.store, run_id, clock=site.clock, services=plan.services, reviewer=reviewer)


def remove_spools(run: runs.Run, *, site: Site) -> None:
    """What a piece left on disk is in the record by now; the spool of one that was not heard to its end is kept."""
    for piece in site.store.read(lambda c: pieces.of_run(c, run.id)):
        if piece.complete:
            shutil.rmtree(site.state_dir / "runs" / str(run.number) / piece.id, ignore_errors=True)


def after_missed_slot(letter: outbox.Letter, site: Site) -> None:
    """After a slot that passed without a run: its ticket."""
    slot = site.store.read(lambda c: slots.get(c, letter.target))
    schedule = site.current().schedules.get(slot.schedule) if slot else None
    if slot is None or schedule is None:
        return
    if schedule.is_manual:
        file_duty(site.store, slot.id, schedule, clock=site.clock)
        return
    file_missed_slot(
        site.store,
        slot,
        schedule,
        reason=slot.reason,
        hosts=slot.hosts or (),
        impact=letter.body["impact"],
        clock=site.clock,
    )


def after_asked_slot(letter: outbox.Letter, site: Site) -> None:
    """After a duty's window has opened: its ticket, unless its schedule is gone or runs a playbook by now."""
    slot = site.store.read(lambda c: slots.get(c, letter.target))
    schedule = site.current().schedules.get(slot.schedule)
    if schedule is not None and schedule.is_manual:
        file_duty(site.store, slot.id, schedule, clock=site.clock)


DEEDS: Mapping[str, Callable[[outbox.Letter, Site], None]] = {
    RUN_SETTLED: after_run,
    SLOT_MISSED: after_missed_slot,
    SLOT_ASKED: after_asked_slot,
}
