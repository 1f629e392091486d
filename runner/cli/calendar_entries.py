"""Where `wellkept calendar` has its lines from: the files, the ledger where it knows better, and the inventories if they were asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import click

from runner.domain.settings import Definitions
from runner.errors import Unknown
from runner.operations.time.heed_ledger import Ledger, heed_ledger, read_ledger
from runner.operations.time.inventoried import Inventoried, read_inventories
from runner.operations.time.list_openings import Entry, list_openings
from runner.operations.time.once_schedules import WithOnce
from runner.operations.time.reload import InForce
from runner.wiring import App

if TYPE_CHECKING:
    from runner.cli.calendar import Asked


@dataclass(frozen=True, slots=True)
class LookedUp:
    """The lines of a span, and what they are made from; `inventoried` is None unless hosts were asked for."""

    entries: Sequence[Entry]
    definitions: Definitions
    inventoried: Inventoried | None


def look_up(app: App, asked: Asked, from_: datetime, to: datetime) -> LookedUp:
    """Every line of a span; a window that is asked for by itself has no slots, so nobody asks the ledger for it."""
    definitions, ledger = (app.definitions, None) if asked.window else with_ledger(app, from_, to)
    inventoried = read_inventories(definitions, app.inventories) if asked.hosts else None
    services = inventoried.services if inventoried else None
    entries = list_openings(definitions, from_=from_, to=to, names=asked.names, window=asked.window, services=services)
    if ledger:
        entries = heed_ledger(entries, ledger, definitions, names=asked.names)
    return LookedUp(entries, definitions, inventoried)


def with_ledger(app: App, from_: datetime, to: datetime) -> tuple[Definitions, Ledger | None]:
    """The definitions, those made for one slot among them, and the ledger; the files alone while there is no database, or it is away."""
    try:
        ledger = read_ledger(app.store, from_=from_, to=to, now=app.clock())
        files = InForce(app.root, environ=app.environ, first=app.definitions, sources=app.sources)
        return WithOnce(files, store=app.store, clock=app.clock).current(), ledger
    except Unknown as problem:
        definitions = app.definitions  # files that are broken are told before that
        click.echo(f"By the files alone, without what was waived, done or made for one slot: {problem}", err=True)
        return definitions, None
