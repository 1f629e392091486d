"""Loads a run's rows, and what else bears on its next step, into the value that the rules decide on."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from runner.domain.execution.guards import FREEZE, PAUSE, Pause, stops_all
from runner.domain.execution.run import Interruption, RunRecord, Stage
from runner.operations.execution.match_hosts import matching, services_of
from runner.operations.execution.read_pauses import pauses_at
from runner.operations.site import Site
from runner.operations.time.bind_freezes import binding_freezes
from runner.store.execution import inventories, outcomes, overrides, pieces, places, runs


def load_record(run_id: str, *, site: Site) -> RunRecord:
    """The run as its rows tell it now, with the interruption that the clock, the freezes and the pauses make."""
    now = site.clock()
    run = site.store.read(lambda c: runs.get(c, run_id))
    plan = run.plan
    estimates = site.store.read(
        lambda c: outcomes.durations(c, run.schedule, plan.inventory, plan.hosts, playbook=plan.playbook)
    )
    passed = guards_passed(run, site=site)
    paused = frozenset[str]() if PAUSE in passed else paused_hosts(run, site=site, now=now)
    frozen = FREEZE not in passed and is_frozen(run, site=site, now=now)
    interruption = interruption_of(run, paused=paused, frozen=frozen)
    vanished = vanished_hosts(run, site=site)
    record = site.store.read(lambda c: runs.record(c, run_id, vanished=vanished, estimates=estimates))
    passed_over = frozenset[str]() if interruption is Interruption.PAUSED else paused
    ended_now = run.stop_request == runs.StopRequest.CANCEL
    left = places_left(run, site=site)
    return replace(record, paused=passed_over, interruption=interruption, ended_now=ended_now, places=left)


def most_at_once(run: runs.Run, *, site: Site) -> int | None:
    """How many hosts all runs together may have in hand, by the definitions in force now; None when this run is not bound by it."""
    return site.current().settings.boundaries.max_concurrent_hosts if run.plan.changes_something else None


def places_left(run: runs.Run, *, site: Site) -> int | None:
    """How many hosts this run may draw while others are at work."""
    most = most_at_once(run, site=site)
    return None if most is None else max(0, most - site.store.read(lambda c: places.taken(c, besides=run.id)))


def vanished_hosts(run: runs.Run, *, site: Site) -> frozenset[str]:
    """The hosts of this run that the last good answer of its inventory, whoever asked for it, does not name any more."""
    present = site.store.read(lambda c: inventories.last_good(c, run.inventory))
    return frozenset(run.plan.hosts).difference(present) if present else frozenset()


def guards_passed(run: runs.Run, *, site: Site) -> tuple[str, ...]:
    """The guards that a person's override lets this run pass; a freeze or pause that it does not name still stops it."""
    override_id = run.override_id
    kept = site.store.read(lambda c: overrides.get(c, override_id)) if override_id else None
    return kept.guards if kept else ()


def interruption_of(run: runs.Run, *, paused: frozenset[str], frozen: bool) -> Interruption | None:
    """Why a person, a pause or a freeze wants this run to stop."""
    if run.stop_request:
        return Interruption.CANCELLED
    if paused and stops_all(run.plan, paused):
        return Interruption.PAUSED
    return Interruption.FROZEN if frozen else None


def paused_hosts(run: runs.Run, *, site: Site, now: datetime) -> frozenset[str]:
    """The hosts of this run that a person has paused; none when it changes nothing."""
    if not run.plan.changes_something:
        return frozenset()
    found: set[str] = set()
    for pause in pauses_at(now, site=site):
        found.update(hosts_of(pause, run, site=site))
    return frozenset(found)


def hosts_of(pause: Pause, run: runs.Run, *, site: Site) -> frozenset[str]:
    """The hosts of this run that a pause names."""
    if not pause.hosts:
        return frozenset(run.plan.hosts)
    named = matching(pause.hosts, site.snapshotted.answer(run.snapshot, run.plan.inventory))
    return frozenset(named).intersection(run.plan.hosts)


def pause_that_ends(piece: pieces.Piece, run: runs.Run, *, site: Site) -> Pause | None:
    """The pause that wants what is going on at a host of this piece to end now.

    Checks are let finish: those after a playbook are owed to hosts that were touched, and a host in doubt stays so until a look at it has ended.
    """
    if piece.stage is not Stage.APPLY or not run.plan.changes_something or PAUSE in guards_passed(run, site=site):
        return None
    at_once = [pause for pause in pauses_at(site.clock(), site=site) if pause.stops_at_once]
    return next((pause for pause in at_once if not hosts_of(pause, run, site=site).isdisjoint(piece.hosts)), None)


def is_frozen(run: runs.Run, *, site: Site, now: datetime) -> bool:
    """Whether a freeze of the definitions in force now covers this moment, also one that came while the run was going."""
    definitions = site.current()
    schedule = definitions.schedules.get(run.schedule)
    if schedule is None:
        return False
    answer = site.snapshotted.answer(run.snapshot, run.plan.inventory)
    services = services_of(run.plan.hosts, definitions, answer)
    binding = binding_freezes(schedule, definitions, services, check_mode=run.plan.only_looks)
    return any(freeze.covers(now) for freeze in binding)
