"""One round of probes as a step of a run: every host of the piece is asked one health check."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

from runner.domain.execution.outcome import HostResult, Result
from runner.domain.execution.run import Stage
from runner.domain.health import Condition, Finding, judge
from runner.operations.check_health import write_findings
from runner.operations.execution.execute_playbook import Claimed
from runner.operations.site import Site

POST_CHECK_FAILED, PRE_CHECK_FAILED = "post_check_failed", "unknown"


def ask_hosts(work: Claimed, *, site: Site) -> tuple[dict[str, HostResult], list[Finding]]:
    """Ask the check that this step names, record the findings, and give a result for every host of the piece."""
    check = work.definitions.checks[work.step.name]
    answer = site.snapshotted.answer(work.run.snapshot, work.run.plan.inventory)
    started = site.clock()
    asked = {host: answer.hosts.get(host, {}) for host in work.piece.hosts}
    findings = [judge(check, each) for each in site.probe.ask(check, asked)]
    ended = site.clock()
    site.store.write(partial(write_findings, check=check, findings=findings, at=ended))
    results = {finding.host: result_from(finding, work.piece.stage) for finding in findings}
    return {host: replace(result, started=started, ended=ended) for host, result in results.items()}, findings


def result_from(finding: Finding, stage: Stage) -> HostResult:
    """A warning passes; a host that is ill, or that could not be asked, does not."""
    if finding.condition in {Condition.OK, Condition.WARNING}:
        return HostResult(finding.host, Result.OK, touched=False, text=finding.summary)
    cause = POST_CHECK_FAILED if stage is Stage.POST_CHECK else PRE_CHECK_FAILED
    return HostResult(
        finding.host,
        Result.FAILED,
        touched=stage is Stage.POST_CHECK,
        cause=cause,
        text=finding.summary,
        signature=f"health check {finding.check}",
        task=f"health check {finding.check}",
        module="probe",
    )


def conditions(findings: Sequence[Finding]) -> Mapping[str, str]:
    """How each host stands, for the record."""
    return {finding.host: str(finding.condition) for finding in findings}
