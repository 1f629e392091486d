"""Settles a run: one outcome per planned host, what really changed there, the verdict, the slot, the debts, and the closed record."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from runner.domain.execution.again import attempts_of, rollbacks_of
from runner.domain.execution.look import HostLook, PackageChange, packages_changed, read_look, was_rebooted
from runner.domain.execution.outcome import HostResult, NotRun, Result
from runner.domain.execution.progress import batches_of
from runner.domain.execution.run import PieceRecord, PieceState, RunRecord, SlotState, Stage, StopReason, Verdict
from runner.domain.execution.verdict import outcomes_of, verdict_of
from runner.domain.record.record import INSTALLATION, closing_body, run_stream
from runner.operations.execution.follow_up import RUN_SETTLED, follow_up
from runner.operations.site import Site
from runner.store.execution import debts, holds, locks, outcomes, runs
from runner.store.record import evidence
from runner.store.record import log as entries
from runner.store.tickets import outbox
from runner.store.time import slots
from runner.store.transaction import Transaction

log = logging.getLogger(__name__)
BEFORE, AFTER = "look:before", "look:after"
NO_DEBT = {NotRun.VANISHED, NotRun.NOT_IN_PLAYBOOK}


@dataclass(frozen=True, slots=True)
class Compared:
    """One host before and after: what changed among its packages, and whether it was rebooted."""

    packages: tuple[PackageChange, ...] = ()
    rebooted: bool = False
    reboot_needed: bool = False
    machine_id: str | None = None


def settle_run(record: RunRecord, stopped: StopReason | None, *, site: Site) -> Verdict | None:
    """Settle a run that has nothing in flight; None when somebody else was first."""
    compared = compare_hosts(record, site=site)
    results = {
        host: told_by_comparison(result, compared.get(host)) for host, result in outcomes_of(record, stopped).items()
    }
    verdict = verdict_of(record, stopped)
    settle = partial(
        write_settlement,
        record=record,
        verdict=verdict,
        stopped=stopped,
        results=results,
        compared=compared,
        at=site.clock(),
    )
    if not site.store.write(settle):
        return None
    log.info(
        "Run of %s: %s",
        record.plan.schedule,
        verdict,
        extra={"action": "run.settled", "run": record.id, "verdict": str(verdict)},
    )
    follow_up(site=site)
    return verdict


def compare_hosts(record: RunRecord, *, site: Site) -> dict[str, Compared]:
    """What the first look before and the last look after tell about each host that was looked at twice; in check mode nothing of it is our doing."""
    if record.plan.only_looks:
        return {}
    found: dict[str, Compared] = {}
    for host in record.plan.hosts:
        before, after = site.store.read(partial(looks_at, run_id=record.id, host=host))
        if before and after:
            found[host] = compare(read_look(before), read_look(after))
    return found


def looks_at(connection: Transaction, *, run_id: str, host: str) -> tuple[str | None, str | None]:
    """The text of the first look before and of the last look after."""
    return evidence.first_text(connection, run_id, host, BEFORE), evidence.last_text(connection, run_id, host, AFTER)


def compare(before: HostLook, after: HostLook) -> Compared:
    """Two looks at one host."""
    return Compared(
        packages=packages_changed(before, after),
        rebooted=was_rebooted(before, after),
        reboot_needed=after.reboot_required,
        machine_id=after.machine_id,
    )


def told_by_comparison(result: HostResult, compared: Compared | None) -> HostResult:
    """What changed is told by comparing the host before and after, never by Ansible's `changed` alone."""
    if result.result is Result.OK and compared is not None and (compared.packages or compared.rebooted):
        return replace(result, result=Result.CHANGED)
    return result


def write_settlement(
    connection: Transaction,
    *,
    record: RunRecord,
    verdict: Verdict,
    stopped: StopReason | None,
    results: Mapping[str, HostResult],
    compared: Mapping[str, Compared],
    at: datetime,
) -> bool:
    """The end of a run in one transaction; False when it was settled already."""
    incomplete = record.record_incomplete or any(is_incomplete(piece) for piece in record.pieces)
    reason = with_what_it_waited_for(connection, record, reason_in_words(record, stopped), at=at)
    if not runs.settle(connection, record.id, verdict=verdict, reason=reason, at=at, record_incomplete=incomplete):
        return False
    run = runs.get(connection, record.id)
    if run.slot_id:
        slots.settle(connection, run.slot_id, outcome=str(verdict), reason=reason, was=SlotState.CLAIMED, at=at)
    save_outcomes(connection, record, results, compared)
    book_debts(connection, record, results, at=at)
    locks.release(connection, record.id)
    outbox.put(connection, kind=RUN_SETTLED, target=record.id, body={}, at=at)
    close_record(connection, record, verdict, reason, results, incomplete=incomplete, at=at)
    return True


def is_incomplete(piece: PieceRecord) -> bool:
    """Whether something of this piece was not heard; a piece that never came to run has nothing to tell."""
    over = piece.state in {PieceState.FINISHED, PieceState.LOST}
    return over and not piece.complete and piece.problem is None and piece.stage is not Stage.PRE_CHECK


def save_outcomes(
    connection: Transaction, record: RunRecord, results: Mapping[str, HostResult], compared: Mapping[str, Compared]
) -> None:
    """One row per planned host, with what really changed there."""
    packages = {
        host: [{"name": change.name, "before": change.before, "after": change.after} for change in seen.packages]
        for host, seen in compared.items()
    }
    reboots = {host: {"done": seen.rebooted, "needed": seen.reboot_needed} for host, seen in compared.items()}
    machines = {host: seen.machine_id for host, seen in compared.items()}
    outcomes.save(
        connection,
        record.id,
        inventory=record.plan.inventory,
        schedule=record.plan.schedule,
        outcomes=results,
        packages=packages,
        reboots=reboots,
        machine_ids=machines,
        attempts=attempts_of(batches_of(record)),
        rollbacks={host: as_row(result) for host, result in rollbacks_of(batches_of(record)).items()},
    )


def as_row(result: HostResult) -> dict[str, object]:
    """How a rollback ended, as a value that is kept beside the host's outcome."""
    return {"result": str(result.result), "cause": result.cause, "text": result.text}


def book_debts(connection: Transaction, record: RunRecord, results: Mapping[str, HostResult], *, at: datetime) -> None:
    """A planned host that did not end well owes this schedule a run; the next good end pays it."""
    if record.plan.only_looks:
        return
    inventory, schedule = record.plan.inventory, record.plan.schedule
    paid = [host for host, result in results.items() if result.result.is_good]
    owing = [host for host, result in results.items() if not result.result.is_good and result.reason not in NO_DEBT]
    debts.pay(connection, inventory, schedule, paid)
    debts.owe(connection, inventory, schedule, owing, run=record.id, at=at)


def reason_in_words(record: RunRecord, stopped: StopReason | None) -> str:
    """Why the run touched no further host, in a sentence; nothing when it went through."""
    if stopped is StopReason.CONFIGURATION:
        return next(map(problem_in_words, filter(has_problem, record.pieces)), "the schedule's pattern matches no host")
    if stopped is StopReason.CUTOFF and record.plan.readiness:
        return "the slot opened before every host was looked at"
    return STOPPED_IN_WORDS[stopped] if stopped else ""


def with_what_it_waited_for(connection: Transaction, record: RunRecord, reason: str, *, at: datetime) -> str:
    """Why it stopped, and, when a guard had kept it from drawing hosts up to then, which; an end that needs no reason has none of them either."""
    waited = [hold.reason for hold in holds.up_to(connection, record.plan.schedule, record.id, at)] if reason else []
    return f"{reason}; up to then it waited: {'; '.join(waited)}" if waited else reason


def has_problem(piece: PieceRecord) -> bool:
    """Whether Ansible could not run this piece at all."""
    return bool(piece.problem)


def problem_in_words(piece: PieceRecord) -> str:
    """Ansible's own words, and that it was the check afterwards or the rollback where it was: by then the playbook itself had run."""
    return (
        f"{COULD_NOT_BE_RUN[piece.stage]}: {piece.problem}" if piece.stage in COULD_NOT_BE_RUN else str(piece.problem)
    )


COULD_NOT_BE_RUN: Mapping[Stage, str] = {
    Stage.POST_CHECK: "the check after the playbook could not be run",
    Stage.ROLLBACK: "the rollback could not be run",
}


STOPPED_IN_WORDS: Mapping[StopReason, str] = {
    StopReason.CANCELLED: "a person cancelled it",
    StopReason.BUDGET: "more hosts failed than the failure budget allows",
    StopReason.CANARY: "a canary failed",
    StopReason.NONE_QUALIFIED: "no host passed its pre-check, so nobody was touched",
    StopReason.EXPIRED: "its end was never heard, and the window has closed",
    StopReason.CUTOFF: "the window's last start was reached",
    StopReason.NO_ROOM: "the time left was too short for any further host",
    StopReason.LOCK: "the remaining hosts were held by another run",
    StopReason.FROZEN: "a change freeze began",
    StopReason.PAUSED: "maintenance was paused",
}


def close_record(
    connection: Transaction,
    record: RunRecord,
    verdict: Verdict,
    reason: str,
    results: Mapping[str, HostResult],
    *,
    incomplete: bool,
    at: datetime,
) -> None:
    """The run's last entry, and its closing hash in the installation's stream."""
    stream = run_stream(record.id)
    body = {
        "action": "run.settled",
        "verdict": str(verdict),
        "reason": reason,
        "record_incomplete": incomplete,
        "outcomes": {host: str(result.result) for host, result in results.items()},
    }
    if rollbacks := rollbacks_of(batches_of(record)):
        body["rollbacks"] = {host: str(result.result) for host, result in rollbacks.items()}
    closing = entries.append(connection, stream, [body], at=at)
    entries.append(connection, INSTALLATION, [closing_body("run.closed", stream, closing)], at=at)
