"""How answers are shown: a table on a terminal, plain columns elsewhere, or versioned JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import click

JSON_VERSION = 1
Function = TypeVar("Function", bound=Callable[..., Any])

format_option = click.option(
    "--format",
    "form",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help="How to print the answer.",
)


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table: its heading and the key of the row that fills it."""

    heading: str
    key: str


def show(name: str, rows: Sequence[Mapping[str, object]], columns: Sequence[Column], *, form: str, empty: str) -> None:
    """Print a listing; JSON holds every key of the rows, a table only the columns."""
    if form == "json":
        show_json({name: list(rows)})
    elif not rows:
        click.echo(empty)
    else:
        show_table(rows, columns)


def show_json(values: Mapping[str, object]) -> None:
    """Print one versioned JSON document."""
    click.echo(json.dumps({"version": JSON_VERSION, **values}, indent=2, default=str, ensure_ascii=False))


def show_table(rows: Sequence[Mapping[str, object]], columns: Sequence[Column]) -> None:
    """Print rows as a table: bordered by spacing, wrapped to the terminal, never cut when piped."""
    from rich.table import Table
    from rich.text import Text

    from runner.cli.screen import Screen

    table = Table(box=None, pad_edge=False, header_style="bold", show_edge=False)
    for column in columns:
        table.add_column(column.heading, overflow="fold")
    for row in rows:
        table.add_row(*(Text(text_of(row.get(column.key))) for column in columns))
    terminal = sys.stdout.isatty()
    console = Screen(highlight=False, soft_wrap=not terminal, width=None if terminal else 200)
    console.print(table)


def text_of(value: object) -> str:
    """A cell's text; nothing is a dash."""
    if value is None or value in ("", (), []):
        return "-"
    if isinstance(value, (list, tuple)):
        return ", ".join(str(part) for part in value)
    return str(value)
