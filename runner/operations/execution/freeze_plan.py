"""Freezes what a run will do: its hosts, waves, budget, steps and times, as the claim writes them down."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from runner.domain.execution.apart import groups_of
from runner.domain.execution.plan import HEALTH_PREFIX, LOOK, PlannedWave, RunPlan, Step, StepKind, rollback_steps
from runner.domain.execution.requirements import Installed
from runner.domain.execution.schedule import Effect, Schedule
from runner.domain.execution.waves import budget_of, planned_waves
from runner.domain.settings import Service
from runner.domain.time.freeze import Freeze
from runner.domain.time.window import Opening
from runner.operations.execution.match_hosts import matching
from runner.operations.site import Site
from runner.ports import InventoryAnswer
from runner.store.execution import debts
from runner.store.record import observations

IMPACTS = ("low", "medium", "high")


@dataclass(frozen=True, slots=True)
class Ground:
    """What a plan stands on: the schedule, its hosts and the services that they are for, when it may run, and what is installed for it."""

    schedule: Schedule
    answer: InventoryAnswer
    hosts: tuple[str, ...]
    services: tuple[Service, ...]
    freezes: tuple[Freeze, ...]
    opening: Opening | None
    following: Opening | None
    installed: Installed | None


def frozen_plan(ground: Ground, *, site: Site, check_mode: bool) -> RunPlan:
    """Freeze what the run will do; read-only work and check mode have no end of window."""
    schedule, hosts = ground.schedule, ground.hosts
    changes = schedule.changes_something and not check_mode
    opens, last_start, ends = times_of(ground) if changes else (None, None, None)
    return RunPlan(
        schedule=schedule.name,
        title=schedule.title,
        inventory=schedule.inventory,
        playbook=schedule.playbook,
        hosts=hosts,
        waves=waves_of(ground, site=site),
        concurrency=schedule.concurrency,
        budget=budget_of(schedule.failure_budget, len(hosts)),
        before=(LOOK, *(step_from(text) for text in schedule.before)),
        after=(LOOK, *(step_from(text) for text in schedule.after)),
        carried=tuple(debt.host for debt in debts_of(schedule, site) if debt.host in hosts and debt.reorders),
        split=schedule.split,
        at_end=schedule.window.at_end,
        opens=opens,
        last_start=last_start,
        ends=ends,
        check_mode=check_mode,
        changes_something=changes,
        impact=max((service.impact for service in ground.services), key=IMPACTS.index, default="medium"),
        owner=schedule.owner,
        services=titles_of(ground),
        groups=groups_of(schedule.apart, hosts, ground.answer.hosts),
        reboots=schedule.effect is Effect.REBOOT and not check_mode,
        retries=schedule.on_failure.transient,
        retry_after=schedule.on_failure.after,
        rollback=rollback_of(schedule, check_mode=check_mode),
        reserve=schedule.reserve,
        requirements=ground.installed.digest if ground.installed else "",
    )


def times_of(ground: Ground) -> tuple[datetime | None, datetime | None, datetime | None]:
    """When work that changes something may begin, begin last, and must end; a window that is always open has no end but that of a freeze."""
    opening = ground.opening
    if opening is None:
        return None, None, None
    if ground.schedule.window.is_always and not opening.frozen_by:
        return opening.usable_from, None, None
    return opening.usable_from, opening.last_start, opening.usable_until


def waves_of(ground: Ground, *, site: Site) -> tuple[PlannedWave, ...]:
    """The waves, with the hosts that they name; the host that runs us is the last."""
    schedule, answer, hosts = ground.schedule, ground.answer, ground.hosts
    named = [
        tuple(host for host in matching(wave.hosts, answer) if host in hosts) if wave.hosts else ()
        for wave in schedule.waves
    ]
    itself = itself_among(hosts, answer, schedule, site)
    return planned_waves(schedule.waves, hosts=hosts, named=named, itself=itself, split=schedule.split)


def titles_of(ground: Ground) -> dict[str, str]:
    """The title of the service that each host is for."""
    return {
        host: service.title
        for service in ground.services
        for host in matching(service.hosts, ground.answer)
        if host in ground.hosts
    }


def rollback_of(schedule: Schedule, *, check_mode: bool) -> tuple[Step, ...]:
    """How hosts that failed are rolled back; in check mode nothing was changed that could be."""
    playbook = schedule.on_failure.rollback
    return rollback_steps(playbook) if playbook and not check_mode else ()


def step_from(text: str) -> Step:
    """A step of `before:` or `after:`: a playbook, or `health:NAME`."""
    if text.startswith(HEALTH_PREFIX):
        return Step(StepKind.HEALTH, text.removeprefix(HEALTH_PREFIX))
    return Step(StepKind.PLAYBOOK, text)


def debts_of(schedule: Schedule, site: Site) -> list[debts.Debt]:
    """The hosts that owe this schedule a run."""
    return site.store.read(lambda c: debts.of_schedule(c, schedule.inventory, schedule.name))


def itself_among(hosts: Sequence[str], answer: InventoryAnswer, schedule: Schedule, site: Site) -> str | None:
    """The host that runs Wellkept, by its local connection or by the machine-id that was last seen there."""
    local = next((host for host in hosts if answer.hosts[host].get("ansible_connection") == "local"), None)
    if local:
        return local
    ours = machine_id()
    seen = site.store.read(lambda c: observations.machine_ids(c, schedule.inventory))
    return next((host for host in hosts if ours and seen.get(host) == ours), None)


def machine_id() -> str:
    """The id of the machine we run on (machine-id(5)), or nothing where there is none."""
    try:
        return Path("/etc/machine-id").read_text(encoding="ascii").strip()
    except OSError:
        return ""
