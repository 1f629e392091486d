"""What keeps a run that is going from drawing further hosts for now: an alert outside, or a disk that is nearly full."""

from __future__ import annotations

from runner.domain.execution.guards import ALERTS, Hold, hold_for_record
from runner.operations.execution.ask_guards import ask_alerts
from runner.operations.execution.ask_inventory import ASK_AGAIN
from runner.operations.execution.load_record import guards_passed
from runner.operations.site import Site
from runner.store.execution import holds, runs


def gate_of(run: runs.Run, *, site: Site) -> Hold | None:
    """The first no to drawing hosts now."""
    return hold_for_record(site.free_bytes()) or alerts_for(run, site=site)


def alerts_for(run: runs.Run, *, site: Site) -> Hold | None:
    """What alerts say, by the definitions in force now; what was passed by an override stays passed."""
    definitions = site.current()
    schedule = definitions.schedules.get(run.schedule)
    if schedule is None or not schedule.hold_on or ALERTS in guards_passed(run, site=site):
        return None
    if lately := held_lately(run, ALERTS, site=site):
        return lately
    answer = site.snapshotted.answer(run.snapshot, run.inventory)
    return ask_alerts(schedule, run.plan, answer, definitions=definitions, site=site)


def held_lately(run: runs.Run, guard: str, *, site: Site) -> Hold | None:
    """What this guard said a moment ago: a run takes its next step every second, and nobody outside is asked as often."""
    kept = site.store.read(lambda c: holds.of_run(c, run.schedule, run.id))
    last = max((each for each in kept if each.guard == guard), key=lambda each: each.last_seen, default=None)
    return Hold(last.guard, last.reason, last.until) if last and site.clock() - last.last_seen < ASK_AGAIN else None
