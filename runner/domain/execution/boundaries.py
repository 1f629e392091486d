"""The strategic plan's limits: hosts that may never be changed, or not while a window is open. No override passes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from runner.domain.execution.guards import BOUNDARY, Hold
from runner.domain.execution.plan import RunPlan
from runner.domain.execution.schedule import Split
from runner.domain.settings import Never
from runner.domain.time.occurrence import next_opening, opening_at
from runner.domain.time.window import MaintenanceWindow

NAMED = 5  # hosts that a hold names


def hold_for_never(never: Never, window: MaintenanceWindow, hosts: Sequence[str], *, now: datetime) -> Hold | None:
    """Refuse a change of hosts that a boundary names; `window` is the one in which it holds, `hosts` those of the run that it names."""
    if not hosts:
        return None
    named = ", ".join([*hosts[:NAMED], *(["…"] if len(hosts) > NAMED else [])])
    told = f"the boundary never: {never.hosts!r} forbids to change {named}"
    if window.is_always:
        return Hold(BOUNDARY, told)
    opening = opening_at(window, (), now)
    return Hold(BOUNDARY, f"{told} during window {window.name!r}", opening.closes) if opening else None


def hold_for_whole(run: RunPlan, most: int | None) -> Hold | None:
    """Refuse one call of Ansible for more hosts than may be changed at the same time: it could never begin."""
    if most is None or run.split is not Split.WHOLE or not run.changes_something or len(run.hosts) <= most:
        return None
    told = f"the boundary max_concurrent_hosts: {most} forbids split: whole for {len(run.hosts)} hosts"
    return Hold(BOUNDARY, f"{told}, which changes all of them at the same time")


def begins_to_hold(window: MaintenanceWindow, hosts: Sequence[str], *, now: datetime) -> datetime | None:
    """When a boundary for these hosts holds next; None when it never does."""
    following = next_opening(window, (), after=now) if hosts and not window.is_always else None
    return following.opens if following else None


def ended_by(run: RunPlan, boundary: datetime | None) -> RunPlan:
    """A run that ends before a boundary begins to hold for one of its hosts."""
    if boundary is None:
        return run
    last_start = min(run.last_start or boundary, boundary)
    return replace(run, last_start=last_start, ends=min(run.ends or boundary, boundary))
