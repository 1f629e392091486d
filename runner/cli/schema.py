"""`wellkept schema`."""

from __future__ import annotations

import json

import click

from runner.errors import NotFound


@click.command("schema")
@click.argument("kind")
def command(kind: str) -> None:
    r"""Print the JSON Schema of a kind of file.

    \b
    wellkept schema schedule       settings, windows, schedule, health or report
    """
    from runner.config.schemas import KINDS, schema

    if kind not in KINDS:
        raise NotFound(f"There is no kind {kind!r}. The kinds are: {', '.join(KINDS)}.")
    click.echo(json.dumps(schema(kind), indent=2, ensure_ascii=False))
