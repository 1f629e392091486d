"""Executes one piece by Ansible: events are recorded as they come, and the piece is stopped when it is no longer ours or no longer wanted."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from runner.domain.execution.fold import PieceFold
from runner.domain.execution.guards import Pause
from runner.domain.execution.outcome import Event, EventKind
from runner.domain.execution.own_ansible import AnsibleSettings
from runner.domain.execution.plan import Step, StepKind
from runner.domain.execution.run import Stage
from runner.domain.execution.schedule import Split
from runner.domain.record.record import piece_stream
from runner.domain.settings import Definitions
from runner.domain.time.window import AtEnd
from runner.errors import StoreUnavailable, UsageError, WellkeptError
from runner.operations.execution.choose_pipelining import left_open, pipelined
from runner.operations.execution.heartbeat import LEASE, Heartbeat
from runner.operations.execution.load_record import pause_that_ends
from runner.operations.site import Site
from runner.operations.time.once_schedules import schedule_in
from runner.ports import PieceEnd, PieceOrder, RunningPiece
from runner.store.execution import pieces, runs
from runner.store.record import log as entries
from runner.store.transaction import Transaction

log = logging.getLogger(__name__)
UNRECORDED = {EventKind.HOST_START, EventKind.TASK}
LISTEN = 0.5  # seconds to wait for events before looking at everything else
ASK_AGAIN = 2.0  # seconds between looks for a person's order to stop


class LeaseLostError(Exception):
    """The piece is no longer ours: whoever took it over records its end."""


class NotStartedError(Exception):
    """The piece could not be started, and nothing of it is going on; the message says why."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """A piece that this process holds, with its run and the definitions that it lives by; `since` is when its claim was sent, by the monotonic clock."""

    piece: pieces.Piece
    fence: int
    since: float
    run: runs.Run
    definitions: Definitions
    step: Step

    @property
    def stream(self) -> str:
        """The log stream of this piece."""
        return piece_stream(self.piece.id)


def execute_playbook(work: Claimed, *, site: Site) -> tuple[PieceFold, PieceEnd]:
    """Run the piece's playbook to its end; gives the fold of its events and how its processes ended.

    Raises LeaseLostError when somebody else took the piece over, NotStartedError when it could not be started.
    """
    fold = PieceFold(work.piece.hosts, work.piece.stage, work.definitions.causes)
    running = start(work, site=site)
    with heartbeat_of(work, feed=running.feed, site=site) as heartbeat:
        end = listen(running, fold, work, heartbeat, site=site)
    return fold, end


def start(work: Claimed, *, site: Site) -> RunningPiece:
    """Start the piece. One that broke on the way is left to whoever takes it over if anything of it may have begun, and is else known to have done nothing."""
    try:
        return site.executor.start(order_for(work, site=site))
    except StoreUnavailable:
        raise
    except Exception as error:
        log.exception("Piece %s could not be started", work.piece.id, extra={"action": "piece.not_started"})
        if not nothing_began(work, site=site):
            raise
        raise NotStartedError(in_words(error)) from error


def nothing_began(work: Claimed, *, site: Site) -> bool:
    """Whether nothing of a piece that broke while it was started is going on, or ever was: its leash is ended, and its spool is empty."""
    try:
        control_path = site.control_path(work.run.id)
    except UsageError:
        return True  # it never had a place for its sockets
    gone = site.executor.finish_run(work.run.id, control_path)
    return gone and not any(site.executor.drain(folder_of(work, site=site), offset=0))


def in_words(error: Exception) -> str:
    """An error for people; one that nobody foresaw bears the name of its kind."""
    return str(error) if isinstance(error, WellkeptError | OSError) else f"{type(error).__name__}: {error}"


def folder_of(work: Claimed, *, site: Site) -> Path:
    """The piece's own private folder."""
    return site.state_dir / "runs" / str(work.run.number) / work.piece.id


def heartbeat_of(work: Claimed, *, feed: Callable[[float], None], site: Site) -> Heartbeat:
    """What keeps this piece ours while it goes on."""
    renew = partial(pieces.renew, piece_id=work.piece.id, fence=work.fence, lease=LEASE)
    return Heartbeat(renew=lambda: site.store.write(renew), feed=feed, monotonic=site.monotonic, since=work.since)


def listen(running: RunningPiece, fold: PieceFold, work: Claimed, heartbeat: Heartbeat, *, site: Site) -> PieceEnd:
    """Take every event in and record it, obey orders to stop, until the piece has ended."""
    asked, told = site.monotonic(), set[str]()
    while True:
        events = running.events(wait=LISTEN)
        for event in events:
            fold.add(event)
        record_events(events, work, heartbeat, site=site)
        if heartbeat.lost.is_set():
            running.cancel()
            raise LeaseLostError(work.piece.id)
        if (end := running.end()) is not None:
            return end
        if site.monotonic() - asked >= ASK_AGAIN:
            asked = site.monotonic()
            obey(running, work, fold, told, site=site)


def record_events(events: Sequence[Event], work: Claimed, heartbeat: Heartbeat, *, site: Site) -> None:
    """Append events to the piece's stream together with how far the spool was read; wait for a database that is away."""
    if not events:
        return
    while not heartbeat.lost.is_set():
        try:
            if not site.store.write(partial(append_events, events=events, work=work)):
                heartbeat.lost.set()
            return
        except StoreUnavailable as reason:
            log.warning("Events wait in the spool: %s", reason, extra={"action": "events.wait", "piece": work.piece.id})
            time.sleep(1)


def append_events(connection: Transaction, *, events: Sequence[Event], work: Claimed) -> bool:
    """Write events and offset in one transaction; False when the fence is stale, and then nothing is written."""
    if not pieces.save_offset(connection, work.piece.id, fence=work.fence, offset=events[-1].offset):
        return False
    kept = [event for event in events if event.kind not in UNRECORDED]
    if kept:
        entries.append(connection, work.stream, [body_of(event) for event in kept], at=kept[-1].at)
    return True


def body_of(event: Event) -> dict[str, object]:
    """An event as a log entry's body; what is empty is left out."""
    body: dict[str, object] = {
        "action": str(event.kind),
        "number": event.number,
        "at": event.at.isoformat(),
        "host": event.host,
        "play": event.play,
        "task": event.task,
        "module": event.module,
        "role": event.role,
        "changed": event.changed,
        "ignored": event.ignored,
        "exit_code": event.exit_code,
        "seconds": round(event.seconds, 3),
        "text": event.text,
        "status": event.status,
        "stats": {host: dict(counts) for host, counts in event.stats.items()},
    }
    return {key: value for key, value in body.items() if value not in ("", None, False, 0.0, {})}


def obey(running: RunningPiece, work: Claimed, fold: PieceFold, told: set[str], *, site: Site) -> None:
    """Cancel when a person asked for it; at the end of the window do as the window says. `told` remembers which pause was recorded."""
    try:
        run = site.store.read(lambda c: runs.get(c, work.run.id))
        pause = pause_that_ends(work.piece, run, site=site)
    except StoreUnavailable:
        return  # nobody can have asked for anything that we could hear
    if run.stop_request == "cancel" or pause:
        running.cancel()
        if pause and pause.id not in told and record_pause(pause, work, site=site):
            told.add(pause.id)
        return
    over = work.run.plan.ends is not None and site.clock() >= work.run.plan.ends
    if over and work.piece.stage is Stage.APPLY and work.run.plan.at_end is not AtEnd.FINISH_BATCH:
        end_with_window(running, work.run.plan.at_end, fold)


def end_with_window(running: RunningPiece, at_end: AtEnd, fold: PieceFold) -> None:
    """Start nothing more, or end it: but never in the middle of a restart or of a package manager, which is let finish first."""
    if at_end is AtEnd.FINISH_TASK or fold.under_way.is_delicate:
        running.stop_softly()
    else:
        running.cancel()


def record_pause(pause: Pause, work: Claimed, *, site: Site) -> bool:
    """Write down that a pause ended this piece; False when that has to be tried again."""
    body = {"action": "piece.paused", "pause": pause.id, "by": pause.by, "reason": pause.reason}
    try:
        return site.store.write(partial(append_pause, body=body, work=work, at=site.clock()))
    except StoreUnavailable:
        return False


def append_pause(connection: Transaction, *, body: Mapping[str, object], work: Claimed, at: datetime) -> bool:
    """The entry in the piece's stream; False when the piece is no longer ours to write about."""
    ours = pieces.renew(connection, work.piece.id, fence=work.fence, lease=LEASE)
    if ours:
        entries.append(connection, work.stream, [body], at=at)
    return ours


def order_for(work: Claimed, *, site: Site) -> PieceOrder:
    """Everything that this call of Ansible needs, from the run's own snapshot."""
    project = site.snapshotted.path(work.run.snapshot)
    settings, schedule = work.definitions.settings, schedule_in(work.run.snapshot, work.run.schedule, site=site)
    own = work.step.kind is StepKind.PLAYBOOK
    whole = work.run.plan.split is Split.WHOLE and work.piece.stage is Stage.APPLY
    order = PieceOrder(
        run=work.run.id,
        piece=work.piece.id,
        fence=work.fence,
        folder=folder_of(work, site=site),
        control_path=site.control_path(work.run.id),
        project=project,
        playbook=project / work.step.name if own else site.executor.look_playbook,
        inventory=(source_of(settings.inventories[work.run.plan.inventory].source, project),),
        limit=None if whole else work.piece.hosts,
        forks=max(1, len(work.piece.hosts)),
        check=work.run.check_mode and own,
        ansible=schedule.ansible,
        requirements=site.galaxy.folder(work.run.plan.requirements) if work.run.plan.requirements else None,
        secrets=settings.secrets,
        become_hosts=hosts_by_pattern(settings.secrets.become, work, site=site),
        login_hosts=hosts_by_pattern(settings.secrets.login, work, site=site),
        time_limit=schedule.time_limit if own else timedelta(minutes=10),
    )
    return (
        replace(
            order,
            extra_vars=schedule.extra_vars,
            tags=tags_of(schedule.tags, work),
            skip_tags=tags_of(schedule.skip_tags, work),
            pipelined=pipelined_here(work, schedule.ansible, order.playbook, project=project, site=site),
        )
        if own
        else order
    )


def pipelined_here(
    work: Claimed, ansible: AnsibleSettings, playbook: Path, *, project: Path, site: Site
) -> tuple[str, ...]:
    """The hosts of this piece that are reached by pipelining."""
    inventory = work.run.plan.inventory
    hosts = left_open(work.piece.hosts, site.snapshotted.answer(work.run.snapshot, inventory))
    return pipelined(hosts, inventory, ansible, playbook, project=project, site=site)


def tags_of(tags: tuple[str, ...], work: Claimed) -> tuple[str, ...]:
    """Tags choose among the tasks of the schedule's own playbook, not of its checks."""
    return tags if work.piece.stage is Stage.APPLY else ()


def source_of(source: str, project: Path) -> str:
    """An inventory inside the snapshot by its path there; anything else as it was given."""
    return str(project / source) if (project / source).exists() else source


def hosts_by_pattern(patterns: Collection[str], work: Claimed, *, site: Site) -> Mapping[str, tuple[str, ...]]:
    """Which hosts of this piece each pattern names, of those that name any."""
    from runner.operations.execution.match_hosts import matching

    if not patterns:
        return {}
    answer = site.snapshotted.answer(work.run.snapshot, work.run.plan.inventory)
    found = {
        pattern: tuple(host for host in matching(pattern, answer) if host in work.piece.hosts) for pattern in patterns
    }
    return {pattern: hosts for pattern, hosts in found.items() if hosts}
