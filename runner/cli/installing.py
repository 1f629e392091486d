"""Says that roles and collections are being installed, since somebody waits for it."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from runner.wiring import App


def install_ahead(app: App) -> None:
    """Install what requirements files name and is not there yet; trouble holds the run, and is told there."""
    from runner.operations.execution.install_requirements import install_requirements

    install_requirements(site=app.site, again_after=timedelta(0), tell=partial(click.echo, err=True))
