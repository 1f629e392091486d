"""Pauses that nobody ended: told in the daemon's log again and again, so that none is forgotten."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import timedelta

from runner.errors import count
from runner.operations.execution.read_pauses import pauses_at
from runner.operations.site import Site

log = logging.getLogger(__name__)
FORGOTTEN = timedelta(days=1)  # a pause without an end is told from then on


def remind_of_pauses(*, site: Site) -> None:
    """Log each pause that has no end and has lasted for a day."""
    for words in forgotten(site=site):
        log.warning("%s", words, extra={"action": "pause.forgotten"})


def forgotten(*, site: Site) -> Iterator[str]:
    """What has been paused for a day or longer without an end."""
    now = site.clock()
    for pause in pauses_at(now, site=site):
        if pause.until is None and now - pause.since >= FORGOTTEN:
            what = pause.hosts or "everything"
            days = count((now - pause.since) // FORGOTTEN, "day")
            yield f"For {days} {what} has been {pause.words}. `wellkept resume` ends a pause."
