"""Splay: schedules that share a window do not all begin in the same second, and each always begins at the same one of a date."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from hashlib import sha256

from runner.domain.time.duration import describe
from runner.domain.time.window import MaintenanceWindow, Opening


def splayed(opening: Opening, window: MaintenanceWindow, *, schedule: str) -> Opening:
    """The opening as this schedule may use it: later by a part of the window's splay that its name and the rule date alone decide.

    Never later than half-way to the last start, so that something can always start, also in an opening that a freeze has cut short.
    """
    room = min(window.splay, (opening.last_start - opening.usable_from) / 2)
    seconds = int(room.total_seconds())
    if seconds <= 0:
        return opening
    key = f"{schedule}/{opening.rule_date.isoformat()}/{opening.ordinal}"
    delay = timedelta(seconds=int.from_bytes(sha256(key.encode()).digest()[:8]) % (seconds + 1))
    if not delay:
        return opening
    note = f"splay: {schedule} begins {describe(delay)} later"
    return replace(opening, usable_from=opening.usable_from + delay, notes=(*opening.notes, note))
