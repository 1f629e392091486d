"""Rings: a schedule that waits until another one has been through, has ended well, and has been over for a while."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from runner.domain.execution.guards import REQUIRES, Hold
from runner.domain.execution.run import Verdict
from runner.domain.execution.schedule import Requirement, WantedVerdict
from runner.domain.time.duration import describe

GOOD_ENOUGH = {
    WantedVerdict.SUCCEEDED: frozenset({Verdict.SUCCEEDED}),
    WantedVerdict.DEGRADED: frozenset({Verdict.SUCCEEDED, Verdict.DEGRADED}),
}
INCOMPLETE = "succeeded with a hole in its record"


@dataclass(frozen=True, slots=True)
class RingRun:
    """The last time that a ring was through as a whole: `name` is what people call it, `ended` is None while it is still going.

    `verdict` is None while it goes on. `outcome` is what people call it where it is no run: a duty that is done counts as succeeded, a missed one as failed.
    """

    name: str
    verdict: Verdict | None = None
    ended: datetime | None = None
    record_incomplete: bool = False
    outcome: str = ""

    @property
    def counts_as(self) -> Verdict | None:
        """What it is good for: a green one with a hole in its record is no green one."""
        return Verdict.DEGRADED if self.record_incomplete and self.verdict is Verdict.SUCCEEDED else self.verdict

    @property
    def words(self) -> str:
        """How it ended."""
        return INCOMPLETE if self.counts_as is not self.verdict else self.outcome or str(self.verdict)


def hold_for_ring(requirement: Requirement, last: RingRun | None, *, now: datetime) -> Hold | None:
    """Hold a schedule until the last whole run of the ring before it is a good one, and has been over for a while but not for too long."""
    ring = f"it requires {requirement.schedule!r}"
    if last is None:
        return Hold(REQUIRES, f"{ring}, which has not been through as a whole yet")
    if last.ended is None:
        return Hold(REQUIRES, f"{ring}, and {last.name} of it is still going")
    told = f"{ring}, and {last.name} of it {ended_in_words(last)}"
    if last.counts_as not in GOOD_ENOUGH[requirement.verdict]:
        return Hold(REQUIRES, f"{told}; {requirement.verdict} is wanted")
    return hold_for_age(requirement, last.ended, told, now=now)


def hold_for_age(requirement: Requirement, ended: datetime, told: str, *, now: datetime) -> Hold | None:
    """Hold while a good run is too fresh to be trusted, and once it is too old to say anything."""
    if requirement.within is not None and now > ended + requirement.within:
        return Hold(REQUIRES, f"{told}, which is more than {describe(requirement.within)} ago")
    clear = ended + requirement.at_least
    if now < clear:
        return Hold(REQUIRES, f"{told}; it must have been over for {describe(requirement.at_least)}", clear)
    return None


def ended_in_words(last: RingRun) -> str:
    """How and when it ended."""
    assert last.ended is not None  # noqa: S101  the caller has looked
    return f"ended as {last.words} at {last.ended:%Y-%m-%d %H:%M} UTC"
