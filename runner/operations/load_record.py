"""Loads a run's rows, and what else bears on its next step, into the value that the rules decide on."""

from __future__ import annotations

from datetime import datetime, timedelta

from runner.domain import host_pattern
from runner.domain.run import Interruption, RunRecord
from runner.operations.plan_occurrence import binding_freezes, services_of
from runner.operations.site import Site
from runner.store import outcomes, pauses, runs

RESERVE = timedelta(minutes=5)  # how long a host is expected to take while it has no history


def load_record(run_id: str, *, site: Site) -> RunRecord:
    """The run as its rows tell it now, with the interruption that the clock, the freezes and the pauses make."""
    now = site.clock()
    run = site.store.read(lambda c: runs.get(c, run_id))
    estimates = site.store.read(lambda c: outcomes.durations(c, run.schedule, run.plan.inventory, run.plan.hosts))
    interruption = interruption_of(run, site=site, now=now)
    return site.store.read(
        lambda c: runs.record(
            c, run_id, interruption=interruption, vanished=frozenset(), estimates=estimates, reserve=RESERVE
        )
    )


def interruption_of(run: runs.Run, *, site: Site, now: datetime) -> Interruption | None:
    """Why a person, a freeze or a pause wants this run to stop; an override lets it through freeze and pause."""
    if run.stop_request:
        return Interruption.CANCELLED
    if not run.plan.changes_something or run.override_id:
        return None
    if is_paused(run, site=site, now=now):
        return Interruption.PAUSED
    return Interruption.FROZEN if is_frozen(run, site=site, now=now) else None


def is_paused(run: runs.Run, *, site: Site, now: datetime) -> bool:
    """Whether everything, or every host of this run, is paused."""
    for pause in site.store.read(lambda c: pauses.active(c, now)):
        if not pause.hosts:
            return True
        answer = site.snapshotted.answer(run.snapshot, run.plan.inventory)
        if set(run.plan.hosts) <= set(host_pattern.match(pause.hosts, hosts=tuple(answer.hosts), groups=answer.groups)):
            return True
    return False


def is_frozen(run: runs.Run, *, site: Site, now: datetime) -> bool:
    """Whether a freeze of the definitions in force now covers this moment, also one that came while the run was going."""
    definitions = site.current()
    schedule = definitions.schedules.get(run.schedule)
    if schedule is None:
        return False
    answer = site.snapshotted.answer(run.snapshot, run.plan.inventory)
    return any(
        freeze.covers(now)
        for freeze in binding_freezes(schedule, definitions, services_of(run.plan.hosts, definitions, answer))
    )
