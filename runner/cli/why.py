"""`wellkept why`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from runner.cli.answers import Cell, plain, say, table
from runner.cli.app import pass_app
from runner.cli.hosts import inventories, inventory_option
from runner.cli.output import format_option, show_json
from runner.cli.times import NOTHING, Clock
from runner.wiring import App

if TYPE_CHECKING:
    from runner.operations.explain_host import Chance, HostExplained

EMPTY = "Nothing since then could have touched it."


@click.command("why")
@click.argument("host")
@click.option("--since", default="7d", show_default=True, help="From when on: yesterday, today, a span back such as 31d, or a date.")  # fmt: skip
@inventory_option
@format_option
@pass_app
def command(app: App, host: str, since: str, inventory: str | None, form: str) -> None:
    r"""Tell why a host was touched, or was not.

    One line for each slot that could have touched it, also those in which nothing ran, and for each run by hand that meant it: what
    came of it, which guard said no, why, and when its next chance is. The next slot of each schedule stands last.

    \b
    wellkept why web-03                       the last seven days
    wellkept why web-03 --since yesterday
    wellkept why web-03 --since 31d --format json
    """
    from runner.cli.instants import parse_since
    from runner.operations.explain_host import explain_host

    start = parse_since(since, now=app.clock(), zone=app.settings.timezone)
    found = explain_host(host, inventory=inventory, since=start, among=inventories(app), site=app.site)
    if form == "json":
        show_json({"why": plain(found)})
    else:
        show_screen(found, Clock(app.clock(), app.settings.timezone))


def show_screen(found: HostExplained, clock: Clock) -> None:
    """The host for a person."""
    say(f"{found.host} in inventory {found.inventory}, since {clock.time(found.since)} ({clock.zone})")
    table(
        found.chances,
        [
            Cell("WHEN", lambda chance: clock.time(chance.when)),
            Cell("SCHEDULE", schedule_in_words),
            Cell("OUTCOME", lambda chance: chance.outcome),
            Cell("GUARD", lambda chance: chance.guard or NOTHING),
            Cell("WHY", lambda chance: chance.cause),
            Cell("NEXT CHANCE", lambda chance: clock.time(chance.next)),
        ],
        empty=EMPTY,
    )
    for note in found.notes:
        say(note)


def schedule_in_words(chance: Chance) -> str:
    """The schedule, the run, and who started it when that was a person."""
    run = f" run {chance.run}" if chance.run else ""
    return f"{chance.schedule}{run}" + (f", by hand ({chance.by})" if chance.by else "")
