"""`wellkept drain`."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from runner.cli.answers import say
from runner.cli.app import pass_app
from runner.errors import BadResult, UsageError
from runner.wiring import App

if TYPE_CHECKING:
    from runner.operations.drain_work import InFlight


@click.command("drain")
@click.option("--reason", default="", help="Why; everybody who finds it drained reads this.")
@click.option("--wait", "span", metavar="SPAN", help="How long to wait for what is in flight, such as 30m; otherwise until it has ended.")  # fmt: skip
@click.option("--end", "ending", is_flag=True, help="Let work begin again.")
@pass_app
def command(app: App, reason: str, span: str | None, ending: bool) -> None:
    r"""Let all work come to rest before a machine goes down.

    Every batch in flight is finished, and none begins, of any run on this database, read-only work too. Runs stay alive and go on
    when the drain is ended, if their window is still open. Health checks go on. Ctrl-C ends only the waiting.
    Exit codes: 0 nothing is in flight any more; 1 something still is after --wait.

    \b
    wellkept drain --reason "reboot of this machine"
    wellkept drain --reason "database upgrade" --wait 30m
    wellkept drain --end
    """
    if ending:
        end(app)
    else:
        begin(app, reason, span)


def begin(app: App, reason: str, span: str | None) -> None:
    """Order it, and wait."""
    from runner.operations.drain_work import drain_work, wait_for_rest

    seconds = seconds_of(span)
    begun = drain_work(reason, by=app.actor, store=app.store, clock=app.clock)
    say(f"Nothing new begins from now on. Recorded as {app.actor}." if begun else "It is being drained already.")
    rested = wait_for_rest(store=app.store, monotonic=time.monotonic, sleep=time.sleep, seconds=seconds, tell=tell)
    if not rested:
        raise BadResult("Something is still in flight; nothing new begins. Ask again with `wellkept drain`, or look with `wellkept status`.")  # fmt: skip
    say("Nothing is in flight. To go on: wellkept drain --end")


def seconds_of(span: str | None) -> float | None:
    """A span in seconds; raises UsageError for one that is none."""
    from runner.domain.time.duration import parse_timedelta

    try:
        return parse_timedelta(span).total_seconds() if span else None
    except (ValueError, OverflowError) as error:
        raise UsageError(f"--wait {span}: {error}") from error


def tell(left: tuple[InFlight, ...]) -> None:
    """What is still going on."""
    for each in left:
        say(f"  waiting for run {each.run} of {each.schedule}: {', '.join(each.hosts)}")


def end(app: App) -> None:
    """Let work begin again."""
    from runner.operations.drain_work import end_drain

    ended = end_drain(by=app.actor, store=app.store, clock=app.clock)
    say(
        f"The drain ({ended.words}) is ended; work goes on. Recorded as {app.actor}."
        if ended
        else "Nothing is drained."
    )
