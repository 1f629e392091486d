"""Rows for tests of commands, kept by the store's own functions."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from runner.domain.execution.guards import Hold
from runner.domain.execution.outcome import HostResult, NotRun, Result
from runner.domain.execution.plan import PlannedWave, RunPlan
from runner.domain.execution.readiness import looking_ahead
from runner.domain.execution.run import SlotState, Stage, Trigger, Verdict
from runner.domain.health import Condition, Finding
from runner.domain.record.record import run_stream
from runner.domain.tickets.cause import CauseClass, PlainWords
from runner.domain.tickets.ticket import Priority, TicketKind, WantedTicket
from runner.domain.time.window import Opening
from runner.domain.who import Actor, Owner
from runner.store import health
from runner.store.database import Store
from runner.store.execution import (
    daemons,
    debts,
    holds,
    inventories,
    locks,
    outcomes,
    overrides,
    pauses,
    pieces,
    runs,
    snapshots,
)
from runner.store.record import evidence, log
from runner.store.tickets import tickets
from runner.store.time import ledger, slots
from tests.store.making import a_run

ANA = Actor("ana")
HOSTS = ("web1", "web2", "db1")
LOOK = (
    "@@ machine\nabc\n@@ boot\nb1\n@@ system\ndebian 12\n@@ kernel\n6.1.0\n@@ uptime\n100.0\n@@ reboot\nrequired\n"
    "@@ packages\nii \tnginx\t1.22\n@@ end\n"
)
BROKEN = "E: Sub-process /usr/bin/dpkg returned an error code (1)"


def ago(**span: float) -> datetime:
    return datetime.now(UTC) - timedelta(**span)


def an_owner(pid: int = 4242) -> Owner:
    return Owner(boot_id="boot", pid_namespace="pid:[1]", pid=pid, started="1")


def a_plan(**more: object) -> RunPlan:
    values: dict[str, object] = {
        "schedule": "patch",
        "title": "Updates of all servers",
        "inventory": "production",
        "playbook": "playbooks/patch.yml",
        "hosts": HOSTS,
        "waves": (PlannedWave("canary", size=1, is_canary=True), PlannedWave("rest")),
        "concurrency": 10,
        "budget": 1,
        "services": {"web1": "the web shop"},
    }
    return RunPlan(**{**values, **more})  # type: ignore[arg-type]


def a_live_run(store: Store, *, override: str | None = None, lease: timedelta = timedelta(seconds=180)) -> str:
    """A run whose canary is done and whose rest is under way."""

    def write(connection):  # type: ignore[no-untyped-def]
        snapshots.keep(
            connection, digest="s" * 64, path="/snapshots/s", commit="c0ffee", dirty=True, at=ago(minutes=10)
        )
        new = a_run(plan=a_plan(), created_at=ago(minutes=10), requested_by=ANA)
        if override:
            guards, expires = ["window"], ago(hours=-1)
            given = {"schedule": "patch", "reason": override, "by": ANA, "guards": guards, "at": ago(minutes=10)}
            kept = overrides.add(connection, expires_at=expires, **given)
            new = a_run(plan=a_plan(), created_at=ago(minutes=10), requested_by=ANA, override_id=kept)
        run = runs.insert(connection, new)
        runs.start(connection, run, at=ago(minutes=9))
        log.append(connection, run_stream(run), [{"action": "run.claimed", "by": "ana"}], at=ago(minutes=10))
        a_finished_piece(connection, run, wave=0, hosts=("web1",))
        piece = pieces.plan(
            connection, run=run, wave=1, batch=2, stage=Stage.APPLY, step=0, attempt=1, hosts=("web2", "db1")
        )
        pieces.claim(connection, piece, owner=an_owner(), inventory="production", lease=lease)
        return run

    return store.write(write)


def a_waiting_run(store: Store) -> str:
    """A run of which nothing has begun yet."""
    return store.write(lambda c: runs.insert(c, a_run(plan=a_plan(), created_at=ago(minutes=10), requested_by=ANA)))


def a_finished_piece(connection, run: str, *, wave: int, hosts: tuple[str, ...]) -> None:  # type: ignore[no-untyped-def]
    piece = pieces.plan(connection, run=run, wave=wave, batch=1, stage=Stage.APPLY, step=0, attempt=1, hosts=hosts)
    fence = pieces.claim(connection, piece, owner=an_owner(), inventory="production", lease=timedelta(seconds=180))
    results = {host: HostResult(host, Result.CHANGED, started=ago(minutes=8), ended=ago(minutes=7)) for host in hosts}
    pieces.finish(
        connection, piece, fence=fence, results=results, problem=None, unmatched=(), complete=True, at=ago(minutes=7)
    )


def a_settled_run(store: Store) -> str:
    """A run that changed web1, broke a package on web2, and never touched db1; with a ticket, a debt and a look."""
    run = a_live_run(store)

    def write(connection):  # type: ignore[no-untyped-def]
        ended = ago(minutes=5)
        results = {
            "web1": HostResult("web1", Result.CHANGED, started=ago(minutes=8), ended=ended),
            "web2": HostResult(
                "web2", Result.FAILED, cause=str(CauseClass.PACKAGE_BROKEN), text=BROKEN, task="Upgrade", ended=ended
            ),
            "db1": HostResult("db1", Result.NOT_RUN, touched=False, reason=NotRun.BUDGET),
        }
        outcomes.save(
            connection,
            run,
            inventory="production",
            schedule="patch",
            outcomes=results,
            packages={"web1": [{"name": "nginx", "before": "1.22", "after": "1.24"}]},
            reboots={"web1": {"done": False, "needed": True}},
        )
        evidence.add_text(connection, run_id=run, piece_id=None, host="web1", kind="look:after", text=LOOK, at=ended)
        runs.settle(connection, run, verdict=Verdict.HALTED, reason="a canary failed", at=ended)
        locks.release(connection, run)
        debts.owe(connection, "production", "patch", ["web2", "db1"], run=run, at=ended)
        inventories.remember(connection, "production", (*HOSTS, "old1"), at=ended)
        tickets.open_or_touch(connection, a_wanted_ticket(), at=ended, run_id=run)

    store.write(write)
    return run


def a_look_ahead(store: Store) -> str:
    """A readiness run that found web1 fit, no room on web2, and did not reach db1."""

    def write(connection):  # type: ignore[no-untyped-def]
        plan = looking_ahead(a_plan(), (), until=None)
        new = a_run(plan=plan, created_at=ago(minutes=10), requested_by=ANA, trigger=Trigger.READINESS)
        run = runs.insert(connection, new)
        results = {
            "web1": HostResult("web1", Result.OK, touched=False),
            "web2": HostResult("web2", Result.NOT_RUN, touched=False, reason=NotRun.PRE_CHECK, cause="disk_full"),
            "db1": HostResult("db1", Result.UNREACHABLE, touched=False, cause="unreachable"),
        }
        outcomes.save(connection, run, inventory="production", schedule="patch", outcomes=results)
        runs.settle(connection, run, verdict=Verdict.DEGRADED, reason="", at=ago(minutes=5))
        return run

    return store.write(write)


def a_wanted_ticket(**more: object) -> WantedTicket:
    values: dict[str, object] = {
        "fingerprint": "f" * 32,
        "kind": TicketKind.FAILED,
        "cause": CauseClass.PACKAGE_BROKEN,
        "priority": Priority.HIGH,
        "title": "web2: an update stopped half-way",
        "inventory": "production",
        "schedule": "patch",
        "hosts": ("web2",),
        "words": PlainWords("It stopped half-way.", "It may not work.", "We stopped.", "Somebody has to mend it."),
        "owner": "ops",
        "playbook": "playbooks/patch.yml",
        "task": "Upgrade",
        "detail": BROKEN,
    }
    return WantedTicket(**{**values, **more})  # type: ignore[arg-type]


def a_held_slot(store: Store) -> None:
    """A slot that opened an hour ago and that a freeze holds."""

    def write(connection):  # type: ignore[no-untyped-def]
        opening = Opening(
            window="saturday-night",
            rule_date=date(2026, 1, 3),
            ordinal=1,
            opens=ago(hours=1),
            closes=ago(hours=-3),
            usable_from=ago(hours=1),
            usable_until=ago(hours=-3),
            last_start=ago(hours=-2),
        )
        ledger.write_ahead(connection, "patch", [opening], definition="d", now=ago(hours=2))
        slot = slots.mark_due(connection, now=datetime.now(UTC))[0]
        hold = Hold("freeze", "change freeze 'year-end': quiet please", ago(hours=-2))
        holds.keep(connection, hold, schedule="patch", at=ago(minutes=1), slot_id=slot.id)

    store.write(write)


def a_used_slot(store: Store, *, opens: datetime) -> None:
    """A slot of that opening whose work is done, and the next one a day later."""

    def write(connection):  # type: ignore[no-untyped-def]
        openings = [
            Opening(
                window="saturday-night",
                rule_date=moment.date(),
                ordinal=1,
                opens=moment,
                closes=moment + timedelta(hours=4),
                usable_from=moment,
                usable_until=moment + timedelta(hours=4),
                last_start=moment + timedelta(hours=4),
            )
            for moment in (opens, opens + timedelta(days=1))
        ]
        ledger.write_ahead(connection, "patch", openings, definition="d", now=opens - timedelta(hours=1))
        slot = slots.mark_due(connection, now=opens)[0]
        slots.settle(connection, slot.id, outcome="succeeded", reason="", was=SlotState.DUE, at=opens)

    store.write(write)


def an_ill_host(store: Store) -> None:
    found = Finding("disk", "production", "web1", Condition.CRITICAL, "disk is 95%; it fails above 92", number=95.0)
    store.write(lambda c: health.record(c, [found], at=ago(minutes=3)))


def a_pause(store: Store) -> None:
    store.write(lambda c: pauses.start(c, reason="the audit", by=ANA, at=ago(minutes=30)))


def a_daemon(store: Store, pid: int = 4242) -> None:
    store.write(lambda c: daemons.beat(c, an_owner(pid), started_at=ago(hours=5)))
