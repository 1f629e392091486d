"""Questions asked of hosts and services, and what their answers mean."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum


class Probe(StrEnum):
    """The kinds of question."""

    TCP = "tcp"
    SSH = "ssh"
    HTTP = "http"


class Condition(StrEnum):
    """How something is; `unknown` when the question could not be put for a reason on our side. SEVERITY has them from best to worst."""

    OK = "ok"
    WARNING = "warning"
    CRITICAL = "critical"
    UNKNOWN = "unknown"


SEVERITY = (Condition.OK, Condition.WARNING, Condition.UNKNOWN, Condition.CRITICAL)
"""Conditions from best to worst: what is known to be ill comes before what is not known."""


@dataclass(frozen=True, slots=True)
class Threshold:
    """A comparison with a number, such as `> 80`; `operator` is one of < <= > >= == !=."""

    operator: str
    number: float

    def is_crossed(self, number: float) -> bool:
        """Whether the comparison is true for `number`."""
        comparisons = {
            "<": number < self.number,
            "<=": number <= self.number,
            ">": number > self.number,
            ">=": number >= self.number,
            "==": number == self.number,
            "!=": number != self.number,
        }
        return comparisons[self.operator]

    def __str__(self) -> str:
        words = {
            "<": "below ",
            "<=": "at or below ",
            ">": "above ",
            ">=": "at or above ",
            "==": "at ",
            "!=": "at anything but ",
        }
        return f"{words[self.operator]}{self.number:g}"


@dataclass(frozen=True, slots=True)
class Check:
    """One question, to whom it goes, and how often.

    `run` is a command line for `ssh`; `number` a regular expression whose first group is compared with `warn` and `fail`; `url` may use
    `{{ inventory_hostname }}`.
    """

    name: str
    probe: Probe
    hosts: str
    every: timedelta
    inventory: str
    port: int | None = None
    run: str | None = None
    number: str | None = None
    warn: Threshold | None = None
    fail: Threshold | None = None
    url: str | None = None
    status: int = 200
    within: timedelta = timedelta(seconds=10)
    down_after: int = 1
    source: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a probe brought back: an answer, or why there is none. `seconds` is how long it took.

    `asked` is False when the question could not be put for a reason on our side, such as a login that we have no key for; `reached` is False when the host
    gave no answer. `error` says why in both cases. `text` is what the host said, bounded.
    """

    check: str
    host: str
    reached: bool
    text: str = ""
    exit_code: int | None = None
    status: int | None = None
    seconds: float = 0.0
    error: str = ""
    asked: bool = True


@dataclass(frozen=True, slots=True)
class Finding:
    """How one host stands on one check, in words."""

    check: str
    inventory: str
    host: str
    condition: Condition
    summary: str
    number: float | None = None
    seconds: float = 0.0
    facts: Mapping[str, object] = field(default_factory=dict)


_CANNOT_RUN = frozenset({126, 127})  # POSIX sh: found but not executable; not found
_LONGEST = 200  # characters of a host's own words in a summary


def judge(check: Check, answer: Answer) -> Finding:
    """Say how one host stands on one check, from its answer alone."""
    condition, summary, number = _judged(check, answer)
    known = {"exit_code": answer.exit_code, "status": answer.status}
    facts = {name: value for name, value in known.items() if value is not None}
    return Finding(
        check.name, check.inventory, answer.host, condition, summary, number=number, seconds=answer.seconds, facts=facts
    )


def worst(findings: Iterable[Finding]) -> Condition:
    """The worst condition among findings; without any, nothing is known."""
    return max((finding.condition for finding in findings), key=SEVERITY.index, default=Condition.UNKNOWN)


def by_severity(finding: Finding) -> tuple[int, str, str]:
    """A sort key: worst first, then by check and host."""
    return (-SEVERITY.index(finding.condition), finding.check, finding.host)


_Judgement = tuple[Condition, str, float | None]


def _judged(check: Check, answer: Answer) -> _Judgement:
    if not answer.asked:
        return Condition.UNKNOWN, f"{check.name} could not be asked: {_bounded(answer.error)}", None
    if not answer.reached:
        return Condition.CRITICAL, f"{check.name}: no answer: {_bounded(answer.error)}", None
    judgement = _JUDGED[check.probe](check, answer)
    limit = check.within.total_seconds()
    if judgement[0] in {Condition.OK, Condition.WARNING} and answer.seconds > limit:
        return (
            Condition.CRITICAL,
            f"{check.name} took {answer.seconds:.3g} s to answer; it fails above {limit:g} s",
            judgement[2],
        )
    return judgement


def _judge_tcp(check: Check, answer: Answer) -> _Judgement:
    port = f"port {check.port}" if check.port else "its port"
    return Condition.OK, f"{check.name}: {port} answers within {answer.seconds:.2g} s", None


def _judge_http(check: Check, answer: Answer) -> _Judgement:
    if answer.status == check.status:
        return Condition.OK, f"{check.name} answers {answer.status}", None
    return Condition.CRITICAL, f"{check.name} answers {answer.status} instead of {check.status}", None


def _judge_ssh(check: Check, answer: Answer) -> _Judgement:
    if answer.exit_code in _CANNOT_RUN:
        return Condition.UNKNOWN, f"{check.name}: the command cannot be run there: {_last_words(answer)}", None
    return _judge_number(check, check.number, answer) if check.number else _judge_exit(check, answer)


def _judge_exit(check: Check, answer: Answer) -> _Judgement:
    if answer.exit_code == 0:
        return Condition.OK, f"{check.name} is fine", None
    return Condition.CRITICAL, f"{check.name} failed with code {answer.exit_code}: {_last_words(answer)}", None


def _judge_number(check: Check, expression: str, answer: Answer) -> _Judgement:
    """Compare the first number found; without a threshold, the exit code decides."""
    found = _found(expression, answer.text)
    if found is None:
        if answer.exit_code:
            return _judge_exit(check, answer)
        return (
            Condition.UNKNOWN,
            f"{check.name}: there is no number like {expression!r} in the answer: {_last_words(answer)}",
            None,
        )
    words, number = found
    for condition, threshold, verb in (
        (Condition.CRITICAL, check.fail, "fails"),
        (Condition.WARNING, check.warn, "warns"),
    ):
        if threshold and threshold.is_crossed(number):
            return condition, f"{check.name} is {words}; it {verb} {threshold}", number
    if answer.exit_code and not (check.fail or check.warn):
        condition, summary, _ = _judge_exit(check, answer)
        return condition, summary, number
    return Condition.OK, f"{check.name} is {words}", number


def _found(expression: str, text: str) -> tuple[str, float] | None:
    """What the expression matched, as people would read it, and the number in its first group."""
    try:
        match = re.search(expression, text)
        return (" ".join(match[0].split()), float(match[1].replace(",", "."))) if match else None
    except (re.error, IndexError, ValueError, AttributeError):
        return None


def _last_words(answer: Answer) -> str:
    lines = [line.strip() for line in answer.text.splitlines() if line.strip()]
    return _bounded(lines[-1]) if lines else "it said nothing"


def _bounded(words: str) -> str:
    return words if len(words) <= _LONGEST else f"{words[: _LONGEST - 3]}..."


_JUDGED = {Probe.TCP: _judge_tcp, Probe.HTTP: _judge_http, Probe.SSH: _judge_ssh}
