"""Tells somebody outside that the scheduler lives, so that its silence is noticed; nothing is told while its work does not go on."""

from __future__ import annotations

import logging
from collections.abc import Callable

from runner.operations.site import Site
from runner.store.execution import daemons

log = logging.getLogger(__name__)


def prove_life(*, site: Site, ping: Callable[[], int]) -> bool:
    """Send one ping if our own beat is in the record and fresh; whether it was taken. `ping` gives the status of the answer (RFC 9110).

    The address is never logged: whoever knows it can pretend that we live.
    """
    if not any(daemon.owner == site.owner for daemon in site.store.read(daemons.alive)):
        log.warning("No dead-man ping: the record has no fresh beat of this scheduler", extra={"action": "ping.kept"})
        return False
    try:
        status = ping()
    except Exception as reason:  # noqa: BLE001 - whatever is wrong out there, the work here goes on
        log.warning("The dead-man ping was not taken (%s)", type(reason).__name__, extra={"action": "ping.lost"})
        return False
    if taken := status < 400:  # noqa: PLR2004 - from there on it is an error
        return taken
    log.warning("The dead-man ping was answered with status %s", status, extra={"action": "ping.refused"})
    return False
