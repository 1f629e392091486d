"""Carries a piece out and lets its run take the next step; and drives one run to its end."""

from __future__ import annotations

import threading

from runner.domain.execution.run import RunState
from runner.operations.execution.advance_run import advance_run
from runner.operations.execution.patience import patiently
from runner.operations.execution.run_piece import run_piece
from runner.operations.execution.settle_runs import settle_runs
from runner.operations.site import Site
from runner.ports import Dispatcher
from runner.store.execution import runs

LOOK_EVERY = 1.0  # seconds between looks at a run that waits
PATIENCE = 3600.0  # seconds that a process which executes one run waits for the database


def carry_out(piece_id: str, *, site: Site, dispatcher: Dispatcher, stopping: threading.Event) -> None:
    """Do one piece; unless this process is stopping, its run then takes its next step."""
    run_id = run_piece(piece_id, site=site)
    if not stopping.is_set():
        advance_run(run_id, site=site, dispatcher=dispatcher)


def drive_run(run_id: str, *, site: Site, dispatcher: Dispatcher, stopping: threading.Event) -> None:
    """Execute one run in this process until it is settled, or until this process is asked to stop."""
    settle_runs(site=site, dispatcher=dispatcher, only=run_id)
    while not stopping.is_set() and is_live(run_id, site=site):
        stopping.wait(LOOK_EVERY)
        if not dispatcher.busy():
            patiently(
                lambda: advance_run(run_id, site=site, dispatcher=dispatcher),
                seconds=PATIENCE,
                monotonic=site.monotonic,
            )


def is_live(run_id: str, *, site: Site) -> bool:
    """Whether a run is still going."""
    run = patiently(lambda: site.store.read(lambda c: runs.get(c, run_id)), seconds=PATIENCE, monotonic=site.monotonic)
    return run.state is RunState.RUNNING
