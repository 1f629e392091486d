"""How the whole installation stands, as far as it can be known now: each part says what is in its way instead of hiding the others."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from runner.domain.execution.outcome import HostResult
from runner.domain.execution.plan import HEALTH_PREFIX
from runner.domain.execution.run import PieceState, SlotState, Stage
from runner.domain.health import SEVERITY, Condition
from runner.domain.settings import Definitions
from runner.domain.tickets.ticket_for_duty import duty_fingerprint
from runner.errors import FilesInvalid, Unknown
from runner.operations.execution.follow_run import doing_in_words
from runner.operations.execution.read_pauses import PauseFile, pause_file
from runner.operations.execution.wait_for_approval import Waiting
from runner.operations.status_values import (
    DaemonSeen,
    DueSlot,
    Going,
    IntervalsToday,
    LiveTicket,
    PastRun,
    PauseSeen,
    Recorded,
    RoundsToday,
    Status,
    Unhealthy,
)
from runner.operations.tickets.show_ticket import urgency
from runner.operations.time.list_cadences import list_cadences
from runner.operations.time.next_openings import openings_now
from runner.ports import Clock
from runner.store import health
from runner.store.database import Store
from runner.store.execution import daemons, drains, holds, outcomes, pauses, pieces, runs
from runner.store.tickets import tickets
from runner.store.time import cadence, slots
from runner.store.transaction import Transaction

LOOK_BACK = timedelta(days=7)
LAST_RUNS = 5
BETWEEN_STEPS = "between two steps"
QUIET = timedelta(
    minutes=1
)  # a run whose last step is older, and that nothing is done for, has lost whoever executes it
NOT_ASKED = "nobody has looked at it yet: no daemon is serving"


def summarise_status(
    *,
    definitions: Callable[[], Definitions],
    store: Callable[[], Store],
    state_dir: Callable[[], Path],
    clock: Clock,
    waiting: Callable[[Definitions], tuple[Waiting, ...]] = lambda _: (),
) -> Status:
    """Ask the files and the record; trouble with one is told, and the other is asked all the same. `waiting` tells what waits for approval."""
    now = clock()
    defined, broken = files_now(definitions)
    recorded, problem = record_now(store, now)
    return Status(
        at=now,
        pause_file=file_now(state_dir),
        schedules=len(defined.schedules) if defined else None,
        checks=len(defined.checks) if defined else None,
        broken=broken,
        record_problem=problem,
        recorded=recorded,
        openings=openings_now(defined, store, now, asked=not problem),
        waiting=waiting(defined) if defined and not problem else (),
        cadences=tuple(list_cadences(defined)) if defined else (),
    )


def files_now(definitions: Callable[[], Definitions]) -> tuple[Definitions | None, tuple[str, ...]]:
    """The definitions, or what is wrong in the files."""
    try:
        return definitions(), ()
    except FilesInvalid as problem:
        return None, tuple(str(each) for each in problem.problems)


def file_now(state_dir: Callable[[], Path]) -> PauseFile | None:
    """The file that pauses everything; where it would lie is not known while wellkept.yml is broken."""
    try:
        return pause_file(state_dir())
    except (FilesInvalid, OSError):
        return None


def record_now(store: Callable[[], Store], now: datetime) -> tuple[Recorded | None, str]:
    """What the database says, or why it says nothing."""
    try:
        return store().read(partial(recorded_at, now=now)), ""
    except Unknown as problem:
        return None, str(problem)
    except FilesInvalid:
        return None, "where the database is stands in wellkept.yml, which is broken"


def recorded_at(connection: Transaction, *, now: datetime) -> Recorded:
    """One look at all rows that matter, in one transaction."""
    states = health.states(connection)
    return Recorded(
        daemon=daemon_seen(connection),
        pauses=tuple(
            PauseSeen(pause.reason, str(pause.by), pause.hosts, pause.from_at, pause.until_at)
            for pause in pauses.in_force(connection, now)
        ),
        drain=drains.in_force(connection),
        running=tuple(going(connection, run, now=now) for run in runs.live(connection)),
        due=tuple(due_slots(connection, now)),
        unhealthy=tuple(unhealthy(states)),
        checked_at=max((state.last_at for state in states), default=None),
        rounds_today=tuple(rounds_today(connection, now)),
        intervals_today=tuple(intervals_today(connection, now)),
        tickets=tuple(live_ticket(ticket) for ticket in sorted(tickets.live(connection), key=most_urgent_first)),
        last_runs=tuple(past_runs(connection)),
    )


def daemon_seen(connection: Transaction) -> DaemonSeen | None:
    """The daemon that is alive, else the one that was heard last."""
    alive = daemons.alive(connection)
    seen = alive[0] if alive else daemons.last_beat(connection)
    others = max(0, len(alive) - 1)
    return DaemonSeen(bool(alive), seen.pid, seen.started_at, seen.beat_at, others) if seen else None


def going(connection: Transaction, run: runs.Run, *, now: datetime) -> Going:
    """How far a run has come, by its pieces."""
    plan, known = run.plan, pieces.of_run(connection, run.id)
    done = {host for piece in known if applied(piece) for host in piece.hosts}
    busy = [piece for piece in known if piece.state is PieceState.CLAIMED]
    doing = [f"{plan.waves[piece.wave].name}: {doing_in_words(piece)} {', '.join(piece.hosts)}" for piece in busy]
    held = holds.up_to(connection, run.schedule, run.id, now)
    moments = [moment for piece in known for moment in (piece.started_at, piece.ended_at) if moment]
    as_of = max([*moments, *(hold.last_seen for hold in held)], default=run.created_at)
    return Going(
        number=run.number,
        schedule=run.schedule,
        title=run.title,
        hosts=len(plan.hosts),
        done=len(done),
        doing="; ".join(doing or [f"waits: {hold.reason}" for hold in held]) or BETWEEN_STEPS,
        silent=any(piece.lapsed for piece in busy) or (not busy and now - as_of > QUIET),
        created=run.created_at,
        as_of=as_of,
    )


def applied(piece: pieces.Piece) -> bool:
    """Whether the playbook has ended on the hosts of this piece."""
    return piece.stage is Stage.APPLY and piece.state is PieceState.FINISHED


def due_slots(connection: Transaction, now: datetime) -> Iterator[DueSlot]:
    """The slots whose window is open without a run, each with what its guards said last."""
    for slot in slots.between(connection, now - LOOK_BACK, now):
        if slot.state is SlotState.DUE or (slot.state is SlotState.PLANNED and now < slot.closes_at):
            if duty := tickets.live_of(connection, duty_fingerprint(slot.schedule, *slot.identity)):
                yield due_duty(slot, duty)
                continue
            heard = holds.of_slot(connection, slot.id)
            last = max((hold.last_seen for hold in heard), default=None)
            current = [hold for hold in heard if hold.last_seen == last]
            reasons = tuple(hold.reason for hold in current) or (NOT_ASKED,)
            until = max((hold.until for hold in current if hold.until), default=None)
            yield DueSlot(slot.schedule, slot.opens_at, slot.last_start_at, reasons, until, last)


def due_duty(slot: slots.Slot, ticket: tickets.Ticket) -> DueSlot:
    """A slot that waits for a person, up to the end of its window."""
    why = f"a person does it: ticket {ticket.number}"
    return DueSlot(slot.schedule, slot.opens_at, slot.closes_at, (why,), slot.closes_at, ticket.opened_at)


def unhealthy(states: list[health.HealthState]) -> list[Unhealthy]:
    """What is not well, worst first."""
    bad = [
        Unhealthy(state.host, state.inventory, state.check, state.condition, state.summary, state.since, state.last_at)
        for state in states
        if state.condition is not Condition.OK
    ]
    return sorted(bad, key=lambda each: (-SEVERITY.index(each.condition), each.check, each.host))


def rounds_today(connection: Transaction, now: datetime) -> Iterator[RoundsToday]:
    """What became of each health check's rounds today."""
    for day in cadence_today(connection, now):
        if day.schedule.startswith(HEALTH_PREFIX):
            check = day.schedule.removeprefix(HEALTH_PREFIX)
            yield RoundsToday(check, day.expected, day.run, day.late, day.missed)


def intervals_today(connection: Transaction, now: datetime) -> Iterator[IntervalsToday]:
    """What became of the intervals of each schedule that has a cadence today."""
    for day in cadence_today(connection, now):
        if not day.schedule.startswith(HEALTH_PREFIX):
            yield IntervalsToday(day.schedule, day.expected, day.run, day.late, day.missed)


def cadence_today(connection: Transaction, now: datetime) -> list[cadence.CadenceDay]:
    """Everything on a cadence, on this UTC day."""
    today = now.astimezone(UTC).date()
    return cadence.between(connection, today, today + timedelta(days=1))


def most_urgent_first(ticket: tickets.Ticket) -> tuple[int, int]:
    """A sort key: by priority, then the newest first."""
    return urgency(ticket.priority), -ticket.number


def live_ticket(ticket: tickets.Ticket) -> LiveTicket:
    """A ticket in short."""
    return LiveTicket(
        number=ticket.number,
        priority=str(ticket.priority),
        state=str(ticket.state),
        title=ticket.title,
        hosts=ticket.hosts,
        assigned_to=ticket.assigned_to,
        opened=ticket.opened_at,
        as_of=ticket.updated_at,
    )


def past_runs(connection: Transaction) -> Iterator[PastRun]:
    """The runs that ended last, newest first."""
    ended = [run for run in runs.recent(connection, LAST_RUNS * 4) if run.verdict is not None]
    for run in ended[:LAST_RUNS]:
        results: list[HostResult] = [row.result for row in outcomes.of_run(connection, run.id)]
        good = sum(1 for result in results if result.result.is_good)
        yield PastRun(run.number, run.schedule, run.title, str(run.verdict), good, len(results), run.ended_at)
