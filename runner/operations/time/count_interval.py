"""Counts work on a cadence: what was expected since the last count, what ran, what ran late, and what was missed."""

from __future__ import annotations

from datetime import datetime

from runner.domain.time.cadence import Interval, before, is_late, missed_before
from runner.store.sql import serialise
from runner.store.time import cadence
from runner.store.transaction import Transaction


def count_interval(connection: Transaction, name: str, interval: Interval, *, began: datetime, ran: bool) -> bool:
    """Count an interval, and those that passed by since the last count; False, and nothing, when another process has counted it.

    What passed by while nobody was there was expected all the same, and was missed. `ran` False is a round that could not be put: it was missed, too.
    """
    serialise(connection, f"cadence:{name}")
    last = cadence.last_of(connection, name)
    if last is not None and last.begins >= interval.begins:
        return False
    for day, number in missed_before(interval, last):
        cadence.count(connection, name, day, expected=number, missed=number)
    late = ran and is_late(interval, last, began=began)
    counted = {"run": int(ran), "late": int(late), "missed": int(not ran)}
    cadence.count(connection, name, interval.begins.date(), expected=1, **counted)
    cadence.keep_last(connection, name, interval)
    return True


def count_passed(connection: Transaction, name: str, interval: Interval) -> bool:
    """Count what passed by before an interval in which nothing could be done yet, and expect this one from now on; False when somebody has counted it."""
    serialise(connection, f"cadence:{name}")
    last = cadence.last_of(connection, name)
    if last is not None and last.begins >= interval.begins:
        return False
    for day, number in missed_before(interval, last):
        cadence.count(connection, name, day, expected=number, missed=number)
    cadence.keep_last(connection, name, before(interval))
    return True
