"""`wellkept runs`."""

from __future__ import annotations

import shlex
import time
from typing import TYPE_CHECKING

import click

from runner.cli import approve
from runner.cli.answers import Cell, limit_option, listing, plain
from runner.cli.app import pass_app
from runner.cli.output import format_option, show_json
from runner.cli.run_screen import show_screen
from runner.cli.slot_meant import slot_asked_for
from runner.cli.times import Clock
from runner.errors import count
from runner.wiring import App

if TYPE_CHECKING:
    from runner.operations.execution.list_runs import RunLine
    from runner.store.execution.runs import Run

LOOK_EVERY = 0.5  # seconds


@click.group("runs")
def command() -> None:
    r"""List runs, show or watch one, stop it, approve or waive one ahead.

    \b
    wellkept runs list               the latest runs
    wellkept runs show 12            every host, its cause in plain words, its packages
    wellkept runs watch 12           follow it until it is settled
    wellkept runs continue 12        go on with one that was stopped, or that nobody executes any more
    wellkept runs cancel 12 --now    end it
    wellkept runs approve patch-web  allow its next slot to run
    wellkept runs waive patch-web 2026-03-28 --reason "the fair is on"
    """


@command.command("list")
@click.option("--schedule", metavar="NAME", help="Only the runs of this schedule.")
@limit_option
@format_option
@pass_app
def list_(app: App, schedule: str | None, limit: int, form: str) -> None:
    """List the latest runs, newest first."""
    from runner.operations.execution.list_runs import list_runs

    found = list_runs(store=app.store, limit=limit + 1, schedule=schedule)
    clock = Clock(app.clock(), app.settings.timezone)
    empty = "There has been no run yet. `wellkept calendar` shows when one may start, `wellkept run NAME` starts one."
    listing("runs", found, columns(clock), form=form, empty=empty, limit=limit)


def columns(clock: Clock) -> list[Cell[RunLine]]:
    """What a line tells about a run."""
    return [
        Cell("RUN", lambda run: run.number),
        Cell("SCHEDULE", lambda run: f"{run.schedule}{' (check)' if run.check_mode else ''}"),
        Cell("VERDICT", lambda run: run.verdict or "running"),
        Cell(
            "HOSTS", lambda run: ", ".join(f"{n} {kind}" for kind, n in run.outcomes.items()) or f"{run.hosts} planned"
        ),
        Cell("BY", lambda run: f"{run.requested_by} ({run.trigger})"),
        Cell(clock.heading("CREATED"), lambda run: clock.both(run.created)),
        Cell("APPROVED BY", lambda run: run.approval.words if run.approval else ""),
        Cell("REASON", lambda run: run.reason),
    ]


@command.command("show")
@click.argument("run")
@format_option
@pass_app
def show(app: App, run: str, form: str) -> None:
    """Show one run: hosts with cause in plain words, packages, pieces, tickets."""
    from runner.operations.execution.show_run import show_run

    found = show_run(run, store=app.store)
    if form == "json":
        show_json({"run": plain(found)})
    else:
        show_screen(found, Clock(app.clock(), app.settings.timezone))


@command.command("watch")
@click.argument("run")
@format_option
@pass_app
def watch(app: App, run: str, form: str) -> None:
    """Follow a run until it is settled: each step, and what it waits for and until when.

    The exit code is that of its verdict. Ctrl-C ends only the watching.
    """
    from runner.cli.watching import exit_code_of, show_ended
    from runner.store.execution.runs import find

    found = app.store.read(lambda c: find(c, run))
    ended = follow(app, found, form=form)
    show_ended(app, ended, form=form)
    raise SystemExit(exit_code_of(ended))


def follow(app: App, run: Run, *, form: str) -> Run:
    """Tell each step of a run, and what it waits for, in a line until it is settled; on the error stream when the answer is JSON."""
    from runner.cli.telling import Telling
    from runner.operations.execution.follow_run import is_settled
    from runner.operations.summarise_status import going

    click.echo(f"Run {run.number}: {run.title}, {count(len(run.plan.hosts), 'host')}.", err=form == "json")
    if not run.verdict and app.store.read(lambda c: going(c, run, now=app.clock())).silent:
        click.echo(
            f"Whoever executed it is not heard any more. `wellkept runs continue {run.number}` goes on with it, and so does a daemon.",
            err=True,
        )
    telling = Telling(app, run, form=form)
    while not (ended := is_settled(run.id, site=app.site)):
        telling.look()
        time.sleep(LOOK_EVERY)
    telling.end()
    return ended


@command.command("continue")
@click.argument("run")
@format_option
@pass_app
def continue_(app: App, run: str, form: str) -> None:
    """Go on with a run; nothing that is finished is done again. Ctrl-C as in `wellkept run`.

    One that nobody executes any more is taken up where it was. One that has ended, such as one that was cancelled or halted, is
    followed by a new run of the hosts that did not end well, with every guard, if the files are still the same; else what has
    changed is told, and nothing is started.
    """
    from runner.cli.watching import watch as watch_executed
    from runner.operations.execution.continue_run import continue_run
    from runner.store.execution.runs import find

    found = app.store.read(lambda c: find(c, run))
    raise SystemExit(watch_executed(app, continue_run(found, site=app.site), form=form))


@command.command("cancel")
@click.argument("run")
@click.option("--now", "immediately", is_flag=True, help="End what is in flight, too; hosts may be left half-way.")
@pass_app
def cancel(app: App, run: str, immediately: bool) -> None:
    """Stop a run: the batch in flight is finished, no other begins."""
    from runner.operations.execution.stop_run import stop_run

    stopped = stop_run(run, immediately=immediately, by=app.actor, store=app.store, clock=app.clock)
    what = "What is in flight is ended now" if immediately else "The batch in flight is finished, no other begins"
    click.echo(f"Run {stopped.number}: {what}; recorded with your name ({app.actor}).")
    click.echo(f"Watch it: wellkept runs watch {stopped.number}")


@command.command("waive")
@click.argument("schedule")
@click.argument("date")
@click.option("--reason", default="", help="Why; it becomes part of the record.")
@click.option("--undo", is_flag=True, help="Take a waiver back; the slot is used after all.")
@pass_app
def waive(app: App, schedule: str, date: str, reason: str, undo: bool) -> None:
    r"""Leave out one slot that is still ahead: the day on which it opens, or day and time where there are several.

    It is settled as `waived` with your name, and nothing writes it anew. The next slot is not touched.

    \b
    wellkept runs waive patch-web 2026-03-28 --reason "the fair is on"
    wellkept runs waive patch-web "2026-03-28 22:00" --reason "the fair is on"
    wellkept runs waive patch-web 2026-03-28 --undo
    """
    from runner.operations.time.waive_slot import opening_in_words, take_waiver_back, waive_slot

    asked = slot_asked_for(app, schedule, date)
    slot = take_waiver_back(asked, site=app.site) if undo else waive_slot(asked, reason=reason, site=app.site)
    opens = opening_in_words(slot, app.site.current().schedules[schedule])
    became = "is planned again" if undo else f"is waived: {reason}"
    click.echo(f"The slot of {schedule} that opens {opens} {became}. Recorded as {app.actor}.")
    if not undo:
        click.echo(f"To take it back: wellkept runs waive {schedule} {shlex.quote(date)} --undo")


command.add_command(approve.command)
