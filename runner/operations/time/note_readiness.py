"""What the look ahead of an opening came to, as a note in the calendar."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial

from runner.domain.execution.readiness import in_words
from runner.domain.settings import Definitions
from runner.operations.execution.ask_readiness import seen_for
from runner.operations.time.heed_ledger import DUE
from runner.operations.time.list_openings import CUT_SHORT, PLANNED, Entry
from runner.store.database import Store

STILL_TO_BE_USED = frozenset({PLANNED, CUT_SHORT, DUE})


def with_readiness(entries: Sequence[Entry], definitions: Definitions, store: Store, *, now: datetime) -> list[Entry]:
    """The same lines; those that are still to be used say what the look ahead of them came to, if it was made."""
    return [noted(entry, definitions, store, now=now) for entry in entries]


def noted(entry: Entry, definitions: Definitions, store: Store, *, now: datetime) -> Entry:
    """One line with its note, if it has any."""
    schedule, opening = definitions.schedules.get(entry.schedule), entry.opening
    if schedule is None or schedule.readiness is None or entry.state not in STILL_TO_BE_USED:
        return entry
    if now < opening.usable_from - schedule.readiness.before:
        return entry
    seen = store.read(partial(seen_for, schedule=schedule, opening=opening))
    return replace(entry, opening=replace(opening, notes=(*opening.notes, in_words(seen)))) if seen else entry
