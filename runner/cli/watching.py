"""Watches a run until it is settled, and says how it ended."""

from __future__ import annotations

import signal
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import click

from runner.adapters.background import start_detached
from runner.adapters.processes import start_time
from runner.cli.answers import Cell, plain, printable, table
from runner.cli.output import show_json
from runner.domain.execution.run import Verdict
from runner.errors import BadResult, UsageError, count
from runner.store.execution import daemons, runs
from runner.wiring import App

if TYPE_CHECKING:
    from runner.operations.execution.show_run import HostOfRun

LOOK_EVERY = 0.5
MOST_EXECUTORS = 3  # a run whose executors keep ending is not started for ever
EXIT_CODES = {Verdict.SUCCEEDED: 0, Verdict.EXPIRED: 4}  # any other verdict is a bad result


def watch(app: App, run_id: str, *, form: str) -> int:
    """See to it that somebody executes the run, tell how it goes, and give the exit code of its verdict."""
    from runner.cli.telling import Telling
    from runner.operations.execution.follow_run import is_settled

    run = app.store.read(lambda c: runs.get(c, run_id))
    execution = Execution(app, run)
    begun = execution.see_to_it() or "it is being executed"
    click.echo(f"Run {run.number}: {run.title}, {count(len(run.plan.hosts), 'host')} ({begun}).", err=form == "json")
    telling, ask_once = Telling(app, run, form=form), Interrupts(app, run)
    while not (ended := is_settled(run_id, site=app.site)):
        telling.look()
        ask_once.look()
        if words := execution.see_to_it():
            telling.say(f"whoever executed it is gone; {words}")
        time.sleep(LOOK_EVERY)
    telling.end()
    show_ended(app, ended, form=form)
    return exit_code_of(ended)


class Execution:
    """Sees to it that somebody executes a run: a live daemon, without one a process of its own, and another one when that is gone."""

    def __init__(self, app: App, run: runs.Run) -> None:
        """Nothing is started before `see_to_it`."""
        self._app, self._run = app, run
        self._executor: int | None = None  # the process that we started
        self._started = 0
        self._by_daemon = False

    def see_to_it(self) -> str:
        """Who executes it from now on, in words; nothing when that has not changed."""
        if self._app.store.read(daemons.alive):
            changed, self._by_daemon = not self._by_daemon, True
            return "the daemon executes it" if changed else ""
        if self._executor is not None and start_time(self._executor) is not None:
            return ""
        return self._start()

    def _start(self) -> str:
        log = self._app.settings.state_dir / "runs" / str(self._run.number) / "executor.log"
        if self._started == MOST_EXECUTORS:
            raise BadResult(
                f"Run {self._run.number} is not going on: each of {MOST_EXECUTORS} processes ended. They told why in {log}"
            )
        self._started, self._by_daemon = self._started + 1, False
        self._executor = start_detached(["-C", str(self._app.root), "execute-run", self._run.id], log=log)
        return f"process {self._executor} executes it"


class Interrupts:
    """Ctrl-C while watching: first no new batch, then an end now. Losing the terminal ends only the watching."""

    def __init__(self, app: App, run: runs.Run) -> None:
        """Begin to listen."""
        self._app, self._run = app, run
        self._heard = self._done = 0
        signal.signal(signal.SIGINT, self._hear)
        signal.signal(signal.SIGTERM, self._hear)

    def _hear(self, _number: int, _frame: object) -> None:
        self._heard += 1

    def look(self) -> None:
        """Do what was asked for since the last look."""
        from runner.operations.execution.stop_run import stop_run

        if self._heard > self._done:
            self._done += 1
            words = "The batch in flight is finished, no other begins. Ctrl-C again ends it now."
            if self._done > 1:
                words = "Ending it now."
            click.echo(words, err=True)
            with suppress(UsageError):  # it has ended meanwhile, or somebody else asked for as much
                stop_run(
                    self._run.id,
                    immediately=self._done > 1,
                    by=self._app.actor,
                    store=self._app.store,
                    clock=self._app.clock,
                )


def show_ended(app: App, run: runs.Run, *, form: str) -> None:
    """How the run ended, host by host, and the tickets that it left."""
    from runner.operations.execution.follow_up import file_tickets
    from runner.operations.execution.show_run import show_run

    file_tickets(run.id, run.plan, site=app.site)  # whoever executes it may not have come so far yet
    told = show_run(run.id, store=app.store)
    if form == "json":
        show_json({"run": plain(told)})
        return
    click.echo("")
    table(told.hosts, host_cells(check_mode=run.check_mode), empty="No host was planned.")
    click.echo(printable(f"\n{told.summary}"))
    for ticket in told.tickets:
        click.echo(printable(f"  Ticket {ticket.number} ({ticket.state}): {ticket.title}"))


def host_cells(*, check_mode: bool) -> list[Cell[HostOfRun]]:
    """What a line tells about a host at the end of a run."""
    return [
        Cell("HOST", lambda host: host.host),
        Cell("OUTCOME", lambda host: host.outcome),
        Cell("CAUSE", lambda host: host.cause),
        Cell("WOULD CHANGE", lambda host: host.text) if check_mode else Cell("PACKAGES", lambda host: host.packages),
    ]


def exit_code_of(run: runs.Run) -> int:
    """0 when all went well, 4 when the end was never heard, 1 otherwise."""
    if run.record_incomplete and run.verdict is Verdict.SUCCEEDED:
        return 1
    return EXIT_CODES.get(run.verdict, 1) if run.verdict else 1
