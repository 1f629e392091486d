"""A month of maintenance, kept by the store's own functions: five servers, one broken package, one server that never answers,
one frozen slot, one missed slot, and one override.
"""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import patch
from uuid import UUID
from zoneinfo import ZoneInfo

from runner.domain.execution.outcome import HostResult, NotRun, Result
from runner.domain.execution.plan import LOOK, PlannedWave, RunPlan, Step, StepKind
from runner.domain.execution.run import SlotOutcome, SlotState, Stage, Trigger, Verdict
from runner.domain.execution.schedule import Change, Schedule
from runner.domain.record.record import (
    INSTALLATION,
    Checkpoint,
    checkpoint_message,
    closing_body,
    key_id,
    piece_stream,
    run_stream,
)
from runner.domain.report import Period
from runner.domain.time.days import parse_day
from runner.domain.time.freeze import Freeze
from runner.domain.time.occurrence import openings
from runner.domain.time.period import parse_period
from runner.domain.time.window import MaintenanceWindow
from runner.domain.who import Actor, Owner
from runner.operations.tickets.reconcile_tickets import file_missed_slot, reconcile_tickets
from runner.reporting.audit import audit_report
from runner.reporting.material import Heading
from runner.reporting.values import AuditReport
from runner.store import ids, installation
from runner.store.database import Store, create
from runner.store.execution import definitions, inventories, locks, outcomes, overrides, pieces, runs, snapshots
from runner.store.execution.runs import NewRun
from runner.store.record import checkpoints, evidence, log
from runner.store.record.report_rows import of_period
from runner.store.time import cadence, slots
from runner.store.time.ledger import write_ahead
from runner.store.time.slots import Slot
from runner.store.transaction import Transaction

BERLIN = ZoneInfo("Europe/Berlin")
OCTOBER = parse_period("2026-10", today=date(2026, 11, 2), zone=BERLIN)
WRITTEN_AT = datetime(2026, 11, 2, 8, 30, tzinfo=UTC)
BEFORE = datetime(2026, 9, 20, 8, 0, tzinfo=UTC)
WEB, DB = ("web-01", "web-02", "web-03"), ("db-01", "db-02")
ANA, OPS = Actor("ana"), Actor("team-ops", "system")
COMMIT = sha256(b"commit").hexdigest()[:40]
SNAPSHOT = sha256(b"snapshot").hexdigest()
VERSIONS = {"ansible_core": "2.19.14", "python": "3.11.7", "tzdata": "2026b", "wellkept": "0.1.0"}
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGqkqEXAMPLEqkqEXAMPLEqkqEXAMPLEqkqEXAMPLEqk"
OWNER = Owner(boot_id="boot", pid_namespace="pid:[1]", pid=100, started="4711")
BROKEN = (
    "'/usr/bin/apt-get dist-upgrade' failed: dpkg: error processing package nginx-common (--configure):\n"
    " installed nginx-common package post-installation script subprocess returned error exit status 1\n"
    "E: Sub-process /usr/bin/dpkg returned an error code (1)"
)
SILENT = "Failed to connect to the host via ssh: ssh: connect to host db-02 port 22: Connection timed out"

PATCH_WEB = Schedule(
    name="patch-web",
    title="Security updates of the web servers",
    playbook="playbooks/patch.yml",
    inventory="production",
    hosts="web",
    window=MaintenanceWindow(
        "sunday-night", "Europe/Berlin", parse_day("sunday"), time(2), timedelta(hours=4), cutoff=timedelta(hours=1)
    ),
    owner="team-web",
    change=Change(owner="team-web"),
)
PATCH_DB = Schedule(
    name="patch-db",
    title="Updates of the databases",
    playbook="playbooks/patch.yml",
    inventory="production",
    hosts="db",
    window=MaintenanceWindow(
        "saturday-evening",
        "Europe/Berlin",
        parse_day("second saturday"),
        time(22),
        timedelta(hours=3),
        cutoff=timedelta(hours=1),
    ),
    owner="team-ops",
)
SALE = Freeze(
    name="autumn-sale",
    reason="the autumn sale",
    starts=datetime(2026, 10, 16, 22, tzinfo=UTC),
    ends=datetime(2026, 10, 19, 22, tzinfo=UTC),
)


@contextmanager
def counted_ids() -> Iterator[None]:
    """Ids that count up instead of being random, so that the same rows come out each time."""
    counter = itertools.count(1)
    clock = SimpleNamespace(time_ns=lambda: 1_790_000_000_000_000_000 + next(counter) * 7_919_000_000)
    with (
        patch.object(ids, "time", clock),
        patch.object(
            ids, "secrets", SimpleNamespace(randbits=lambda bits: next(counter) * 0x9E3779B97F4A7C15 % 2**bits)
        ),
        patch.object(installation, "uuid", SimpleNamespace(uuid4=lambda: UUID(int=0x0C7B2A5E4F914D3E8A1D5B6C7D8E9FA0))),
    ):
        yield


def new_store(folder: Path) -> Store:
    """An empty database of our own."""
    state_dir = folder / "var"
    url = f"sqlite:///{state_dir}/wellkept.db"
    create(url, state_dir=state_dir, now=BEFORE)
    return Store.open(url, state_dir=state_dir)


@contextmanager
def a_copy(installation_folder: Path, folder: Path) -> Iterator[Store]:
    """A copy of a database that was made before, which is quicker than making one."""
    shutil.copytree(installation_folder / "var", folder / "var")
    store = Store.open(f"sqlite:///{folder}/var/wellkept.db", state_dir=folder / "var")
    try:
        yield store
    finally:
        store.close()


def a_month(store: Store) -> None:
    """Keep everything that happened in October."""
    store.write(lambda c: inventories.remember(c, "production", (*WEB, *DB), at=BEFORE))
    store.write(
        lambda c: snapshots.keep(c, digest=SNAPSHOT, path="/var/snapshot", commit=COMMIT, dirty=False, at=BEFORE)
    )
    for schedule in (PATCH_WEB, PATCH_DB):
        body = {"owner": schedule.owner, "change": {"type": str(schedule.change.type)}}
        store.write(
            lambda c, s=schedule, b=body: definitions.keep(
                c, digest=digest(s), kind="schedule", name=s.name, body=b, at=BEFORE
            )
        )
    web = ledger(store, PATCH_WEB, [SALE])
    (db,) = ledger(store, PATCH_DB, [])
    a_run(store, PATCH_WEB, updated(*WEB), slot=web[0])
    missed(store, db)
    a_run(
        store,
        PATCH_WEB,
        stopped_at_the_second(),
        slot=web[1],
        verdict=Verdict.HALTED,
        reason="more hosts failed than the failure budget allows",
    )
    overridden(store)
    frozen(store, web[2])
    a_run(store, PATCH_WEB, updated(*WEB, version="1.22.1-9+deb12u4"), slot=web[3], late=timedelta(minutes=12))
    looked(store)


def looked(store: Store) -> None:
    """Look for updates every hour, at the disks every five minutes; two hours were missed on the 18th; the days beside the month belong to others."""
    for number in range(33):
        day = date(2026, 9, 30) + timedelta(days=number)
        missed = 2 if day == date(2026, 10, 18) else 0
        store.write(
            partial(cadence.count, schedule="look-for-updates", day=day, expected=24, run=24 - missed, missed=missed)
        )
        store.write(partial(cadence.count, schedule="health:disk", day=day, expected=288, run=288, late=1))


def ledger(store: Store, schedule: Schedule, freezes: Sequence[Freeze]) -> list[Slot]:
    """The slots of October."""
    ahead = list(openings(schedule.window, freezes, from_=OCTOBER.starts, to=OCTOBER.ends))
    store.write(lambda c: write_ahead(c, schedule.name, ahead, definition=digest(schedule), now=BEFORE))
    return store.read(lambda c: slots.between(c, OCTOBER.starts, OCTOBER.ends, [schedule.name]))


def digest(schedule: Schedule) -> str:
    return sha256(schedule.name.encode()).hexdigest()


@dataclass(frozen=True)
class Ended:
    """How a host ended, and what was found by comparing it before and after."""

    result: HostResult
    packages: tuple[tuple[str, str, str], ...] = ()
    rebooted: bool = False
    reboot_needed: bool = False
    compared: bool = True


def updated(*hosts: str, version: str = "1.22.1-9+deb12u3") -> dict[str, Ended]:
    return {
        host: Ended(HostResult(host, Result.CHANGED), packages(version), rebooted=host == hosts[0]) for host in hosts
    }


def packages(version: str) -> tuple[tuple[str, str, str], ...]:
    before = "1.22.1-9+deb12u2" if version.endswith("u3") else "1.22.1-9+deb12u3"
    names = ("libnginx-mod-http-geoip2", "nginx", "nginx-common")
    return (*tuple((name, before, version) for name in names), ("openssl", "3.0.17-1~deb12u2", "3.0.17-1~deb12u3"))


def stopped_at_the_second() -> dict[str, Ended]:
    failed = HostResult(
        "web-02",
        Result.FAILED,
        cause="package_broken",
        text=BROKEN,
        task="Install all updates",
        module="ansible.builtin.apt",
    )
    spared = HostResult("web-03", Result.NOT_RUN, touched=False, reason=NotRun.BUDGET)
    return {
        **updated("web-01"),
        "web-02": Ended(failed, (("openssl", "3.0.17-1~deb12u2", "3.0.17-1~deb12u3"),), reboot_needed=True),
        "web-03": Ended(spared, compared=False),
    }


def a_run(
    store: Store,
    schedule: Schedule,
    ends: Mapping[str, Ended],
    *,
    slot: Slot | None = None,
    at: datetime | None = None,
    verdict: Verdict = Verdict.SUCCEEDED,
    reason: str = "",
    late: timedelta | None = None,
    override_id: str | None = None,
    requested_by: Actor = OPS,
) -> str:
    """A run from its claim to its tickets and checkpoint."""
    began = (at or (slot.usable_from if slot else BEFORE)) + (late or timedelta(seconds=4))
    plan = a_plan(schedule, tuple(ends), slot)
    run = NewRun(
        trigger=Trigger.SLOT if slot else Trigger.HAND,
        schedule=schedule.name,
        title=schedule.title,
        definition=digest(schedule),
        snapshot=SNAPSHOT,
        plan=plan,
        plan_digest=sha256(f"{schedule.name} {began}".encode()).hexdigest(),
        requested_by=requested_by,
        override_id=override_id,
        late_seconds=late.total_seconds() if late else None,
        versions=VERSIONS,
        created_at=began,
    )
    claim(store, run, slot, began)
    store.write(lambda c: runs.start(c, run.id, at=began))
    ended = work(store, run, ends, began)
    store.write(lambda c: settle(c, run, slot, ends, verdict=verdict, reason=reason, at=ended))
    reconcile_tickets(store, run.id, clock=lambda: ended + timedelta(seconds=5))
    sign(store, ended + timedelta(seconds=6))
    return run.id


def a_plan(schedule: Schedule, hosts: tuple[str, ...], slot: Slot | None) -> RunPlan:
    plan = RunPlan(
        schedule=schedule.name,
        title=schedule.title,
        inventory="production",
        playbook=schedule.playbook,
        hosts=hosts,
        waves=(PlannedWave("canary", size=1, is_canary=True), PlannedWave("rest")),
        concurrency=1,
        budget=0,
        after=(LOOK, Step(StepKind.PLAYBOOK, "playbooks/health/after-patch.yml")),
        services=dict.fromkeys(hosts, "the web shop" if hosts[0] in WEB else "the bookkeeping"),
    )
    if slot is None:
        return plan
    return replace(plan, opens=slot.usable_from, last_start=slot.last_start_at, ends=slot.usable_until)


def claim(store: Store, run: NewRun, slot: Slot | None, at: datetime) -> None:
    if slot is None:
        store.write(lambda c: runs.insert(c, run))
        return
    store.write(lambda c: slots.mark_due(c, now=at))
    assert store.write(lambda c: slots.claim(c, slot.id, run)) == run.id


def work(store: Store, run: NewRun, ends: Mapping[str, Ended], began: datetime) -> datetime:
    """Each host in turn, with its evidence; when the last one was done."""
    at = began
    for batch, (host, end) in enumerate(ends.items(), start=1):
        if end.result.result is Result.NOT_RUN:
            continue
        if end.compared:
            store.write(lambda c, h=host, t=at: add_look(c, run, h, "look:before", t))
        at += timedelta(minutes=7 + 2 * batch)
        a_piece(store, run, end.result, batch=batch, stage=Stage.APPLY, at=at)
        if end.result.result.is_good:
            a_piece(store, run, HostResult(host, Result.OK), batch=batch, stage=Stage.POST_CHECK, at=at)
            passed = HostResult(host, Result.OK, text="all services run")
            a_piece(store, run, passed, batch=batch, stage=Stage.POST_CHECK, step=1, at=at)
        if end.compared:
            store.write(lambda c, h=host, t=at: add_look(c, run, h, "look:after", t))
    return at + timedelta(seconds=20)


def add_look(connection: Transaction, run: NewRun, host: str, kind: str, at: datetime) -> None:
    text = f"@@ machine\n{host}\n@@ end\n"
    evidence.add_text(connection, run_id=run.id, piece_id=None, host=host, kind=kind, text=text, at=at)


def a_piece(
    store: Store, run: NewRun, result: HostResult, *, batch: int, stage: Stage, step: int = 0, at: datetime
) -> None:
    """One piece, its log, and the hash that closes it in its run's."""
    place = {"wave": int(batch > 1), "batch": batch, "stage": stage, "step": step, "attempt": 1}
    piece = store.write(lambda c: pieces.plan(c, run=run.id, hosts=(result.host,), **place))
    fence = store.write(
        lambda c: pieces.claim(c, piece, owner=OWNER, inventory="production", lease=timedelta(minutes=3))
    )
    assert piece
    assert fence
    store.write(
        lambda c: pieces.finish(
            c, piece, fence=fence, results={result.host: result}, problem=None, unmatched=(), complete=True, at=at
        )
    )
    store.write(lambda c: close_piece(c, run, piece, result, at))


def close_piece(connection: Transaction, run: NewRun, piece: str, result: HostResult, at: datetime) -> None:
    bodies = [{"action": "host_ended", "host": result.host, "result": str(result.result)}, {"action": "piece.finished"}]
    end = log.append(connection, piece_stream(piece), bodies, at=at)
    pieces.set_closing_hash(connection, piece, end.hash)
    log.append(connection, run_stream(run.id), [closing_body("piece.closed", piece_stream(piece), end)], at=at)


def settle(
    connection: Transaction,
    run: NewRun,
    slot: Slot | None,
    ends: Mapping[str, Ended],
    *,
    verdict: Verdict,
    reason: str,
    at: datetime,
) -> None:
    minutes = {host: timedelta(minutes=7 + 2 * batch) for batch, host in enumerate(ends, start=1)}
    results = {
        host: replace(end.result, started=at - minutes[host], ended=at) if end.result.touched else end.result
        for host, end in ends.items()
    }
    outcomes.save(
        connection,
        run.id,
        inventory="production",
        schedule=run.schedule,
        outcomes=results,
        packages={
            host: [{"name": name, "before": before, "after": after} for name, before, after in end.packages]
            for host, end in ends.items()
        },
        reboots={
            host: {"done": end.rebooted, "needed": end.reboot_needed} for host, end in ends.items() if end.compared
        },
        machine_ids={host: sha256(host.encode()).hexdigest()[:32] for host in ends},
    )
    locks.release(connection, run.id)
    assert runs.settle(connection, run.id, verdict=verdict, reason=reason, at=at)
    if slot is not None:
        assert slots.settle(connection, slot.id, outcome=str(verdict), reason=reason, was=SlotState.CLAIMED, at=at)
    end = log.append(connection, run_stream(run.id), [{"action": "run.settled", "verdict": str(verdict)}], at=at)
    log.append(connection, INSTALLATION, [closing_body("run.closed", run_stream(run.id), end)], at=at)


def sign(store: Store, at: datetime) -> None:
    """A checkpoint of the installation's log; the signature itself is not looked at by reports."""
    head = store.read(lambda c: log.head(c, INSTALLATION))
    message = checkpoint_message(
        installation=store.installation.id, stream=INSTALLATION, head=head, count=head.seq, at=at, key=key_id(KEY)
    )
    kept = Checkpoint(INSTALLATION, head.seq, head.hash, head.seq, at, key_id(KEY), KEY, "signature", message.decode())
    store.write(lambda c: checkpoints.add(c, kept))


def missed(store: Store, slot: Slot) -> None:
    """The daemon was down for the whole window."""
    at, reason = slot.closes_at + timedelta(hours=9), "Wellkept was not running during the whole window"
    store.write(lambda c: slots.mark_due(c, now=at))
    store.write(lambda c: slots.keep_hosts(c, slot.id, DB))
    store.write(lambda c: slots.settle(c, slot.id, outcome=SlotOutcome.MISSED, reason=reason, was=SlotState.DUE, at=at))
    file_missed_slot(store, slot, PATCH_DB, reason=reason, clock=lambda: at, hosts=DB)


def frozen(store: Store, slot: Slot) -> None:
    at = slot.closes_at
    store.write(lambda c: slots.mark_due(c, now=at))
    store.write(lambda c: slots.keep_hosts(c, slot.id, WEB))
    store.write(
        lambda c: slots.settle(
            c,
            slot.id,
            outcome=SlotOutcome.FROZEN,
            reason="change freeze 'autumn-sale': the autumn sale",
            was=SlotState.DUE,
            at=at,
        )
    )


def overridden(store: Store) -> None:
    """Somebody makes up for the missed window on a Tuesday evening, and one of the two hosts does not answer."""
    at = datetime(2026, 10, 13, 18, 5, tzinfo=UTC)
    override = ids.new_id()
    silent = HostResult("db-02", Result.UNREACHABLE, touched=False, cause="unreachable", text=SILENT)
    ends = {"db-01": updated("db-01")["db-01"], "db-02": Ended(silent, compared=False)}
    run_id = a_run(store, PATCH_DB, ends, at=at, verdict=Verdict.DEGRADED, override_id=override, requested_by=ANA)
    store.write(
        lambda c: overrides.add(
            c,
            id=override,
            schedule="patch-db",
            reason="CVE-2026-31337 is being exploited and Saturday's window was missed",
            by=ANA,
            guards=("window",),
            at=at,
            expires_at=at + timedelta(hours=2),
            run_id=run_id,
        )
    )


def a_heading(**changes: object) -> Heading:
    heading = Heading(
        organisation="Example Ltd",
        title="Audit report of completed maintenance",
        generated_at=WRITTEN_AT,
        generated_by="ana",
        versions=VERSIONS,
        installation="0c7b2a5e-4f91-4d3e-8a1d-5b6c7d8e9fa0",
    )
    return replace(heading, **changes)  # type: ignore[arg-type]


def report_of(store: Store, period: Period = OCTOBER, **changes: object) -> AuditReport:
    rows = store.read(lambda c: of_period(c, starts=period.starts, ends=period.ends))
    return audit_report(rows, period=period, zone=BERLIN, heading=a_heading(**changes))
