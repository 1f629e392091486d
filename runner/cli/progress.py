"""Progress of long work: a counter on a terminal, nothing elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click

SHORTEST = 79  # columns


@contextmanager
def counting(words: str) -> Iterator[Callable[[str], None]]:
    """Gives a function to call with each thing that came; what it showed is wiped away at the end."""
    if not sys.stderr.isatty():
        yield lambda _what: None
        return
    number = 0

    def heard(what: str) -> None:
        nonlocal number
        number += 1
        click.echo(f"\r{f'{words}: {number}, {what}':.{SHORTEST}}".ljust(SHORTEST + 1), nl=False, err=True)

    click.echo(f"{words} …", nl=False, err=True)
    try:
        yield heard
    finally:
        click.echo("\r" + " " * SHORTEST + "\r", nl=False, err=True)
