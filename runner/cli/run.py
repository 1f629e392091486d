"""`wellkept run`."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import click

from runner.cli.app import pass_app
from runner.cli.installing import install_ahead
from runner.errors import UsageError
from runner.wiring import App

if TYPE_CHECKING:
    from runner.operations.execution.start_run import Wish


@click.command("run")
@click.argument("name")
@click.option("--limit", metavar="PATTERN", help="Only these of the schedule's hosts.")
@click.option("--check", "check_mode", is_flag=True, help="Only say what would change; needs no window.")
@click.option(
    "--readiness", is_flag=True, help="Only look whether the hosts are fit, as ahead of a slot; needs no window."
)
@click.option(
    "--digest",
    metavar="D",
    help="Run only if the plan still has this digest (12 characters or more, from `wellkept plan`).",
)
@click.option(
    "--override",
    metavar="REASON",
    help="Pass window, freeze, pause, ring, alerts or readiness; your name and reason go into the report.",
)
@click.option("--until", metavar="T", help="When the override ends: a time (2026-03-22 04:00) or a duration (2h).")
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True)
@pass_app
def command(
    app: App,
    name: str,
    limit: str | None,
    check_mode: bool,
    readiness: bool,
    digest: str | None,
    override: str | None,
    until: str | None,
    form: str,
) -> None:
    r"""Run a schedule now, with every guard.

    A daemon that is serving executes it, else a process of its own does; this command only watches. The first Ctrl-C lets the
    batch in flight finish and starts no other; the second ends it now.

    \b
    wellkept run patch-web                       if its window is open and nothing holds it
    wellkept run patch-web --check               what would change, without changing it
    wellkept run patch-web --readiness           which hosts are fit for its next slot
    wellkept run patch-web --limit web-03        one host
    wellkept run patch-web --override "hole in openssl is exploited" --until 2h
    """
    from runner.cli.instants import parse_until
    from runner.cli.watching import watch
    from runner.operations.execution.start_run import Wish, start_by_hand

    end: datetime | None = parse_until(until, now=app.clock(), zone=app.settings.timezone) if until else None
    install_ahead(app)
    wish = Wish(limit, check_mode, digest, override, end)
    run_id = start_look(app, name, wish) if readiness else start_by_hand(name, wish, site=app.site)
    raise SystemExit(watch(app, run_id, form=form))


def start_look(app: App, name: str, wish: Wish) -> str:
    """Start a readiness run, which no other option concerns."""
    from runner.operations.execution.start_readiness import start_readiness_by_hand
    from runner.operations.execution.start_run import Wish

    if wish != Wish():
        raise UsageError(
            "--readiness looks at every host of the next slot, and changes nothing: no other option means anything beside it. "
            "To look at one host: wellkept doctor HOST"
        )
    return start_readiness_by_hand(name, site=app.site)
