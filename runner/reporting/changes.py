"""Section 3: every run as a change record."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from runner.domain.execution.plan import RunPlan
from runner.domain.execution.run import RunState
from runner.reporting.lines import ChangeLine, Status, WaveLine
from runner.reporting.material import Material, ticket_reference
from runner.reporting.permission import approvals_of, review_of, type_of
from runner.reporting.slots import outside_of_run, seconds_between
from runner.reporting.words import CHANGE_TYPES, TRIGGERS, VERDICTS, Tone, status
from runner.store.execution.runs import Run

GOING = Status("running", "Going on now", Tone.UNKNOWN)


def change_lines(material: Material) -> tuple[ChangeLine, ...]:
    """Every run of the period, by number."""
    return tuple(change_line(run, material) for run in material.rows.runs)


def change_line(run: Run, material: Material) -> ChangeLine:
    """One run with everything that a reviewer of changes asks for."""
    plan = material.plans[run.id]
    snapshot = material.rows.snapshots.get(run.snapshot)
    return ChangeLine(
        id=run.id,
        number=run.number,
        slot=run.slot_id,
        schedule=run.schedule,
        title=run.title or run.schedule,
        type=change_type(material.rows.definitions.get(run.definition, {})),
        trigger=Status(str(run.trigger), TRIGGERS[run.trigger], Tone.NEUTRAL),
        check_mode=run.check_mode,
        requested_by=str(run.requested_by),
        approvals=approvals_of(run, material),
        review=review_of(run, material),
        playbook=plan.playbook,
        commit=snapshot.commit if snapshot else None,
        dirty=snapshot.dirty if snapshot else None,
        snapshot=run.snapshot,
        plan_digest=run.plan_digest,
        inventory=run.inventory,
        targets=plan.hosts,
        waves=waves_of(plan),
        budget=plan.budget,
        asked=material.moment(run.created_at),
        started=material.maybe(run.started_at),
        ended=material.maybe(run.ended_at),
        seconds=seconds_between(run.started_at, run.ended_at),
        status=run_status(run),
        reason=run.reason,
        record_incomplete=run.record_incomplete,
        stopped_by=str(run.stopped_by) if run.stopped_by else None,
        outside=outside_of_run(run),
        tickets=tuple(map(ticket_reference, material.tickets.get(run.id, ()))),
        overrides=overrides_of(run, material),
        versions={str(name): str(version) for name, version in sorted(run.versions.items())},
    )


def run_status(run: Run) -> Status:
    """The run's verdict, or that it is still going on."""
    return GOING if run.state is RunState.RUNNING or run.verdict is None else status(run.verdict, VERDICTS)


def waves_of(plan: RunPlan) -> tuple[WaveLine, ...]:
    """The waves that were planned."""
    return tuple(
        WaveLine(wave.name, len(wave.hosts) if wave.hosts else wave.size, wave.is_canary) for wave in plan.waves
    )


def change_type(definition: Mapping[str, Any]) -> str:
    """How the change was authorised, as its schedule says; empty when the schedule was not kept."""
    kind = type_of(definition)
    return CHANGE_TYPES.get(kind, kind)


def overrides_of(run: Run, material: Material) -> tuple[str, ...]:
    """The ids of the overrides that let the run pass a guard."""
    found = {row.id for row in material.rows.overrides if row.run_id == run.id or row.id == run.override_id}
    return tuple(sorted(found | ({run.override_id} if run.override_id else set())))
