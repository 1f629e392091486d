"""Values for tests of the store, each with what the test does not care about filled in."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from runner.domain.execution.approval import Approval
from runner.domain.execution.outcome import HostResult, Result
from runner.domain.execution.plan import PlannedWave, RunPlan
from runner.domain.execution.run import Stage, Trigger
from runner.domain.time.window import Opening
from runner.domain.who import Actor, Owner
from runner.store.database import Store
from runner.store.execution import pieces, runs
from runner.store.execution.runs import NewRun

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
LEASE = timedelta(seconds=180)
ANA = Actor("ana")
BOB = Actor("bob")
HOSTS = ("web1", "web2", "web3")


def an_owner(pid: int = 100) -> Owner:
    return Owner(boot_id="boot-1", pid_namespace="pid:[1]", pid=pid, started="4711")


def an_opening(day: int = 10, *, month: int = 3, ordinal: int = 0, hour: int = 22, **more: Any) -> Opening:
    opens = datetime(2026, month, day, hour, tzinfo=UTC)
    closes = opens + timedelta(hours=4)
    values = {
        "window": "night",
        "rule_date": date(2026, month, day),
        "ordinal": ordinal,
        "opens": opens,
        "closes": closes,
        "usable_from": opens,
        "usable_until": closes,
        "last_start": closes - timedelta(minutes=30),
    }
    return Opening(**{**values, **more})


def a_plan(hosts: tuple[str, ...] = HOSTS, **more: Any) -> RunPlan:
    values = {
        "schedule": "patch-web",
        "title": "Patch the web servers",
        "inventory": "production",
        "playbook": "patch.yml",
        "hosts": hosts,
        "waves": (PlannedWave("canary", size=1, is_canary=True), PlannedWave("rest")),
        "concurrency": 2,
        "budget": 1,
    }
    return RunPlan(**{**values, **more})


def a_run(**more: Any) -> NewRun:
    plan = more.pop("plan", None) or a_plan()
    values = {
        "trigger": Trigger.HAND,
        "schedule": plan.schedule,
        "title": plan.title,
        "definition": "d" * 64,
        "snapshot": "s" * 64,
        "plan": plan,
        "plan_digest": "p" * 64,
        "requested_by": ANA,
        "created_at": NOON,
        "versions": {"wellkept": "0.1"},
    }
    return NewRun(**{**values, **more})


def a_kept_run(store: Store, **more: Any) -> str:
    return store.write(lambda c: runs.insert(c, a_run(**more)))


def a_planned_piece(store: Store, run: str, **more: Any) -> str:
    values = {"wave": 1, "batch": 1, "stage": Stage.APPLY, "step": 0, "attempt": 1, "hosts": ("web1", "web2")}
    piece = store.write(lambda c: pieces.plan(c, run=run, **{**values, **more}))
    assert piece is not None
    return piece


def a_claimed_piece(
    store: Store, run: str, *, lease: timedelta = LEASE, pid: int = 100, **more: Any
) -> tuple[str, int]:
    piece = a_planned_piece(store, run, **more)
    fence = store.write(lambda c: pieces.claim(c, piece, owner=an_owner(pid), inventory="production", lease=lease))
    assert fence is not None
    return piece, fence


def a_result(host: str = "web1", result: Result = Result.OK, **more: Any) -> HostResult:
    return HostResult(host=host, result=result, **more)


def an_approval(name: str, at_hour: int = 0, **more: Any) -> Approval:
    """An approval by bob, of what ana asked for."""
    content = {"rule_date": None, "schedule": {}, "files": {"a.yml": "1"}}
    given = {"id": name, "schedule": "patch-web", "slot_id": "s1", "digest": "d1", "content": content}
    told = {"hosts": ("web1", "web2"), "requester": "ana", "by": BOB, "expires_at": None, "message": '{"ö":1}'}
    signed = {"at": NOON + timedelta(hours=at_hour), "signature": "sig", "public_key": "key"}
    return Approval(**given | told | signed | more)
