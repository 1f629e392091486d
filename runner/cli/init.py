"""`wellkept init`."""

from __future__ import annotations

from pathlib import Path

import click

from runner.wiring import App


@click.command("init")
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False))
@click.option("--organisation", default="My organisation", show_default=True, help="The name on reports.")
def command(directory: Path, organisation: str) -> None:
    r"""Lay out a new maintenance repository, ready to run.

    \b
    wellkept init maintenance && cd maintenance && wellkept validate
    """
    from runner.config.files import KINDS
    from runner.config.schemas import schema
    from runner.operations.lay_out import lay_out, starter_source
    from runner.store.database import create

    written = lay_out(
        directory, source=starter_source(), organisation=organisation, schemas={kind: schema(kind) for kind in KINDS}
    )
    app = App(directory)
    create(app.settings.database, state_dir=app.settings.state_dir, now=app.clock())
    click.echo(f"Laid out {len(written)} files in {directory}. The database is {app.settings.database}.")
    click.echo("Next: put your hosts into inventories/, then: wellkept validate; wellkept calendar; wellkept plan")
