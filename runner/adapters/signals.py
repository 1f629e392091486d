"""How a process that does work is asked to stop."""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Callable

LONGEST_BATCH = 24 * 3600.0  # seconds; a stop waits for the batch in flight, and the unit's own time-out bounds it

log = logging.getLogger(__name__)


def stop_on_signals(stopping: threading.Event, *, harder: Callable[[], None]) -> None:
    """SIGTERM and SIGINT stop cleanly; a second one calls `harder` as well."""

    def heard(number: int, _frame: object) -> None:
        log.info("Heard %s; stopping", signal.Signals(number).name, extra={"action": "daemon.stopping"})
        if stopping.is_set():
            threading.Thread(target=harder, name="harder", daemon=True).start()
        stopping.set()

    signal.signal(signal.SIGTERM, heard)
    signal.signal(signal.SIGINT, heard)
