"""How hosts stand on each check: one row per check and host, and an observation for each change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import Connection

from runner.domain.health import Condition, Finding
from runner.store.record import observations
from runner.store.schema import health_states
from runner.store.sql import put, read, select_as, serialise

Place = tuple[str, str, str]  # check, inventory, host
OBSERVED_AS = "health"


@dataclass(frozen=True, slots=True)
class HealthState:
    """How a host stands on a check, confirmed; `failures` counts the bad findings in a row, `summary` and `number` are the last finding's."""

    check: str
    inventory: str
    host: str
    condition: Condition
    since: datetime
    last_at: datetime
    summary: str
    number: float | None
    failures: int


@dataclass(frozen=True, slots=True)
class HealthChange:
    """A confirmed change of one host on one check; `before` is None when it was asked for the first time."""

    check: str
    inventory: str
    host: str
    before: Condition | None
    after: Condition
    since: datetime
    summary: str
    number: float | None


def record(
    connection: Connection, findings: Sequence[Finding], *, at: datetime, down_after: Mapping[str, int] | None = None
) -> list[HealthChange]:
    """Keep findings; the changes that they confirm. A host is only worse than before after `down_after` bad findings in a row (per check, 1 if not named)."""
    serialise(connection, "health")
    known = _known(connection, {finding.check for finding in findings})
    changes: list[HealthChange] = []
    becoming: dict[Place, HealthState] = {}
    for finding in findings:
        place = (finding.check, finding.inventory, finding.host)
        before = becoming.get(place, known.get(place))
        becoming[place] = judged(before, finding, at=at, down_after=(down_after or {}).get(finding.check, 1))
        changes += _change(before, becoming[place])
    put(connection, health_states, [asdict(state) for state in becoming.values()])
    for change in changes:
        _observe(connection, change)
    return changes


def _known(connection: Connection, checks: set[str]) -> dict[Place, HealthState]:
    wanted = select_as(HealthState, health_states).where(health_states.c.check.in_(checks))
    return {(state.check, state.inventory, state.host): state for state in read(connection, HealthState, wanted)}


def judged(before: HealthState | None, finding: Finding, *, at: datetime, down_after: int) -> HealthState:
    """Where a host stands after one more finding: better at once, worse only when that is confirmed."""
    bad = finding.condition is not Condition.OK
    failures = (before.failures if before else 0) + 1 if bad else 0
    if before is None:
        condition = finding.condition if failures >= down_after or not bad else Condition.UNKNOWN
        since = at
    else:
        changes = finding.condition is not before.condition and (not bad or failures >= down_after)
        condition, since = (finding.condition, at) if changes else (before.condition, before.since)
    return HealthState(
        finding.check, finding.inventory, finding.host, condition, since, at, finding.summary, finding.number, failures
    )


def _change(before: HealthState | None, after: HealthState) -> list[HealthChange]:
    unsure = before is None and after.condition is Condition.UNKNOWN
    if unsure or (before is not None and before.condition is after.condition):
        return []
    known = None if before is None else before.condition
    place = (after.check, after.inventory, after.host)
    return [HealthChange(*place, known, after.condition, after.since, after.summary, after.number)]


def _observe(connection: Connection, change: HealthChange) -> None:
    value = {
        "check": change.check,
        "before": change.before,
        "condition": change.after,
        "summary": change.summary,
        "number": change.number,
    }
    observations.add(
        connection, inventory=change.inventory, host=change.host, kind=OBSERVED_AS, value=value, at=change.since
    )


def states(connection: Connection) -> list[HealthState]:
    """How every host stands on every check."""
    places = (health_states.c.check, health_states.c.inventory, health_states.c.host)
    return read(connection, HealthState, select_as(HealthState, health_states).order_by(*places))
