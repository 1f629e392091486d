"""Values as listings and as JSON: a column is a heading and a function that tells one value's cell."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Generic, TypeVar

import click

from runner.cli.output import Column, show_json, show_table, text_of

T = TypeVar("T")

limit_option = click.option(
    "--limit", metavar="N", type=click.IntRange(1, 10_000), default=20, show_default=True, help="At most this many."
)


@dataclass(frozen=True, slots=True)
class Cell(Generic[T]):
    """One column: its heading, and what it tells about a value."""

    heading: str
    tell: Callable[[T], object]


def listing(name: str, values: Sequence[T], cells: Sequence[Cell[T]], *, form: str, empty: str, limit: int = 0) -> None:
    """Print values as a table or as JSON under `name`; `empty` says what to do when there are none.

    With a `limit`, one value more than that tells that there are more.
    """
    shown = values[:limit] if limit else values
    if form == "json":
        show_json({name: plain(shown), **({"more": len(values) > limit} if limit else {})})
        return
    table(shown, cells, empty=empty)
    if limit and len(values) > limit:
        click.echo(f"There are more than {limit}; --limit shows more of them.")


def table(values: Sequence[T], cells: Sequence[Cell[T]], *, empty: str) -> None:
    """Print a table, or the sentence for an empty one."""
    if not values:
        click.echo(empty)
        return
    rows = [{cell.heading: printable(text_of(cell.tell(value))) for cell in cells} for value in values]
    show_table(rows, [Column(cell.heading, cell.heading) for cell in cells])


def say(words: str) -> None:
    """Print a line that may hold what a host said."""
    click.echo(printable(words))


def printable(words: str) -> str:
    """The text without what could steer a terminal: a host's own words are shown, never obeyed."""
    return "".join(each if each.isprintable() or each in "\n\t" else "�" for each in words)


def plain(value: object) -> object:
    """A value as JSON knows it: names for fields, ISO 8601 for instants, words for states."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(each) for each in value]
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    return str(value) if isinstance(value, StrEnum) else value
