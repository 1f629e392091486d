"""A person's order to stop a run: no new batch, or an end now; recorded with their name."""

from __future__ import annotations

from functools import partial

from runner.domain.record.record import INSTALLATION
from runner.domain.who import Actor
from runner.errors import UsageError
from runner.ports import Clock
from runner.store.database import Store
from runner.store.execution import runs
from runner.store.record import log as entries
from runner.store.transaction import Transaction


def stop_run(name: str, *, immediately: bool, by: Actor, store: Store, clock: Clock) -> runs.Run:
    """Ask the run to stop; gives it as it is now. Raises NotFound, and UsageError when it has ended or was asked for as much already."""
    how = runs.StopRequest.CANCEL if immediately else runs.StopRequest.FINISH
    return store.write(partial(write_order, name=name, how=how, by=by, clock=clock))


def write_order(connection: Transaction, *, name: str, how: runs.StopRequest, by: Actor, clock: Clock) -> runs.Run:
    """The order and its log entry in one transaction."""
    run = runs.find(connection, name)
    if run.verdict is not None:
        raise UsageError(
            f"Run {run.number} has ended already: {run.verdict}. `wellkept runs show {run.number}` tells how."
        )
    if not runs.request_stop(connection, run.id, how, by):
        raise UsageError(f"Run {run.number} is being stopped already, by {run.stopped_by}. {way_on(run)}")
    asked = runs.get(connection, run.id)
    body = {"action": "run.stop_requested", "run": run.id, "number": run.number, "how": str(how), "by": by.name}
    entries.append(connection, INSTALLATION, [body], at=clock())
    return asked


def way_on(run: runs.Run) -> str:
    """What can still be asked for."""
    if run.stop_request == runs.StopRequest.FINISH:
        return f"To end it now: wellkept runs cancel {run.number} --now"
    return f"Watch it: wellkept runs watch {run.number}"
