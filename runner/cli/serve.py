"""`wellkept serve`."""

from __future__ import annotations

import logging

import click

from runner.cli.app import pass_app
from runner.wiring import App


@click.command("serve")
@click.option(
    "--every",
    default=2,
    show_default=True,
    type=click.IntRange(1, 60),
    help="Seconds between two looks at what is due.",
)
@pass_app
def command(app: App, every: int) -> None:
    r"""Run schedules by themselves when their windows open.

    \b
    wellkept serve                 until SIGTERM or Ctrl-C; what is going on is then finished, nothing new begins
    wellkept serve --every 5       look every five seconds
    """
    from runner.daemon import run_daemon

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    run_daemon(app, every=every)
