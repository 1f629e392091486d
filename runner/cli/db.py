"""`wellkept db`."""

from __future__ import annotations

from pathlib import Path

import click

from runner.cli.app import pass_app
from runner.wiring import App

MIB = 1024 * 1024


@click.group("db")
def command() -> None:
    r"""Create, upgrade or back up the database.

    \b
    wellkept db upgrade           create it, or bring it to this version
    wellkept db backup FILE       a whole copy, while everything goes on
    """


@command.command("upgrade")
@pass_app
def upgrade(app: App) -> None:
    """Create the database, or bring it to this version."""
    from runner.store.database import upgrade as bring_up

    before, after = bring_up(app.settings.database, state_dir=app.settings.state_dir)
    if before == after:
        click.echo(f"The database has revision {after} already; nothing was changed.")
    elif before:
        click.echo(f"The database was brought from revision {before} to {after}.")
    else:
        click.echo(f"The database was created, with revision {after}.")


@command.command("backup")
@click.argument("file", type=click.Path(path_type=Path))
@pass_app
def backup(app: App, file: Path) -> None:
    """Copy the database to FILE, while everything goes on."""
    from runner.operations.back_up import back_up

    made = back_up(file, database=app.settings.database, by=app.actor, store=app.store, clock=app.clock)
    click.echo(f"{made.path}: {made.size / MIB:.1f} MiB, SHA-256 {made.digest}")
    click.echo(f"Keep {app.settings.state_dir} beside it: the signing key and what running pieces have told lie there.")
