"""Section 4, first part: where every host in scope stands at the end of the period."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from runner.domain.execution.outcome import NotRun, Result
from runner.reporting.lines import Standing, Status
from runner.reporting.material import HostName, Material, grouped
from runner.reporting.words import STANDINGS, status
from runner.store.execution.runs import Run
from runner.store.record.period_rows import OutcomeRow

REACHED = {Result.OK, Result.CHANGED, Result.FAILED, Result.IN_DOUBT}


@dataclass(frozen=True, slots=True)
class Ended:
    """How one host ended in one run."""

    run: Run
    row: OutcomeRow
    changes_something: bool


def standings(material: Material) -> tuple[Standing, ...]:
    """Every host in scope, by inventory and name."""
    ends = ends_by_host(material)
    return tuple(standing(name, ends.get(name, ()), material) for name in hosts_in_scope(material))


def hosts_in_scope(material: Material) -> tuple[HostName, ...]:
    """The hosts of the last good answer of each inventory, and all that a run of the period planned, less those that were retired by its end."""
    rows = material.rows
    listed = {(seen.inventory, host) for seen in rows.inventories for host in seen.hosts}
    planned = {(run.inventory, host) for run in rows.runs for host in material.plans[run.id].hosts}
    retired = {(row.inventory, row.host) for row in rows.retired if row.at < material.period.ends}
    found = (listed | planned) - retired
    return tuple(sorted(found if material.scope.hosts is None else found & material.scope.hosts))


def ends_by_host(material: Material) -> Mapping[HostName, tuple[Ended, ...]]:
    """How each host ended in each run of the period, by run number."""
    pairs = ((run, row) for run in material.rows.runs for row in material.outcomes.get(run.id, ()))
    return grouped(
        ((row.inventory, row.host), Ended(run, row, material.plans[run.id].changes_something and not run.check_mode))
        for run, row in pairs
    )


def standing(name: HostName, ends: Sequence[Ended], material: Material) -> Standing:
    """Where one host stands."""
    good = [end.row.ended_at or end.run.ended_at for end in ends if end.changes_something and end.row.result.is_good]
    return Standing(
        inventory=name[0],
        host=name[1],
        status=standing_status(ends),
        runs=tuple(end.run.number for end in ends),
        last_good=material.maybe(max(filter(None, good), default=None)),
    )


def standing_status(ends: Sequence[Ended]) -> Status:
    """All, part or none of a host's work was done, by the last run of each of its schedules that was to change something.

    A host that was not reached, or on which nothing was tried, is never counted as done.
    """
    last = {end.run.schedule: end.row for end in ends if end.changes_something}.values()
    good = [row for row in last if row.result.is_good]
    if not last:
        code = "not_reached" if ends and not was_reached(ends) else "never_seen"
    elif good:
        code = "done" if len(good) == len(last) else "partly"
    else:
        code = "not_done" if was_reached(ends) else "not_reached"
    return status(code, STANDINGS)


def was_reached(ends: Iterable[Ended]) -> bool:
    """Whether we could talk to the host in any run of the period."""
    return any(end.row.result in REACHED or end.row.reason is NotRun.PRE_CHECK for end in ends)
