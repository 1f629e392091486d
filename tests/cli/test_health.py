from __future__ import annotations

import pytest

from runner.cli.nagios import MOST, line_of
from runner.domain.health import Condition, Finding
from runner.store import health
from tests.cli.conftest import HEALTH, Repository

ILL = HEALTH.replace("load 85", "load 99")


def test_a_warning_is_shown_first_and_leaves_with_0(wellkept: Repository) -> None:
    answered = wellkept("health")

    assert answered.code == 0
    assert answered.out.splitlines()[1].startswith("warning")
    assert "1 of 3 answers need a look." in answered.out


def test_something_critical_leaves_with_1(wellkept: Repository) -> None:
    wellkept.write("schedules/health.yml", ILL)

    answered = wellkept("health", "load")

    assert answered.code == 1
    assert "fails above 92" in answered.out
    assert "answers" not in answered.out.splitlines()[1]


def test_a_question_that_cannot_be_put_leaves_with_4(wellkept: Repository) -> None:
    wellkept.write("schedules/health.yml", HEALTH.replace('"true"', '"no-such-program"'))

    assert wellkept("health", "answers").code == 4


def test_the_answers_are_recorded(wellkept: Repository) -> None:
    wellkept("health", "web2")

    states = wellkept.store.read(health.states)

    assert [(state.check, state.host) for state in states] == [("answers", "web2")]


def test_json_has_the_worst_condition_and_every_finding(wellkept: Repository) -> None:
    document = wellkept("health", "--format", "json").json()

    assert document["condition"] == "warning"
    assert document["findings"][0] | {"seconds": 0} == {
        "check": "load",
        "inventory": "production",
        "host": "web1",
        "condition": "warning",
        "summary": document["findings"][0]["summary"],
        "number": 85.0,
        "seconds": 0,
        "facts": {"exit_code": 0},
    }


def test_a_name_that_nothing_bears_is_an_error_in_words(wellkept: Repository) -> None:
    answered = wellkept("health", "mail")

    assert answered.code == 2
    assert "'mail'" in answered.err


def test_without_any_check_it_says_how_to_write_one(wellkept: Repository) -> None:
    (wellkept.root / "schedules/health.yml").unlink()

    answered = wellkept("health")

    assert answered.code == 4
    assert "schedules/health.yml" in answered.out


def test_an_inventory_that_cannot_be_read_is_said(wellkept: Repository) -> None:
    wellkept.write("hosts.ini", "[web\n")

    answered = wellkept("health")

    assert answered.code == 4
    assert "inventory production" in answered.err


def test_monitoring_gets_one_line_with_performance_data(wellkept: Repository) -> None:
    answered = wellkept("health", "--format", "nagios")

    assert answered.code == 1
    assert answered.out.count("\n") == 1
    assert answered.out.startswith("WELLKEPT WARNING - web1: load")
    assert "| ok=2 warning=1 critical=0 unknown=0 'load web1'=85;80;92" in answered.out


def test_monitoring_gets_the_plugin_code_for_critical(wellkept: Repository) -> None:
    wellkept.write("schedules/health.yml", ILL)

    assert wellkept("health", "--format", "nagios").code == 2


@pytest.mark.parametrize("name", ["wellkept.yml", "schedules/health.yml"])
def test_monitoring_never_takes_broken_files_for_an_ill_host(wellkept: Repository, name: str) -> None:
    wellkept.write(name, "health: [\n")

    answered = wellkept("health", "--format", "nagios")

    assert answered.code == 3
    assert answered.out.startswith("WELLKEPT UNKNOWN - ")
    assert answered.out.count("\n") == 1


def test_a_long_answer_to_monitoring_is_bounded_and_keeps_its_counts() -> None:
    findings = [
        Finding("disk", "production", f"web{n}", Condition.WARNING, "a | bar" * 5, number=float(n)) for n in range(999)
    ]

    line = line_of(findings, {})

    assert len(line) < MOST
    assert line.count("|") == 1
    assert "warning=999" in line
