"""Where `wellkept calendar` has its lines from: the files, the ledger where it knows better, and the inventories if they were asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import click

from runner.cli.calendar_asked import Asked
from runner.domain.settings import Definitions
from runner.errors import Unknown
from runner.operations.time.find_short_windows import PastRuns, read_past_runs, with_short_openings
from runner.operations.time.heed_ledger import Ledger, heed_ledger, read_ledger
from runner.operations.time.inventoried import Inventoried, read_inventories
from runner.operations.time.list_openings import Entry, list_openings
from runner.operations.time.note_readiness import with_readiness
from runner.operations.time.once_schedules import WithOnce
from runner.operations.time.reload import InForce
from runner.wiring import App

LISTINGS = ("table", "json")


@dataclass(frozen=True, slots=True)
class LookedUp:
    """The lines of a span, and what they are made from; `inventoried` is None unless hosts were asked for."""

    entries: Sequence[Entry]
    definitions: Definitions
    inventoried: Inventoried | None


@dataclass(frozen=True, slots=True)
class Recorded:
    """What the record adds: the definitions with those made for one slot, the slots around a span, and what past runs needed."""

    definitions: Definitions
    ledger: Ledger
    past: Mapping[str, PastRuns]


def look_up(app: App, asked: Asked, from_: datetime, to: datetime) -> LookedUp:
    """Every line of a span; a window that is asked for by itself has no slots, so nobody asks the ledger for it."""
    recorded = None if asked.window else look_into_record(app, from_, to)
    definitions = recorded.definitions if recorded else app.definitions
    inventoried = read_inventories(definitions, app.inventories) if asked.hosts else None
    services = inventoried.services if inventoried else None
    entries = list_openings(definitions, from_=from_, to=to, names=asked.names, window=asked.window, services=services)
    if recorded:
        entries = heed_ledger(entries, recorded.ledger, definitions, names=asked.names)
        entries = with_short_openings(entries, recorded.past)
    if recorded and asked.form in LISTINGS:  # what others subscribe to does not change with every look
        entries = with_readiness(entries, definitions, app.store, now=app.clock())
    return LookedUp(entries, definitions, inventoried)


def look_into_record(app: App, from_: datetime, to: datetime) -> Recorded | None:
    """What the record says; None, and a line on the error stream, while there is no database, or it is away."""
    try:
        store, now = app.store, app.clock()
        ledger, past = read_ledger(store, from_=from_, to=to, now=now), read_past_runs(store, now=now)
        files = InForce(app.root, environ=app.environ, first=app.definitions, sources=app.sources)
        return Recorded(WithOnce(files, store=store, clock=app.clock).current(), ledger, past)
    except Unknown as problem:
        click.echo(f"By the files alone, without what was waived, done or made for one slot: {problem}", err=True)
        return None
