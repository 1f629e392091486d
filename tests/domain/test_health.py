"""What an answer means, in words."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.domain.health import (
    SEVERITY,
    Answer,
    Check,
    Condition,
    Finding,
    Probe,
    Threshold,
    by_severity,
    judge,
    worst,
)


def a_check(probe: Probe = Probe.SSH, **more) -> Check:
    return Check(name="disk", probe=probe, hosts="all", every=timedelta(minutes=5), inventory="production", **more)


def an_answer(**more) -> Answer:
    return Answer(**{"check": "disk", "host": "web-01", "reached": True, **more})


DISK = a_check(run="df --output=pcent /", number=r"(\d+)%", warn=Threshold(">", 80), fail=Threshold(">", 92))


@pytest.mark.parametrize(
    ("text", "condition", "summary"),
    [
        ("Use%\n 41%\n", Condition.OK, "disk is 41%"),
        ("Use%\n 80%\n", Condition.OK, "disk is 80%"),
        ("Use%\n 81%\n", Condition.WARNING, "disk is 81%; it warns above 80"),
        ("Use%\n 93%\n", Condition.CRITICAL, "disk is 93%; it fails above 92"),
        ("nothing here\n", Condition.UNKNOWN, r"disk: there is no number like '(\\d+)%' in the answer: nothing here"),
    ],
)
def test_a_number_is_compared_with_what_warns_and_what_fails(text: str, condition: Condition, summary: str) -> None:
    finding = judge(DISK, an_answer(text=text, exit_code=0))

    assert (finding.condition, finding.summary) == (condition, summary)


def test_the_number_itself_is_kept() -> None:
    finding = judge(DISK, an_answer(text="93%", exit_code=0, seconds=0.2))

    assert (finding.number, finding.seconds, finding.facts) == (93.0, 0.2, {"exit_code": 0})
    assert (finding.check, finding.inventory, finding.host) == ("disk", "production", "web-01")


@pytest.mark.parametrize(
    ("operator", "crossed_by"), [("<", 9), ("<=", 10), (">", 11), (">=", 10), ("==", 10), ("!=", 9)]
)
def test_every_comparison_means_what_it_says(operator: str, crossed_by: float) -> None:
    threshold = Threshold(operator, 10)

    assert threshold.is_crossed(crossed_by)
    assert not threshold.is_crossed({"<": 10, "<=": 11, ">": 10, ">=": 9, "==": 9, "!=": 10}[operator])


def test_without_a_number_the_exit_code_decides() -> None:
    check = a_check(run="systemctl is-active nginx")

    fine, ill = (
        judge(check, an_answer(exit_code=0, text="active")),
        judge(check, an_answer(exit_code=3, text="inactive\n")),
    )

    assert (fine.condition, fine.summary) == (Condition.OK, "disk is fine")
    assert (ill.condition, ill.summary) == (Condition.CRITICAL, "disk failed with code 3: inactive")


@pytest.mark.parametrize("code", [126, 127])
def test_a_command_that_is_not_there_says_nothing_about_the_host(code: int) -> None:
    finding = judge(DISK, an_answer(exit_code=code, text="sh: 1: df: not found"))

    assert (finding.condition, finding.summary) == (
        Condition.UNKNOWN,
        "disk: the command cannot be run there: sh: 1: df: not found",
    )


def test_a_command_that_fails_without_a_number_is_critical() -> None:
    assert (
        judge(DISK, an_answer(exit_code=1, text="df: /: stale handle")).summary
        == "disk failed with code 1: df: /: stale handle"
    )


def test_a_number_without_thresholds_is_shown_and_the_exit_code_decides() -> None:
    check = a_check(number=r"load ([\d.]+)")

    assert judge(check, an_answer(exit_code=0, text="load 0.5")).summary == "disk is load 0.5"
    assert judge(check, an_answer(exit_code=2, text="load 0.5")).condition is Condition.CRITICAL


@pytest.mark.parametrize(("text", "number"), [("3,5 %", 3.5), ("-4 %", -4.0), ("1e3 %", 1000.0)])
def test_numbers_are_read_as_people_write_them(text: str, number: float) -> None:
    assert judge(a_check(number=r"(\S+) %"), an_answer(exit_code=0, text=text)).number == number


@pytest.mark.parametrize("number", ["(", r"\d+", "(x)|y"])
def test_an_expression_that_gives_no_number_is_unknown_and_no_crash(number: str) -> None:
    assert judge(a_check(number=number), an_answer(exit_code=0, text="y 5")).condition is Condition.UNKNOWN


@pytest.mark.parametrize("probe", list(Probe))
def test_a_host_that_does_not_answer_is_critical(probe: Probe) -> None:
    finding = judge(a_check(probe), an_answer(reached=False, error="connection refused"))

    assert (finding.condition, finding.summary) == (Condition.CRITICAL, "disk: no answer: connection refused")


@pytest.mark.parametrize("probe", list(Probe))
def test_a_question_that_could_not_be_put_from_our_side_is_unknown(probe: Probe) -> None:
    finding = judge(a_check(probe), an_answer(reached=False, asked=False, error="its host key is not known"))

    assert (finding.condition, finding.summary) == (
        Condition.UNKNOWN,
        "disk could not be asked: its host key is not known",
    )


LATE = [
    (Probe.TCP, an_answer(seconds=2.1)),
    (Probe.HTTP, an_answer(seconds=2.1, status=200)),
    (Probe.SSH, an_answer(seconds=2.1, exit_code=0)),
]


@pytest.mark.parametrize(("probe", "answer"), LATE)
def test_a_late_answer_is_critical(probe: Probe, answer: Answer) -> None:
    finding = judge(a_check(probe, within=timedelta(seconds=2)), answer)

    assert (finding.condition, finding.summary) == (Condition.CRITICAL, "disk took 2.1 s to answer; it fails above 2 s")


def test_another_status_than_the_expected_one_is_critical() -> None:
    check = a_check(Probe.HTTP, status=301)

    assert judge(check, an_answer(status=301)).condition is Condition.OK
    assert judge(check, an_answer(status=200)).summary == "disk answers 200 instead of 301"


def test_a_port_that_answers_is_fine() -> None:
    assert (
        judge(a_check(Probe.TCP, port=22), an_answer(seconds=0.012)).summary == "disk: port 22 answers within 0.012 s"
    )


def a_finding(condition: Condition, host: str = "web-01") -> Finding:
    return Finding("disk", "production", host, condition, "")


def test_what_is_ill_is_worse_than_what_is_not_known() -> None:
    assert (
        worst([a_finding(Condition.UNKNOWN), a_finding(Condition.CRITICAL), a_finding(Condition.OK)])
        is Condition.CRITICAL
    )
    assert worst([a_finding(Condition.UNKNOWN), a_finding(Condition.WARNING)]) is Condition.UNKNOWN


def test_no_finding_means_that_nothing_is_known() -> None:
    assert worst([]) is Condition.UNKNOWN


def test_findings_are_listed_worst_first_then_by_host() -> None:
    listed = sorted(
        [a_finding(Condition.OK, "a"), a_finding(Condition.CRITICAL, "c"), a_finding(Condition.CRITICAL, "b")],
        key=by_severity,
    )

    assert [finding.host for finding in listed] == ["b", "c", "a"]


@given(st.lists(st.sampled_from(list(Condition)), min_size=1))
def test_the_worst_of_many_is_the_first_in_order(conditions: list[Condition]) -> None:
    findings = [a_finding(condition) for condition in conditions]

    assert worst(findings) is sorted(findings, key=by_severity)[0].condition
    assert set(SEVERITY) == set(Condition)


@given(st.text(), st.integers(0, 255), st.sampled_from(list(Probe)), st.text(max_size=10))
def test_any_answer_to_any_expression_gets_a_short_verdict(text: str, code: int, probe: Probe, number: str) -> None:
    finding = judge(a_check(probe, number=number or None), an_answer(text=text, exit_code=code, status=code))

    assert finding.condition in SEVERITY
    assert len(finding.summary) < 600
