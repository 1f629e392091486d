"""A maintenance repository at work for tests: real files, a real database, real snapshots, and a scripted Ansible behind the port."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from runner.adapters.dispatch.inline import Inline
from runner.adapters.processes import is_gone, this_process
from runner.adapters.seals import AgentSeals
from runner.adapters.snapshots import FileSnapshots
from runner.config import read
from runner.domain.execution.alerts import Alert
from runner.domain.execution.guards import LEAST_FREE
from runner.domain.execution.next_step import Wait
from runner.domain.execution.outcome import Event, EventKind
from runner.domain.execution.own_ansible import AnsibleSettings
from runner.domain.health import Answer, Check
from runner.domain.settings import Alertmanager, Inventory
from runner.domain.who import Actor
from runner.errors import Unknown
from runner.operations.execution.advance_run import advance_run
from runner.operations.execution.carry_out import carry_out, drive_run
from runner.operations.site import Site, Snapshotted
from runner.operations.time.keep_ledger import Kept
from runner.operations.time.once_schedules import WithOnce
from runner.operations.time.reload import InForce
from runner.operations.time.tick import tick
from runner.ports import InventoryAnswer, Monotonic, PieceEnd, PieceOrder, Strays
from runner.store.database import Store, create
from tests.operations.shelf import Shelf

SATURDAY_NIGHT = datetime(2026, 3, 21, 22, 30, tzinfo=UTC)
LOOK = Path("/built-in/look.yml")
HOSTS = ("web-01", "web-02", "web-03", "db-01", "db-02")

SETTINGS = """\
format: 1
organisation: Example Ltd
database: sqlite:///var/wellkept.db
state_dir: var
defaults: {inventory: production, owner: ops, timezone: UTC}
inventories:
  production: {source: hosts.ini, min_hosts: 3, max_drop: 20%}
teams: {ops: {members: []}}
"""
WINDOWS = """\
windows:
  saturday-night: {day: saturday, start: "22:00", until: "04:00", cutoff: 45m}
"""
SCHEDULE = """\
schedule: patch
title: Updates of all servers
why: Closes known holes.
playbook: playbooks/patch.yml
hosts: all
window: saturday-night
"""
PLAYBOOK = "- {name: Patch, hosts: all, tasks: [{name: Upgrade, ansible.builtin.apt: {upgrade: dist}}]}\n"


@dataclass
class Time:
    """A clock that stands still until it is moved."""

    now: datetime = SATURDAY_NIGHT
    seconds: float = 0.0
    tick: float = 0.01  # how far the monotonic clock goes at each look

    def __call__(self) -> datetime:
        return self.now

    def monotonic(self) -> float:
        self.seconds += self.tick
        return self.seconds

    def pass_by(self, span: timedelta) -> None:
        self.now += span


Fate = str  # ok | changed | failed | locked (a package lock) | unreachable | lost (nothing is heard) | absent (no play names it)
Script = Callable[[PieceOrder, str], Fate]


def all_well(order: PieceOrder, host: str) -> Fate:
    return "ok" if order.playbook == LOOK else "changed"


@dataclass
class Ansible:
    """Stands for Ansible: answers each host of each piece as the script says, and keeps every order."""

    script: Script = all_well
    look_playbook: Path = LOOK
    orders: list[PieceOrder] = field(default_factory=list)
    finished: list[str] = field(default_factory=list)
    strays: Strays = field(default_factory=lambda: Strays(0))
    spooled: dict[str, list[Event]] = field(default_factory=dict)
    before_start: Callable[[PieceOrder], None] = lambda order: None
    problem: str = ""
    cannot_run: Callable[[PieceOrder], bool] = lambda order: order.playbook != LOOK  # which calls have that problem
    live_at_sweep: frozenset[tuple[str, int]] | None = None  # what was live when strays were last looked for
    pieces: list[ScriptedPiece] = field(default_factory=list)
    rounds: int = 0  # how often a piece is asked for events before it has any
    while_running: Callable[[ScriptedPiece], None] = lambda piece: None
    version: str | None = "2.19.0"  # None where the user says something about pipelining
    missing: str = ""  # what is wrong with the image that it lives in
    how: str = ""  # how pieces end, if not by themselves
    unmatched: Callable[[PieceOrder], tuple[str, ...]] = lambda order: ()

    def in_the_way(self, ansible: AnsibleSettings) -> str:
        return self.missing if ansible.image else ""

    def pipelining_by(self, *, project: Path, playbook: Path | None, ansible: AnsibleSettings) -> str | None:
        return self.version

    def start(self, order: PieceOrder) -> ScriptedPiece:
        self.before_start(order)
        self.orders.append(order)
        self.pieces.append(ScriptedPiece(order, self))
        return self.pieces[-1]

    def drain(self, folder: Path, *, offset: int) -> Iterator[Event]:
        return (event for event in self.spooled.get(folder.name, []) if event.offset > offset)

    def end_strays(self, *, live: Callable[[], Collection[tuple[str, int]]]) -> Strays:
        self.live_at_sweep = frozenset(live())
        return self.strays

    def finish_run(self, run: str, control_path: Path) -> bool:
        self.finished.append(run)
        return True

    def played(self) -> list[tuple[str, ...]]:
        """The hosts of each call of the schedule's own playbook."""
        return [order.limit or () for order in self.orders if order.playbook.name == "patch.yml"]


@dataclass
class ScriptedPiece:
    """One scripted call of Ansible."""

    order: PieceOrder
    ansible: Ansible
    cancelled: bool = False
    softly: bool = False
    fed: int = 0
    told: bool = False
    asked: int = 0

    def events(self, *, wait: float) -> Sequence[Event]:
        self.asked += 1
        self.ansible.while_running(self)
        if self.told or (self.asked <= self.ansible.rounds and not self.cancelled):
            return []
        self.told = True
        return events_of(self.order, self.ansible)

    def feed(self, seconds: float) -> None:
        self.fed += 1

    def stop_softly(self) -> None:
        self.softly = True

    def cancel(self) -> None:
        self.cancelled = True

    def end(self) -> PieceEnd | None:
        if not self.told:
            return None
        heard = not any(self.ansible.script(self.order, host) == "lost" for host in self.order.limit or HOSTS)
        how = "cancelled" if self.cancelled else self.ansible.how or "finished"
        return PieceEnd(how, gone=True, complete=heard)


def events_of(order: PieceOrder, ansible: Ansible) -> list[Event]:
    """What Ansible would tell of one call."""
    fates = {host: ansible.script(order, host) for host in order.limit or HOSTS}
    if ansible.problem and ansible.cannot_run(order):
        return numbered([Event(0, 0, EventKind.NOTE, SATURDAY_NIGHT, text=ansible.problem), ended("failed")])
    told = [Event(0, 0, EventKind.NO_HOSTS, SATURDAY_NIGHT, play=play) for play in ansible.unmatched(order)]
    told += [event_of(order, host, fate) for host, fate in fates.items() if fate not in {"lost", "absent"}]
    if "lost" in fates.values():
        return numbered(told)
    stats = {host: recap(fate) for host, fate in fates.items() if fate != "absent"}
    return numbered([*told, Event(0, 0, EventKind.STATS, SATURDAY_NIGHT, stats=stats), ended("successful")])


def ended(status: str) -> Event:
    return Event(0, 0, EventKind.END, SATURDAY_NIGHT, status=status, exit_code=0 if status == "successful" else 1)


def event_of(order: PieceOrder, host: str, fate: Fate) -> Event:
    kinds = {
        "failed": EventKind.HOST_FAILED,
        "locked": EventKind.HOST_FAILED,
        "unreachable": EventKind.HOST_UNREACHABLE,
    }
    texts = {
        "failed": "dpkg: error processing package nginx (--configure)",
        "locked": "Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 4711 (apt-get)",
        "unreachable": "Connection timed out",
    }
    text = texts.get(fate, "")
    output = look_text(order, host) if order.playbook == LOOK and fate == "ok" else ""
    return Event(
        0, 0, kinds.get(fate, EventKind.HOST_OK), SATURDAY_NIGHT, host=host, task="Upgrade", module="ansible.builtin.apt",
        changed=fate == "changed", text=text, output=output,
    )  # fmt: skip


def recap(fate: Fate) -> Mapping[str, int]:
    return {
        "ok": 1,
        "changed": int(fate == "changed"),
        "failures": int(fate in {"failed", "locked"}),
        "unreachable": int(fate == "unreachable"),
    }


def numbered(events: Sequence[Event]) -> list[Event]:
    return [replace(event, number=number, offset=number * 100) for number, event in enumerate(events, 1)]


def look_text(order: PieceOrder, host: str) -> str:
    """A look before shows nginx 1.0, a look after shows 1.1: what changed is told by comparison."""
    return f"@@ machine\nid-of-{host}\n@@ boot\nboot-1\n@@ packages\nii \tnginx\t1.0\n@@ end\n"


@dataclass
class StaticInventory:
    """An inventory that says what the test wants."""

    hosts: tuple[str, ...] = HOSTS
    errors: tuple[str, ...] = ()
    variables: Mapping[str, Mapping[str, object]] = field(default_factory=dict)

    def may_change(self, inventory: Inventory, *, project: Path) -> bool:
        return False

    def read(self, inventory: Inventory, *, project: Path) -> InventoryAnswer:
        web = tuple(host for host in self.hosts if host.startswith("web"))
        groups = {"all": self.hosts, "web": web, "db": tuple(host for host in self.hosts if host not in web)}
        asked = {
            host: {
                name: value
                for name, value in self.variables.get(host, {}).items()
                if name in inventory.variables or name.startswith("ansible_")
            }
            for host in self.hosts
        }
        return InventoryAnswer(asked, groups, self.errors)


class NoProbe:
    """No test here asks a health check unless it brings its own probe."""

    def ask(self, check: Check, hosts: Mapping[str, Mapping[str, object]]) -> Iterator[Answer]:
        yield from (Answer(check.name, host, reached=True, exit_code=0) for host in hosts)


@dataclass
class Alerts:
    """Stands for the monitoring outside: tells what the test wants, or that it cannot be asked."""

    firing_now: tuple[Alert, ...] = ()
    problem: str = ""
    asked: int = 0

    def firing(self, source: Alertmanager) -> Sequence[Alert]:
        self.asked += 1
        if self.problem:
            raise Unknown(self.problem)
        return self.firing_now


class NoKey:
    """Signs nothing: checkpoints have tests of their own."""

    def sign(self, message: bytes) -> str:
        return "signature"

    def public_key(self) -> str:
        return "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDoBZVvgsjWvUqdYNHGwxUXdf2EpSaWlQLp8uV6P6VhM"


@dataclass
class Bench:
    """A site with everything that a test may want to turn."""

    site: Site
    time: Time
    ansible: Ansible
    inventory: StaticInventory
    dispatcher: Inline
    stopping: threading.Event
    kept: Kept = field(default_factory=Kept)

    def but(self, **changes: object) -> Bench:
        """The same files, record, clock and hosts, with something else about the site, such as another process that owns it."""
        site = replace(self.site, **changes)  # type: ignore[arg-type]
        return bench_of(site, self.time, self.ansible, self.inventory)

    def settle(self) -> None:
        """Wait until nothing is in flight."""
        while self.dispatcher.busy():
            self.dispatcher.wait_for_change(wait=0.05)

    def tick(self) -> None:
        """One beat of the metronome, and whatever it began."""
        tick(site=self.site, dispatcher=self.dispatcher, started=self.time.now, kept=self.kept)
        self.settle()

    def play_out(self, run_id: str) -> None:
        """Execute a run to its end; where it waits, the clock goes on."""
        for _ in range(200):
            self.settle()
            step = advance_run(run_id, site=self.site, dispatcher=self.dispatcher)
            if step is None:
                return
            if isinstance(step, Wait):
                assert step.until, "it waits for a piece that nobody does here"
                self.time.now = step.until
        raise AssertionError("the run never ended")

    def drive(self, run_id: str) -> None:
        """Execute a run to its end."""
        drive_run(run_id, site=self.site, dispatcher=self.dispatcher, stopping=self.stopping)
        while self.dispatcher.busy():
            self.dispatcher.wait_for_change(wait=1)


def files_in(root: Path, **changes: str) -> None:
    """Write a small maintenance repository; `schedule`, `windows` and `settings` replace the default texts, and a path adds a file."""
    for folder in ("schedules", "playbooks"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    (root / "wellkept.yml").write_text(changes.get("settings", SETTINGS))
    (root / "hosts.ini").write_text("\n".join(HOSTS) + "\n")
    (root / "schedules" / "windows.yml").write_text(changes.get("windows", WINDOWS))
    for extra in ("ready", "rollback"):
        if extra in changes:
            (root / "playbooks" / f"{extra}.yml").write_text(changes[extra])
    if "health" in changes:
        (root / "schedules" / "health.yml").write_text(changes["health"])
    (root / "schedules" / "patch.yml").write_text(changes.get("schedule", SCHEDULE))
    (root / "playbooks" / "patch.yml").write_text(changes.get("playbook", PLAYBOOK))
    for path in (name for name in changes if "/" in name):
        (root / path).write_text(changes[path])


def a_bench(root: Path, *, sparing: Monotonic = lambda: 0.0, **changes: str) -> Bench:
    """A site in `root`, with a fresh database; with a clock, heavy looks at the files are spared by it."""
    files_in(root, **changes)
    time, ansible, inventory = Time(), Ansible(), StaticInventory()
    definitions = read(root, environ=os.environ, today=time.now.date())
    state = definitions.settings.state_dir
    create(definitions.settings.database, state_dir=state, now=time.now)
    store = Store.open(definitions.settings.database, state_dir=state)
    site = Site(
        root=root,
        state_dir=state,
        store=store,
        clock=time,
        monotonic=time.monotonic,
        executor=ansible,
        inventories=inventory,
        probe=NoProbe(),
        alerts=Alerts(),
        snapshots=FileSnapshots(state_dir=state, environ=os.environ, clock=time),
        snapshotted=Snapshotted(state / "snapshots", os.environ, inventory),
        galaxy=Shelf(),
        signer=NoKey(),
        seals=AgentSeals(os.environ),
        owner=this_process(),
        actor=Actor("ana"),
        current=WithOnce(
            InForce(root, environ=os.environ, first=definitions, monotonic=sparing), store=store, clock=time
        ).current,
        free_bytes=lambda: 10 * LEAST_FREE,
        is_gone=is_gone,
        control_path=lambda run: state / "cp" / run[-8:],
        versions={"wellkept": "0", "tzdata": "2026a"},
    )
    return bench_of(site, time, ansible, inventory)


def bench_of(site: Site, time: Time, ansible: Ansible, inventory: StaticInventory) -> Bench:
    """A site with a dispatcher of its own."""
    stopping = threading.Event()
    dispatcher = Inline(lambda piece: carry_out(piece, site=site, dispatcher=dispatcher, stopping=stopping))
    return Bench(site, time, ansible, inventory, dispatcher, stopping)
