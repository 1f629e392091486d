"""Health findings as monitoring plugins tell them: one line, performance data, exit codes 0 to 3.

Source: Monitoring Plugins Development Guidelines (Nagios plugin API): `TEXT | 'label'=value;warn;crit`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from runner.domain.health import Check, Finding, Threshold

UNKNOWN = 3
EXIT_CODES = {"ok": 0, "warning": 1, "critical": 2, "unknown": UNKNOWN}
MOST = 4000  # characters; older monitoring servers cut there
NAMED = 5  # findings told by name


def exit_code_of(condition: str) -> int:
    """The plugin code of a condition."""
    return EXIT_CODES[condition]


def line_of(findings: Sequence[Finding], checks: Mapping[str, Check]) -> str:
    """The worst findings in words, then the counts and every number as performance data."""
    from runner.domain.health import worst

    if not findings:
        return "WELLKEPT UNKNOWN - there is no health check"
    counts = Counter(str(finding.condition) for finding in findings)
    line = f"WELLKEPT {worst(findings).upper()} - {words(findings)}"
    numbers = [f"{kind}={counts[kind]}" for kind in EXIT_CODES]
    line += f" | {' '.join(numbers)}"
    for number in performance(findings, checks):
        if len(line) + len(number) < MOST:
            line += f" {number}"
    return line


def words(findings: Sequence[Finding]) -> str:
    """What is not well, worst first."""
    bad = [finding for finding in findings if finding.condition != "ok"]
    if not bad:
        return f"{len(findings)} answers, all well"
    told = "; ".join(f"{finding.host}: {finding.summary}" for finding in bad[:NAMED])
    rest = f"; and {len(bad) - NAMED} more" if len(bad) > NAMED else ""
    return " ".join(f"{told}{rest}".split()).replace("|", "/")


def performance(findings: Sequence[Finding], checks: Mapping[str, Check]) -> Iterator[str]:
    """Each number with the thresholds of its check."""
    for finding in findings:
        if finding.number is not None:
            check = checks.get(finding.check)
            label = f"{finding.check} {finding.host}".replace("'", "").replace("=", "")
            warn, fail = (limit(check.warn), limit(check.fail)) if check else ("", "")
            yield f"'{label}'={finding.number:g};{warn};{fail}"


def limit(threshold: Threshold | None) -> str:
    """A threshold as plugins write ranges: `80` alerts above it, `20:` below it; nothing for the others."""
    if threshold is None:
        return ""
    return {">": "{:g}", ">=": "{:g}", "<": "{:g}:", "<=": "{:g}:"}.get(threshold.operator, "").format(threshold.number)
