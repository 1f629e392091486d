"""Cron expressions as Vixie's cron has them, by cronsim: on naive instants, so that our own rules decide what changing clocks do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime, time, timedelta

from cronsim import CronSim, CronSimError

from runner.domain.time.window import StartSource

_FIELDS = 5
_ANY_DAY = datetime(2026, 1, 1)  # noqa: DTZ001  a wall clock; its zone is the window's
_SHORT = {"@hourly": "0 * * * *", "@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@weekly": "0 0 * * 0"}
_SHORT |= {"@monthly": "0 0 1 * *", "@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *"}


def read_cron(text: str) -> StartSource:
    """Read an expression; raises ValueError with the way out."""
    fields = text.split()
    if text.strip().lower() in _SHORT:
        raise ValueError(f'{text.strip()} is a short form. Write it out: "{_SHORT[text.strip().lower()]}"')
    if len(fields) != _FIELDS:
        raise ValueError(
            f'{text[:60]!r} has {len(fields)} fields. Write five: minute, hour, day, month and weekday, such as "30 2 * * 6"'
        )
    expression = " ".join(fields)
    try:
        CronSim(expression, _ANY_DAY)
    except CronSimError as error:
        raise ValueError(f'{text[:60]!r} cannot be read: {error}. Write it such as "30 2 * * 6"') from None

    def starts(first: date, last: date) -> Iterable[datetime]:
        return _between(expression, first, last)

    return starts


def _between(expression: str, first: date, last: date) -> Iterator[datetime]:
    """The starts on the dates from `first` to `last`; looked for from just before, since cronsim begins after its instant."""
    end = datetime.combine(last, time.max)
    for start in CronSim(expression, datetime.combine(first, time(0)) - timedelta(seconds=1)):
        if start > end:
            return
        yield start
