"""Section 4: how each host ended in each run, in plain words, with its packages before and after."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from runner.domain.execution.outcome import NotRun, Result
from runner.domain.execution.plan import RunPlan, StepKind
from runner.domain.tickets.cause import CauseClass, package_in, words
from runner.reporting.lines import CheckLine, HostLine, PackageLine, RunHosts, Status
from runner.reporting.material import Material
from runner.reporting.slots import seconds_between
from runner.reporting.words import IN_DOUBT, RESTARTS, RESULTS, WHY_NOT_RUN, Tone, Words, status
from runner.store.execution.runs import Run
from runner.store.record.period_rows import CheckRow, OutcomeRow

NEW_LINE = "\n"
MOST_MESSAGE = 4000  # characters of a host's own message; the record has the whole of it
NOT_FIT = Status("pre_check", "Not touched: not fit for the work", Tone.PARTLY)
CHECK_WORDS: Words = {
    Result.OK: ("Passed", Tone.GOOD),
    Result.CHANGED: ("Passed", Tone.GOOD),
    Result.FAILED: ("Failed", Tone.BAD),
    Result.UNREACHABLE: ("Not reached", Tone.BAD),
    Result.IN_DOUBT: ("Not known", Tone.UNKNOWN),
    Result.NOT_RUN: ("Not done", Tone.NEUTRAL),
}


def run_hosts(material: Material) -> tuple[RunHosts, ...]:
    """The hosts of every run of the period."""
    return tuple(hosts_of_run(run, material) for run in material.rows.runs)


def hosts_of_run(run: Run, material: Material) -> RunHosts:
    """The hosts of one run, in the order of its plan."""
    lines = tuple(host_line(row, run, material) for row in material.outcomes_of(run))
    return RunHosts(run.number, run.id, run.schedule, run.title or run.schedule, run.inventory, lines)


def host_line(row: OutcomeRow, run: Run, material: Material) -> HostLine:
    """One host in one run."""
    plan = material.plans[run.id]
    return HostLine(
        host=row.host,
        status=outcome_status(row),
        cause=row.cause,
        explanation=explanation(row, service=plan.services.get(row.host, "")),
        message=row.text[:MOST_MESSAGE],
        packages=packages_of(row),
        restart=restart_of(row.reboot),
        started=material.maybe(row.started_at),
        ended=material.maybe(row.ended_at),
        seconds=seconds_between(row.started_at, row.ended_at),
        checks=checks_of(material.checks.get((run.id, row.host), ()), plan),
    )


def outcome_status(row: OutcomeRow) -> Status:
    """How a host ended, in words."""
    return NOT_FIT if row.reason is NotRun.PRE_CHECK else status(row.result, RESULTS)


def explanation(row: OutcomeRow, *, service: str) -> str:
    """Why a host did not end well, for somebody who does not know how servers are kept, and what was done about it; empty when it did at the first try."""
    said = [IN_DOUBT] if row.result is Result.IN_DOUBT else []
    if row.reason is not None:
        said.append(WHY_NOT_RUN[row.reason])
    if not row.result.is_good and has_cause(row):
        package = package_in(row.text)
        said.append(words(cause_of(row), host=row.host, service=service, package=package, own=row.own_words).happened)
    return " ".join([*said, *afterwards(row)])


def afterwards(row: OutcomeRow) -> Iterator[str]:
    """What was done about a host that failed: tried again, and rolled back."""
    if row.attempts is not None and row.attempts > 1:
        yield f"The work was tried {row.attempts} times; the last try is what counts."
    if row.rollback:
        well = Result(row.rollback["result"]).is_good
        yield "It was rolled back." if well else f"The rollback failed: {first_line(row.rollback['text'])}."


def first_line(text: str) -> str:
    """The first line of a message, without the mark at its end."""
    return text.strip().partition(NEW_LINE)[0].rstrip(".")


def has_cause(row: OutcomeRow) -> bool:
    """Whether there is a cause to be told: a host that was left out for time or a lock has none."""
    return row.cause is not None or row.result in {Result.FAILED, Result.UNREACHABLE}


def cause_of(row: OutcomeRow) -> CauseClass:
    """The cause class of an outcome; one that was not told, or that a user's own rules named, is unknown to us."""
    if row.cause is None and row.result is Result.UNREACHABLE:
        return CauseClass.UNREACHABLE
    return CauseClass(row.cause) if row.cause in set(CauseClass) else CauseClass.UNKNOWN


def packages_of(row: OutcomeRow) -> tuple[PackageLine, ...] | None:
    """What changed among a host's packages; None when it was not looked at both before and after."""
    if row.reboot is None and not row.packages:
        return None
    return tuple(
        PackageLine(str(change["name"]), version(change, "before"), version(change, "after")) for change in row.packages
    )


def version(change: Mapping[str, Any], when: str) -> str | None:
    """A package's version then; None where it was not installed."""
    found = change.get(when)
    return None if found is None else str(found)


def restart_of(reboot: Mapping[str, Any] | None) -> Status | None:
    """Whether the host was restarted, and whether it needs to be; None when it was not compared."""
    if reboot is None:
        return None
    done, needed = bool(reboot.get("done")), bool(reboot.get("needed"))
    code = {(True, True): "done_and_needed", (True, False): "done", (False, True): "needed"}.get(
        (done, needed), "not_needed"
    )
    return status(code, RESTARTS)


def checks_of(rows: Sequence[CheckRow], plan: RunPlan) -> tuple[CheckLine, ...]:
    """What each check after the work said at last about one host."""
    return tuple(
        CheckLine(check_name(row.step, plan), status(row.result, CHECK_WORDS), row.text[:MOST_MESSAGE])
        for row in last_of_each(rows)
    )


def last_of_each(rows: Iterable[CheckRow]) -> list[CheckRow]:
    """The last attempt of each step; the rows come in order of attempts."""
    return list({row.step: row for row in rows}.values())


def check_name(position: int, plan: RunPlan) -> str:
    """What a check after the work is called."""
    if position >= len(plan.after):
        return f"check {position + 1}"
    step = plan.after[position]
    return "connection and inspection" if step.kind is StepKind.LOOK else step.name
