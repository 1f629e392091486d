"""`wellkept execute-run`, started by `wellkept run` when no daemon serves."""

from __future__ import annotations

import logging

import click

from runner.cli.app import pass_app
from runner.wiring import App


@click.command("execute-run", hidden=True)
@click.argument("run_id")
@pass_app
def command(app: App, run_id: str) -> None:
    """Execute one run in this process."""
    from runner.adapters.signals import LONGEST_BATCH, stop_on_signals
    from runner.operations.execution.carry_out import drive_run

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    stop_on_signals(app.stopping, harder=lambda: None)
    drive_run(run_id, site=app.site, dispatcher=app.dispatcher, stopping=app.stopping)
    app.dispatcher.drain(wait=LONGEST_BATCH)
