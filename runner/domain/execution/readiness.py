"""Readiness: a look ahead of a slot at whether its hosts are fit for it, and what it says when the slot is due."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from runner.domain.execution.guards import NAMED, READINESS, Hold
from runner.domain.execution.outcome import HostResult, NotRun, Result
from runner.domain.execution.plan import LOOK, PlannedWave, RunPlan, Step
from runner.domain.execution.run import Verdict
from runner.domain.execution.schedule import Split
from runner.errors import count

WAY_OUT = "Mend that, then look again: wellkept run {} --readiness"


@dataclass(frozen=True, slots=True)
class ReadinessSeen:
    """What the last readiness run came to; `verdict` is None while it is going on."""

    number: int
    at: datetime
    verdict: Verdict | None
    reason: str
    results: Mapping[str, HostResult]

    @property
    def not_ready(self) -> tuple[str, ...]:
        """The hosts that were found not fit, or were not reached."""
        return tuple(host for host, result in self.results.items() if is_not_ready(result))

    @property
    def nobody(self) -> bool:
        """Whether every host was looked at, and none was fit."""
        return bool(self.results) and len(self.not_ready) == len(self.results)


def is_not_ready(result: HostResult) -> bool:
    """Whether a look says no to a host; one that was not looked at is neither ready nor not."""
    return result.result in {Result.UNREACHABLE, Result.FAILED} or result.reason is NotRun.PRE_CHECK


def looking_ahead(plan: RunPlan, checks: Sequence[Step], *, until: datetime | None) -> RunPlan:
    """The plan of a readiness run: the look and the checks, and nothing after them; no further host is looked at from `until` on."""
    return replace(
        plan,
        title=f"Readiness: {plan.title}",
        readiness=True,
        check_mode=False,
        changes_something=False,
        split=Split.HOSTS,
        waves=(PlannedWave("all"),),
        budget=len(plan.hosts),
        before=(LOOK, *checks),
        after=(),
        rollback=(),
        carried=(),
        groups={},
        reboots=False,
        opens=None,
        last_start=until,
        ends=None,
    )


def hold_for_readiness(schedule: str, seen: ReadinessSeen | None) -> Hold | None:
    """Hold a slot whose readiness run found no host fit, or could not be made; one that was not made, or is going on, holds nothing."""
    if seen is None or seen.verdict is None:
        return None
    if seen.verdict is Verdict.MISCONFIGURED:
        told = f"readiness run {seen.number} could not be made: {seen.reason}"
        return Hold(READINESS, f"{told}. {WAY_OUT.format(schedule)}")
    if not seen.nobody:
        return None
    return Hold(
        READINESS, f"readiness run {seen.number} found no host ready ({not_ready(seen)}). {WAY_OUT.format(schedule)}"
    )


def in_words(seen: ReadinessSeen) -> str:
    """What a readiness run came to, in a line."""
    run = f"readiness run {seen.number}"
    if seen.verdict is None:
        return f"{run} is going on"
    if seen.verdict is Verdict.MISCONFIGURED:
        return f"{run} could not be made: {seen.reason}"
    fit = sum(result.result.is_good for result in seen.results.values())
    told = f"{run}: {fit} of {count(len(seen.results), 'host')} ready"
    return f"{told}; not ready: {not_ready(seen)}" if seen.not_ready else told


def not_ready(seen: ReadinessSeen) -> str:
    """The hosts that are not ready, each with the cause."""
    hosts = seen.not_ready
    told = [f"{host}: {why(seen.results[host])}" for host in hosts[:NAMED]]
    return "; ".join(told) + (f"; and {len(hosts) - NAMED} more" if len(hosts) > NAMED else "")


def why(result: HostResult) -> str:
    """Why a host is not ready, in a word or two."""
    if result.cause:
        return result.cause.replace("_", " ")
    return "not reached" if result.result is Result.UNREACHABLE else "its check failed"
