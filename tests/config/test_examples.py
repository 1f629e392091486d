"""The examples of the language load, but for what is known and not built yet."""

import re
from datetime import date
from pathlib import Path

import pytest

from runner.adapters.calendars import Calendars
from runner.config import check, not_yet
from runner.errors import Problem

EXAMPLE = Path(__file__).parents[2] / "docs/reference/files/example"
KEYS = {key for keys in not_yet.KEYS.values() for key in keys}
VALUES = {value for values in not_yet.VALUES.values() for value in values}


@pytest.fixture(scope="module")
def errors() -> list[Problem]:
    _, problems = check(EXAMPLE, environ={}, today=date(2026, 1, 15), sources=Calendars())
    return [problem for problem in problems if problem.severity == "error"]


def test_the_examples_have_no_error_but_what_is_not_built_yet(errors: list[Problem]) -> None:
    unexpected = [str(problem) for problem in errors if " is not supported yet " not in f" {problem.message}"]

    assert unexpected == []


def test_what_is_not_built_yet_is_on_the_list(errors: list[Problem]) -> None:
    for problem in errors:
        words = re.findall(r"[\w-]+", problem.message.partition("is not supported yet")[0])
        assert words[-1] in KEYS | VALUES, str(problem)


def test_the_examples_have_every_key_that_is_not_built_yet(errors: list[Problem]) -> None:
    told = {problem.message.partition(":")[0] for problem in errors}

    assert KEYS - told == set()


def test_every_file_that_the_examples_name_is_there(errors: list[Problem]) -> None:
    assert not [str(problem) for problem in errors if "there is no" in problem.message]
    assert (EXAMPLE / "maintenance.ics").read_bytes().startswith(b"BEGIN:VCALENDAR\r\n")
    assert (EXAMPLE / "freezes/board.ics").read_bytes().startswith(b"BEGIN:VCALENDAR\r\n")
