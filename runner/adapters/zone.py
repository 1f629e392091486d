"""The present instant, and the time zone of our own process and of the programs that it starts: ours is UTC in a daemon, theirs stays the operator's."""

from __future__ import annotations

import time
from collections.abc import MutableMapping
from datetime import UTC, datetime

OPERATORS_ZONE = "WELLKEPT_OPERATORS_TZ"  # what TZ was before; empty when it was not set


def now() -> datetime:
    """The present instant."""
    return datetime.now(UTC)


def live_in_utc(environ: MutableMapping[str, str]) -> None:
    """Make UTC this process's zone: `schedule` reckons in naive local time, and that must never jump."""
    environ.setdefault(OPERATORS_ZONE, environ.get("TZ", ""))
    environ["TZ"] = "UTC"
    time.tzset()


def give_back_zone(environ: MutableMapping[str, str]) -> None:
    """Give a program of the operator's own, such as Ansible, the zone that the operator has."""
    zone = environ.pop(OPERATORS_ZONE, None)
    if zone:
        environ["TZ"] = zone
    elif zone is not None:
        environ.pop("TZ", None)
