"""`wellkept resume`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from runner.cli.answers import say
from runner.cli.app import pass_app
from runner.cli.times import Clock
from runner.errors import Held
from runner.wiring import App

if TYPE_CHECKING:
    from runner.operations.pause_maintenance import Resumed


@click.command("resume")
@click.option("--hosts", default="", metavar="PATTERN", help="The pause of this very pattern; that of everything without it.")  # fmt: skip
@pass_app
def command(app: App, hosts: str) -> None:
    r"""End a pause; maintenance goes on.

    Exit codes: 0 also when nothing was paused at all, as that is what is wanted; 2 when only other pauses are in force (they are
    named); 3 while a file PAUSE in the state folder goes on pausing everything: no command removes it.

    \b
    wellkept resume                 end the pause of everything
    wellkept resume --hosts db      end the pause of these hosts
    """
    from runner.operations.pause_maintenance import resume_maintenance

    state, store = app.settings.state_dir, app.store
    resumed = resume_maintenance(hosts, state_dir=state, by=app.actor, store=store, clock=app.clock)
    tell(resumed, by=str(app.actor), clock=Clock(app.clock(), app.settings.timezone))
    if resumed.file:
        raise Held(f"Everything is still paused: {resumed.file.words}.")


def tell(resumed: Resumed, *, by: str, clock: Clock) -> None:
    """What was ended, and what still pauses something."""
    for pause in resumed.ended:
        since = f"by {pause.by}, {clock.age(pause.from_at)}"
        say(f"The pause of {pause.hosts or 'everything'} ({since}: {pause.reason}) is ended. Recorded as {by}.")
    if not resumed.ended and not resumed.file:
        say("Nothing is paused.")
    for pause in resumed.left:
        say(f"Still paused: {pause.hosts or 'everything'}, by {pause.by}: {pause.reason}")
