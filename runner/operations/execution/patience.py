"""Waits for a database that is away: what was done on hosts is never thrown away for it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TypeVar

from runner.errors import StoreUnavailable
from runner.ports import Monotonic

T = TypeVar("T")
PAUSE = 1.0  # seconds

log = logging.getLogger(__name__)


def patiently(work: Callable[[], T], *, seconds: float, monotonic: Monotonic) -> T:
    """Do `work`, again and again while the store cannot be had; raises StoreUnavailable once `seconds` have passed."""
    until = monotonic() + seconds
    while True:
        try:
            return work()
        except StoreUnavailable as reason:
            if monotonic() >= until:
                raise
            log.warning("Waiting for the database: %s", reason, extra={"action": "store.wait"})
            time.sleep(PAUSE)
