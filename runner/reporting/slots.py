"""Section 2: every planned occurrence, when its window was, and what became of it."""

from __future__ import annotations

from datetime import datetime, timedelta

from runner.domain.execution.run import SlotState
from runner.domain.time.duration import describe
from runner.reporting.lines import SlotLine, Status
from runner.reporting.material import Material
from runner.reporting.words import SLOTS, UNSETTLED, status
from runner.store.execution.runs import Run
from runner.store.time.slots import Slot

TOLERANCE = timedelta(seconds=1)  # instants of two clocks are compared


def slot_lines(material: Material) -> tuple[SlotLine, ...]:
    """Every slot of the period, in order of opening."""
    return tuple(slot_line(slot, material) for slot in material.rows.slots)


def slot_line(slot: Slot, material: Material) -> SlotLine:
    """One slot with the run that it became."""
    run = material.runs.get(slot.run_id or "")
    return SlotLine(
        id=slot.id,
        schedule=slot.schedule,
        window=slot.window,
        opens=material.moment(slot.opens_at),
        closes=material.moment(slot.closes_at),
        usable_seconds=seconds_between(slot.usable_from, slot.usable_until) or 0,
        run=run.number if run else None,
        run_id=slot.run_id,
        started=material.maybe(run.started_at if run else None),
        ended=material.maybe(run.ended_at if run else None),
        late_seconds=None if run is None or run.late_seconds is None else int(run.late_seconds),
        status=slot_status(slot),
        reason=slot.reason,
        outside=outside_of_slot(slot, run),
        hosts=None if slot.hosts is None else len(slot.hosts),
        notes=(*(f"cut by the change freeze {name}" for name in slot.frozen_by), *slot.notes),
    )


def slot_status(slot: Slot) -> Status:
    """The slot's outcome, or where it stands while it has none."""
    if slot.state is SlotState.SETTLED:
        return status(slot.outcome or "unknown", SLOTS)
    return status(slot.state, UNSETTLED)


def outside_of_slot(slot: Slot, run: Run | None) -> str:
    """What a slot's run did outside the usable time of its window."""
    if run is None or not run.plan.changes_something:
        return ""
    found = outside(run, opens=slot.usable_from, last_start=slot.last_start_at, ends=slot.usable_until)
    return by_override(found, run)


def outside_of_run(run: Run) -> str:
    """What a run did outside the time that its plan allowed; nothing when no window binds it."""
    plan = run.plan
    return by_override(outside(run, opens=plan.opens, last_start=plan.last_start, ends=plan.ends), run)


def by_override(found: str, run: Run) -> str:
    """Say beside it that somebody had allowed it."""
    return f"{found} (allowed by an override)" if found and run.override_id else found


def outside(run: Run, *, opens: datetime | None, last_start: datetime | None, ends: datetime | None) -> str:
    """How far a run strayed from [opens, ends) and its last start, in words; empty when it did not."""
    started, ended = run.started_at or run.created_at, run.ended_at
    said = []
    if opens and started < opens - TOLERANCE:
        said.append(f"started {describe(opens - started)} before the window")
    if last_start and started > last_start + TOLERANCE:
        said.append(f"started {describe(started - last_start)} after the latest time to start")
    if ends and ended and ended > ends + TOLERANCE:
        said.append(f"ended {describe(ended - ends)} after the window's end")
    return "; ".join(said)


def seconds_between(start: datetime | None, end: datetime | None) -> int | None:
    """Whole seconds from one instant to another, at least 0; None when one of them is not known."""
    if start is None or end is None:
        return None
    return max(0, int((end - start).total_seconds()))
