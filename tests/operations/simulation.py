"""Years of maintenance in seconds: real files, rules, ledger and database; Ansible is scripted, and time, deaths, edits and freezes are drawn.

Two schedulers work on one record. What they say to it is cut off at random, as by kill -9: before a transaction is kept, or just after.
"""

from __future__ import annotations

import os
import random
from collections import deque
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from runner.config import read
from runner.domain.time import occurrence
from runner.domain.who import Owner
from runner.operations.execution.carry_out import carry_out
from runner.operations.site import Site, Snapshotted
from runner.operations.time.bind_freezes import binding_freezes
from runner.operations.time.keep_ledger import Kept
from runner.operations.time.reload import InForce
from runner.operations.time.tick import tick
from runner.ports import PieceOrder
from runner.store.database import Store
from runner.store.execution import runs
from runner.store.time import slots
from tests.operations.a_site import Bench, a_bench

T = TypeVar("T")
BEGIN = datetime(2026, 1, 2, 9, 0, tzinfo=UTC)
ZONES = (
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Asia/Kolkata",
    "America/Santiago",
    "Africa/Casablanca",
    "Pacific/Apia",
    "Europe/London",
    "Asia/Tehran",
    "UTC",
)
DAYS = ("saturday", "second tuesday", "last sunday", "day 15", "last day", "[tue, sun]", "first monday")
STARTS = ("02:30", "22:00", "00:15", "03:00", "23:30", "12:00")
ON, EDITED, OFF = "true", "edited", "false"
UNUSED = "schedule: patch\nplaybook: playbooks/patch.yml\nhosts: all\nenabled: false\nwindow: saturday-night\n"
SCHEDULE = """\
schedule: {name}
owner: ops
why: Simulated.
playbook: playbooks/patch.yml
hosts: {hosts}
enabled: {enabled}
window: {{timezone: {zone}, day: {day}, start: "{start}", duration: {duration}, cutoff: 45m}}
waves: [{{name: all}}]
"""
FREEZE = 'freezes:\n  - {{name: freeze-{number}, from: "{start}", to: "{end}", reason: simulated}}\n'


class Killed(BaseException):
    """The process is gone, in the middle of whatever it did."""


@dataclass
class Mortal:
    """A record whose writer may be killed at any of its transactions."""

    store: Store
    chance: random.Random
    odds: float = 0.0
    kills: int = 0

    def read(self, function: Callable[[Any], T]) -> T:
        return self.store.read(function)

    def write(self, function: Callable[[Any], T]) -> T:
        fate = self.chance.random() if self.odds else 1.0
        if fate < self.odds / 2:
            self._die()
        result = self.store.write(function)
        if fate < self.odds:
            self._die()
        return result

    def _die(self) -> None:
        self.kills += 1
        raise Killed

    def __getattr__(self, name: str) -> Any:
        return getattr(self.store, name)


@dataclass
class Hand:
    """A dispatcher that does pieces one after the other, in this thread."""

    pieces: deque[str] = field(default_factory=deque)

    def dispatch(self, piece: str) -> None:
        if piece not in self.pieces:
            self.pieces.append(piece)

    def busy(self) -> bool:
        return bool(self.pieces)

    def wait_for_change(self, *, wait: float) -> None:
        """Nothing is ever in flight elsewhere."""

    def drain(self, *, wait: float) -> bool:
        return not self.pieces


@dataclass
class Scheduler:
    """One process that serves: what it remembers is gone with it."""

    site: Site
    hand: Hand = field(default_factory=Hand)
    kept: Kept = field(default_factory=Kept)


@dataclass
class World:
    """A maintenance repository, its schedulers, and what becomes of them."""

    root: Path
    chance: random.Random
    number: int = 5
    bench: Bench = field(init=False)
    store: Mortal = field(init=False)
    schedulers: list[Scheduler] = field(default_factory=list)
    edited: set[str] = field(default_factory=set)
    started: list[tuple[str, datetime]] = field(default_factory=list)
    births: int = 0
    freezes: int = 0
    frozen_from: datetime | None = None

    def __post_init__(self) -> None:
        self.bench = a_bench(self.root, schedule=UNUSED)
        self.bench.time.now = BEGIN
        self.bench.ansible.before_start = self.note_start
        self.bench.ansible.script = self.fate
        self.store = Mortal(self.bench.site.store, self.chance)
        for number in range(self.number):
            self.write_schedule(f"s{number}", zone=ZONES[number % len(ZONES)])
        self.schedulers = [self.born(), self.born()]
        self.beat()  # nobody expects what came due before the first scheduler ever ran

    @property
    def now(self) -> datetime:
        return self.bench.time.now

    def write_schedule(self, name: str, *, zone: str, enabled: str = ON) -> None:
        text = SCHEDULE.format(
            name=name,
            hosts=self.chance.choice(("web", "db", "all", "web-01")),
            enabled=enabled,
            zone=zone,
            day=self.chance.choice(DAYS),
            start=self.chance.choice(STARTS),
            duration=self.chance.choice(("2h", "4h", "90m")),
        )
        (self.root / "schedules" / f"{name}.yml").write_text(text)

    def born(self) -> Scheduler:
        """A new process: its own pid, its own memory, the files as they are now."""
        self.births += 1
        owner = replace(self.bench.site.owner, pid=10_000 + self.births, started=str(self.births))
        definitions = read(self.root, environ=os.environ, today=self.now.date())
        site = replace(
            self.bench.site,
            store=self.store,
            owner=owner,
            is_gone=self.is_gone,
            current=InForce(self.root, environ=os.environ, first=definitions, monotonic=lambda: 0.0).current,
            snapshotted=Snapshotted(self.bench.site.state_dir / "snapshots", os.environ, self.bench.inventory),
        )
        return Scheduler(site)

    def is_gone(self, owner: Owner) -> bool:
        return owner not in [each.site.owner for each in self.schedulers]

    def fate(self, order: PieceOrder, host: str) -> str:
        if order.playbook.name != "patch.yml":
            return "ok"
        drawn = random.Random(f"{host} {self.now}").random()
        return "failed" if drawn < 0.05 else "changed"

    def note_start(self, order: PieceOrder) -> None:
        """Where and when a playbook began; then it takes its time."""
        if order.playbook.name == "patch.yml":
            self.started.append((order.run, self.now))
            self.bench.time.pass_by(timedelta(minutes=self.chance.randint(1, 40)))

    def beat(self) -> None:
        """One scheduler's turn; it may be killed in it, and then another is born, sooner or later."""
        if not self.schedulers:
            return
        turn = self.chance.choice(self.schedulers)
        try:
            tick(site=turn.site, dispatcher=turn.hand, started=self.now, kept=turn.kept)
            while turn.hand.pieces:
                carry_out(
                    turn.hand.pieces.popleft(), site=turn.site, dispatcher=turn.hand, stopping=self.bench.stopping
                )
        except Killed:
            self.schedulers.remove(turn)

    def go_on(self, *, until: datetime) -> None:
        """Let time pass, with whatever happens meanwhile."""
        while self.now < until:
            self.something_happens()
            self.beat()
            self.bench.time.pass_by(self.pause())

    def pause(self) -> timedelta:
        """A moment while something is due; otherwise up to shortly before the next opening, or beyond it when nobody serves."""
        if self.store.read(slots.due) and self.schedulers:
            return timedelta(minutes=self.chance.randint(1, 20))
        ahead = self.store.read(lambda c: slots.between(c, self.now, self.now + timedelta(days=40)))
        to_next = min((slot.opens_at for slot in ahead), default=self.now + timedelta(days=3)) - self.now
        return max(timedelta(minutes=1), to_next + timedelta(minutes=self.chance.randint(-5, 5)))

    def something_happens(self) -> None:
        """A birth, an edit, a freeze, a step of the clock, or, most often, nothing."""
        if len(self.schedulers) < 2 and self.chance.random() < 0.5:
            self.schedulers.append(self.born())
        drawn = self.chance.random()
        if drawn < 0.02:
            self.bench.time.pass_by(-timedelta(minutes=self.chance.randint(1, 150)))
        elif drawn < 0.05:
            self.edit()
        elif drawn < 0.06:
            self.freeze()

    def edit(self) -> None:
        """Another rule for a schedule, or it is switched off or on; only half of them are ever edited."""
        name = f"s{self.chance.randrange(self.number // 2)}"
        self.edited.add(name)
        enabled = self.chance.choice((ON, ON, OFF))
        self.write_schedule(name, zone=self.chance.choice(ZONES), enabled=enabled)

    def freeze(self) -> None:
        """A change freeze over some days that begin soon."""
        self.freezes += 1
        start = self.now + timedelta(hours=self.chance.randint(0, 72))
        end = start + timedelta(hours=self.chance.randint(1, 96))
        text = FREEZE.format(
            number=self.freezes, start=start.isoformat("T", "seconds"), end=end.isoformat("T", "seconds")
        )
        (self.root / "schedules" / f"freeze-{self.freezes}.yml").write_text(text)
        self.frozen_from = min(self.frozen_from or start, start)

    def come_to_rest(self) -> None:
        """No more deaths: what is due or going on comes to its end."""
        self.store.odds = 0.0
        self.schedulers = self.schedulers or [self.born()]
        for _ in range(400):
            self.beat()
            self.bench.time.pass_by(timedelta(minutes=3))

    def ledger(self) -> list[slots.Slot]:
        """Every slot that has opened, in order."""
        return self.store.read(lambda c: slots.between(c, BEGIN - timedelta(days=1), self.now))

    def runs(self) -> list[runs.Run]:
        """Every run that there was."""
        return self.store.read(lambda c: runs.between(c, BEGIN - timedelta(days=1), self.now + timedelta(days=1)))

    def expected(self, schedule: str) -> set[datetime]:
        """When a schedule that was never edited had to open, by its rule alone."""
        definitions = read(self.root, environ=os.environ, today=self.now.date())
        found = definitions.schedules[schedule]
        freezes = binding_freezes(found, definitions, ())
        openings = occurrence.openings(found.window, freezes, from_=BEGIN, to=self.now)
        return {opening.opens for opening in openings if opening.opens >= BEGIN}

    def never_edited(self) -> Collection[str]:
        """The schedules whose rule stayed the same."""
        return {f"s{number}" for number in range(self.number)} - self.edited

    def local(self, instant: datetime, schedule: str) -> str:
        """An instant by the wall clock of a schedule, for messages."""
        with suppress(KeyError):
            zone = read(self.root, environ=os.environ).schedules[schedule].window.timezone
            return f"{instant.astimezone(ZoneInfo(zone)):%a %Y-%m-%d %H:%M} {zone}"
        return str(instant)
