"""`wellkept schema`."""

from __future__ import annotations

import json

import click


@click.command("schema")
@click.argument("kind")
def command(kind: str) -> None:
    r"""Print the JSON Schema of a kind of file.

    \b
    wellkept schema schedule       settings, windows, schedule, health, causes or report
    """
    from runner.config.schemas import schema

    click.echo(json.dumps(schema(kind), indent=2, ensure_ascii=False))
