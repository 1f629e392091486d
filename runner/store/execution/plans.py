"""A run's frozen plan as JSON and back, member by member, so that rows of an older version can still be read."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from runner.domain.execution.plan import LOOK, PlannedWave, RunPlan, Step, StepKind
from runner.domain.execution.schedule import RESERVE, Split
from runner.domain.record.record import instant_text
from runner.domain.time.window import AtEnd

Json = Mapping[str, Any]


def plan_to_json(plan: RunPlan) -> dict[str, object]:
    """The plan as JSON values."""
    return {
        "schedule": plan.schedule,
        "title": plan.title,
        "inventory": plan.inventory,
        "playbook": plan.playbook,
        "hosts": list(plan.hosts),
        "waves": [_wave_to_json(wave) for wave in plan.waves],
        "concurrency": plan.concurrency,
        "budget": plan.budget,
        "before": [_step_to_json(step) for step in plan.before],
        "after": [_step_to_json(step) for step in plan.after],
        "carried": list(plan.carried),
        "limit": plan.limit,
        "split": str(plan.split),
        "at_end": str(plan.at_end),
        "opens": _instant_to_json(plan.opens),
        "last_start": _instant_to_json(plan.last_start),
        "ends": _instant_to_json(plan.ends),
        "check_mode": plan.check_mode,
        "changes_something": plan.changes_something,
        "impact": plan.impact,
        "owner": plan.owner,
        "services": dict(plan.services),
        "groups": {host: list(groups) for host, groups in plan.groups.items()},
        "reboots": plan.reboots,
        "retries": plan.retries,
        "retry_after": plan.retry_after.total_seconds(),
        "rollback": [_step_to_json(step) for step in plan.rollback],
        "reserve": plan.reserve.total_seconds(),
        "readiness": plan.readiness,
        "requirements": plan.requirements,
    }


def plan_from_json(kept: Json) -> RunPlan:
    """The plan that was kept; a member that an older version did not know has its default."""
    return RunPlan(
        schedule=kept["schedule"],
        title=kept["title"],
        inventory=kept["inventory"],
        playbook=kept["playbook"],
        hosts=tuple(kept["hosts"]),
        waves=tuple(_wave_from_json(wave) for wave in kept["waves"]),
        concurrency=kept["concurrency"],
        budget=kept["budget"],
        before=_steps_from_json(kept.get("before")),
        after=_steps_from_json(kept.get("after")),
        carried=tuple(kept.get("carried", ())),
        limit=kept.get("limit"),
        split=Split(kept.get("split", Split.HOSTS)),
        at_end=AtEnd(kept.get("at_end", AtEnd.FINISH_BATCH)),
        opens=_instant_from_json(kept.get("opens")),
        last_start=_instant_from_json(kept.get("last_start")),
        ends=_instant_from_json(kept.get("ends")),
        check_mode=kept.get("check_mode", False),
        changes_something=kept.get("changes_something", True),
        impact=kept.get("impact", "medium"),
        owner=kept.get("owner"),
        services=kept.get("services", {}),
        groups={host: tuple(groups) for host, groups in kept.get("groups", {}).items()},
        reboots=kept.get("reboots", False),
        retries=kept.get("retries", 0),
        retry_after=timedelta(seconds=kept.get("retry_after", 0)),
        rollback=_steps_from_json(kept.get("rollback", [])),
        reserve=timedelta(seconds=kept.get("reserve", RESERVE.total_seconds())),
        readiness=kept.get("readiness", False),
        requirements=kept.get("requirements", ""),
    )


def _wave_to_json(wave: PlannedWave) -> dict[str, object]:
    return {
        "name": wave.name,
        "size": wave.size,
        "hosts": list(wave.hosts),
        "soak_seconds": wave.soak.total_seconds(),
        "is_canary": wave.is_canary,
        "tolerates": wave.tolerates,
    }


def _wave_from_json(kept: Json) -> PlannedWave:
    return PlannedWave(
        name=kept["name"],
        size=kept.get("size"),
        hosts=tuple(kept.get("hosts", ())),
        soak=timedelta(seconds=kept.get("soak_seconds", 0)),
        is_canary=kept.get("is_canary", False),
        tolerates=kept.get("tolerates", 0),
    )


def _step_to_json(step: Step) -> dict[str, object]:
    return {"kind": str(step.kind), "name": step.name}


def _steps_from_json(kept: list[Json] | None) -> tuple[Step, ...]:
    return (LOOK,) if kept is None else tuple(Step(StepKind(step["kind"]), step.get("name", "")) for step in kept)


def _instant_to_json(at: datetime | None) -> str | None:
    return None if at is None else instant_text(at)


def _instant_from_json(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
