"""The door for time: `schedule` is the metronome, signals stop it cleanly, and what each beat does is an operation."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial

import schedule

from runner.adapters.signals import LONGEST_BATCH, stop_on_signals
from runner.adapters.systemd import Systemd
from runner.adapters.zone import live_in_utc
from runner.domain.settings import DeadManPing
from runner.errors import UsageError
from runner.operations.check_health import check_due
from runner.operations.execution.install_requirements import install_requirements
from runner.operations.execution.stop_run import stop_run
from runner.operations.prove_life import prove_life
from runner.operations.record.write_checkpoint import write_checkpoint
from runner.operations.remind_of_pauses import remind_of_pauses
from runner.operations.site import Site
from runner.operations.time.keep_ledger import Kept, keep_ledger
from runner.operations.time.tick import tick
from runner.store.execution import daemons, pieces
from runner.wiring import App

log = logging.getLogger(__name__)
LONGEST_SLEEP = 1.0  # seconds; a signal is heard within it
PING_WITHIN = 10.0  # seconds that the other side of a dead-man ping has for its answer


@dataclass(frozen=True, slots=True)
class Beat:
    """Something that is done again and again, every so many seconds."""

    name: str
    every: int
    work: Callable[[], object]


def run_daemon(app: App, *, every: int) -> None:
    """Beat until a signal comes, then let what is in flight finish."""
    systemd = Systemd(os.environ)
    live_in_utc(os.environ)
    site, started = app.site, app.clock()
    stop_on_signals(app.stopping, harder=partial(cancel_in_flight, app))
    log.info("Serving %s", app.root, extra={"action": "daemon.started"})
    keep_time(beats_of(app, every=every, started=started), stopping=app.stopping, turned=systemd.alive)
    systemd.stopping()
    guarded(Beat("farewell", 0, lambda: site.store.write(lambda c: daemons.gone(c, site.owner))))()
    finish(app, turned=systemd.alive)
    log.info("Stopped; nothing is in flight", extra={"action": "daemon.stopped"})


def beats_of(app: App, *, every: int, started: datetime) -> list[Beat]:
    """Everything that is done again and again."""
    site, ping, kept = app.site, app.settings.dead_man_ping, Kept()
    beats = [
        Beat("ledger", 60, lambda: keep_ledger(site.current(), site=site, kept=kept)),
        Beat("tick", every, partial(beat_of_app, app, started=started, kept=kept)),
        Beat("health", every, in_background(Beat("health", every, lambda: check_due(site.current(), site=site)))),
        Beat("requirements", 60, in_background(Beat("requirements", 60, lambda: install_requirements(site=site)))),
        Beat("pauses", 3600, lambda: remind_of_pauses(site=site)),
        Beat("checkpoint", 3600, lambda: write_checkpoint(site.store, site.signer, clock=site.clock)),
    ]
    return [*beats, ping_beat(ping, site=site)] if ping else beats


def ping_beat(ping: DeadManPing, *, site: Site) -> Beat:
    """The sign of life for somebody outside; a slow network delays no other beat."""
    from runner.adapters.http import HttpClient

    client = HttpClient()
    once = partial(prove_life, site=site, ping=lambda: client.get(ping.url, within=PING_WITHIN).status)
    return Beat("ping", int(ping.every.total_seconds()), in_background(Beat("ping", 0, once)))


def finish(app: App, *, turned: Callable[[], None]) -> None:
    """Wait for the batch in flight; the service manager goes on hearing that we live."""
    until = time.monotonic() + LONGEST_BATCH
    while not app.dispatcher.drain(wait=LONGEST_SLEEP) and time.monotonic() < until:
        turned()


def beat_of_app(app: App, *, started: datetime, kept: Kept) -> None:
    """One beat; once a signal was heard, no new run is started in it."""
    tick(site=app.site, dispatcher=app.dispatcher, started=started, kept=kept, starting=not app.stopping.is_set())


def keep_time(beats: list[Beat], *, stopping: threading.Event, turned: Callable[[], None] = lambda: None) -> None:
    """Beat until `stopping` is set; `turned` is called once a round, so that it falls silent when a beat hangs."""
    metronome = wound(beats)
    metronome.run_all()
    while not stopping.is_set():
        turned()
        if is_out_of_step(metronome, beats):
            metronome = wound(beats)
        metronome.run_pending()
        idle = metronome.idle_seconds
        stopping.wait(LONGEST_SLEEP if idle is None else min(max(0.0, idle), LONGEST_SLEEP))


def wound(beats: list[Beat]) -> schedule.Scheduler:
    """A metronome with these beats, by the clock as it stands."""
    metronome = schedule.Scheduler()
    for beat in beats:
        metronome.every(beat.every).seconds.do(guarded(beat))
    return metronome


def is_out_of_step(metronome: schedule.Scheduler, beats: list[Beat]) -> bool:
    """Whether the clock was set back: the next beat would be later than any beat can be, and nothing would happen until then."""
    idle = metronome.idle_seconds
    return idle is not None and idle > min(beat.every for beat in beats)


def guarded(beat: Beat) -> Callable[[], None]:
    """A beat that survives its own trouble: an exception would leave `schedule` without the beats after it."""

    def once() -> None:
        try:
            beat.work()
        except Exception:
            log.exception("The beat %r failed", beat.name, extra={"action": "beat.failed", "beat": beat.name})

    return once


def in_background(beat: Beat) -> Callable[[], None]:
    """A beat in a thread of its own, so that hosts that do not answer never delay the others; one at a time, misses coalesce."""
    going = threading.Lock()

    def work() -> None:
        try:
            guarded(beat)()
        finally:
            going.release()

    def once() -> None:
        if going.acquire(blocking=False):
            threading.Thread(target=work, name=beat.name, daemon=True).start()

    return once


def cancel_in_flight(app: App) -> None:
    """A second signal: end what is going on here, too, but nothing that other processes do."""
    ours = {piece.run_id for piece in app.store.read(pieces.claimed) if piece.owner == app.site.owner}
    for run_id in ours:
        with suppress(UsageError):  # it has ended meanwhile, or somebody else asked for as much
            stop_run(run_id, immediately=True, by=app.actor, store=app.store, clock=app.clock)
