from __future__ import annotations

import dataclasses
from collections import Counter
from pathlib import Path

import pytest

from runner.cli.answers_reference import in_words
from runner.cli.commands import COMMANDS
from runner.cli.reference import command_reference
from runner.operations.execution import list_runs

REFERENCE = Path(__file__).parents[2] / "docs/reference/commands.md"


def test_the_committed_reference_is_up_to_date() -> None:
    assert REFERENCE.read_text() == command_reference(), "python -m runner.cli.reference > docs/reference/commands.md"


def test_every_command_and_sub_command_is_described() -> None:
    told = command_reference()

    assert all(f"## `wellkept {name}`" in told for name in COMMANDS)
    assert "### `wellkept tickets resolve`" in told
    assert "`--fix TEXT` What was done about it." in told


def test_two_kinds_of_answers_never_bear_one_name() -> None:
    @dataclasses.dataclass
    class RunLine:
        number: int

    with pytest.raises(ValueError, match="RunLine"):
        in_words(RunLine, {"RunLine": list_runs.RunLine})


def test_no_two_headings_are_the_same() -> None:
    headings = Counter(line for line in command_reference().splitlines() if line.startswith("#"))

    assert [heading for heading, number in headings.items() if number > 1] == []
