"""Asks the rules what happens next in a run, and has it done: the next piece, or the end."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import datetime
from functools import partial

from runner.domain.execution.guards import Hold
from runner.domain.execution.next_step import (
    Finish,
    NextStep,
    StartPiece,
    Stop,
    Wait,
    next_step,
    no_longer_needed,
)
from runner.domain.execution.run import PieceState, RunRecord, RunState
from runner.domain.record.record import run_stream
from runner.operations.execution.ask_gates import gate_of
from runner.operations.execution.ask_inventory import ASK_AGAIN, ask_again, is_to_be_asked, write_hold
from runner.operations.execution.load_record import load_record
from runner.operations.execution.settle_run import settle_run
from runner.operations.site import Site
from runner.ports import Dispatcher
from runner.store.execution import drains, holds, pieces, runs
from runner.store.record import log as entries
from runner.store.transaction import Transaction

log = logging.getLogger(__name__)


def advance_run(run_id: str, *, site: Site, dispatcher: Dispatcher) -> NextStep | None:
    """Do the run's next step; safe to call at any time and by anybody. None when the run is settled."""
    run = site.store.read(lambda c: runs.get(c, run_id))
    if run.state is RunState.SETTLED:
        return None
    record, step = decide(run, site=site)
    let_go(record, site=site)
    if isinstance(step, StartPiece) and site.store.read(drains.in_force):
        return Wait()
    match step:
        case StartPiece():
            plan_piece(record, step, site=site, dispatcher=dispatcher)
        case Stop(reason):
            settle_run(record, reason, site=site)
        case Finish():
            settle_run(record, None, site=site)
        case Wait(_, Hold() as hold):
            note_hold(run, hold, site=site)
        case _:
            dispatch_planned(record, dispatcher=dispatcher)
    return step


def note_hold(run: runs.Run, hold: Hold, *, site: Site) -> None:
    """Keep what a run waits for, so that people can see it; a run that waits takes its next step every second, and one that was noted a moment ago is left."""
    now = site.clock()
    known = site.store.read(lambda c: holds.of_run(c, run.schedule, run.id))
    if not any(kept.reason == hold.reason and now - kept.last_seen < ASK_AGAIN for kept in known):
        site.store.write(partial(write_hold, run=run, hold=hold, at=now))


def let_go(record: RunRecord, *, site: Site) -> None:
    """Give back the hosts and groups that this run is through with, so that other runs need not wait for its end."""
    names = no_longer_needed(record, now=site.clock())
    if names:
        site.store.write(lambda c: pieces.release(c, record.id, names, seen=len(record.pieces)))


def decide(run: runs.Run, *, site: Site) -> tuple[RunRecord, NextStep]:
    """What happens next by the rows; where hosts would be drawn, what they do not tell is heard first: the inventory, then what is in the way."""
    record, step = by_the_rows(run, site=site)
    if draws(step, record) and is_to_be_asked(run, site=site):
        record, step = after_asking_the_inventory(run, site=site)
    if draws(step, record):
        record = replace(record, gate=gate_of(run, site=site))
        step = next_step(record, now=site.clock())
    return record, step


def after_asking_the_inventory(run: runs.Run, *, site: Site) -> tuple[RunRecord, NextStep]:
    """While its answer cannot be trusted, work that has a last start waits for a better one; other work goes on with the hosts that it has."""
    trusted = ask_again(run, site=site)
    record, step = by_the_rows(run, site=site)
    waits = not trusted and draws(step, record) and record.plan.last_start is not None
    return record, Wait(site.clock() + ASK_AGAIN) if waits else step


def by_the_rows(run: runs.Run, *, site: Site) -> tuple[RunRecord, NextStep]:
    """The run as its rows tell it now, and what the rules make of it."""
    record = load_record(run.id, site=site)
    return record, next_step(record, now=site.clock())


def draws(step: NextStep, record: RunRecord) -> bool:
    """Whether this step begins a new batch."""
    return isinstance(step, StartPiece) and all(piece.batch != step.batch for piece in record.pieces)


def plan_piece(record: RunRecord, step: StartPiece, *, site: Site, dispatcher: Dispatcher) -> None:
    """Write the piece down, and hand its name over when we were the one who wrote it."""
    planned = site.store.write(partial(write_piece, record=record, step=step, at=site.clock()))
    if planned:
        dispatcher.dispatch(planned)


def write_piece(connection: Transaction, *, record: RunRecord, step: StartPiece, at: datetime) -> str | None:
    """The piece and the decision for it in one transaction; None when somebody else has planned it already."""
    piece = pieces.plan(
        connection,
        run=record.id,
        wave=step.wave,
        batch=step.batch,
        stage=step.stage,
        step=step.step,
        attempt=step.attempt,
        hosts=step.hosts,
    )
    if piece:
        decision = {
            "action": "piece.planned",
            "piece": piece,
            "wave": record.plan.waves[step.wave].name,
            "batch": step.batch,
            "stage": str(step.stage),
            "step": step.step,
            "attempt": step.attempt,
            "hosts": list(step.hosts),
        }
        entries.append(connection, run_stream(record.id), [decision], at=at)
    return piece


def dispatch_planned(record: RunRecord, *, dispatcher: Dispatcher) -> None:
    """Hand over again what was planned and never begun, as after a crash; the claim sees to it that it is done once."""
    for piece in record.pieces:
        if piece.state is PieceState.PLANNED:
            dispatcher.dispatch(piece.id)
