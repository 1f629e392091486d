"""What a run waits for, in words that people read while it does."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from runner.domain.execution.guards import NAMED


@dataclass(frozen=True, slots=True)
class WaitsFor:
    """What a run waits for, and until when as far as that is known."""

    reason: str
    until: datetime | None = None


def work_to_end(hosts: Iterable[str]) -> WaitsFor:
    """A package manager, or a module of ours: nobody knows how long that takes."""
    return WaitsFor(f"something is still at work on {named(hosts)}")


def other_runs(hosts: Iterable[str]) -> WaitsFor:
    """Locks that other runs hold."""
    return WaitsFor(f"another run is at work on {named(hosts)}, or on hosts that are kept apart from it")


def another_try(hosts: Iterable[str], at: datetime) -> WaitsFor:
    """A cause that may pass by itself."""
    return WaitsFor(f"{named(hosts)}: tried again after a failure that may pass by itself", at)


def soak(wave: str, until: datetime) -> WaitsFor:
    """A wave that is watched before the next one starts."""
    return WaitsFor(f"the hosts of wave {wave!r} are watched before the next wave", until)


def opening(at: datetime) -> WaitsFor:
    """A clock that was set back."""
    return WaitsFor("its window is not open by the clock, which was set back", at)


def named(hosts: Iterable[str]) -> str:
    """The first of these hosts by name, and how many more there are."""
    every = list(hosts)
    return ", ".join(every[:NAMED]) + (f" and {len(every) - NAMED} more" if len(every) > NAMED else "")
