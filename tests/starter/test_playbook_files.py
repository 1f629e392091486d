"""The starter playbooks as files: plain, built-in, every task named, and safe to be called per batch of hosts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

PLAYBOOKS = Path(__file__).resolve().parents[2] / "playbooks"
FILES = sorted(PLAYBOOKS.rglob("*.yml"))
NOT_PER_BATCH = {
    "run_once",
    "serial",
    "max_fail_percentage",
    "any_errors_fatal",
    "delegate_to",
    "strategy",
    "vars_prompt",
}
NOT_A_MODULE = {
    *("name", "when", "register", "vars", "loop", "until", "retries", "delay", "check_mode", "changed_when"),
    *("failed_when", "ignore_errors", "environment", "tags", "become"),
}


def named(path: Path) -> str:
    return str(path.relative_to(PLAYBOOKS))


def tasks_in(items: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for item in items:
        yield item
        yield from tasks_in(item.get("block", []))


def modules_of(task: dict[str, Any]) -> set[str]:
    return set(task) - NOT_A_MODULE - {"block"}


@pytest.fixture(params=FILES, ids=named)
def plays(request: pytest.FixtureRequest) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = yaml.safe_load(request.param.read_text())
    return found


def test_there_are_the_playbooks_that_the_readme_names() -> None:
    readme = (PLAYBOOKS / "README.md").read_text()

    assert [named(path) for path in FILES if f"| {named(path)} |" not in readme] == []
    assert len(FILES) == 6


def test_every_play_and_every_task_has_a_name(plays: list[dict[str, Any]]) -> None:
    unnamed = [item for play in plays for item in [play, *tasks_in(play["tasks"])] if not item.get("name")]

    assert unnamed == []


def test_only_modules_that_come_with_ansible_are_used(plays: list[dict[str, Any]]) -> None:
    used = {name for play in plays for task in tasks_in(play["tasks"]) for name in modules_of(task)}

    assert {name for name in used if not name.startswith("ansible.builtin.")} == set()
    assert used != set()


def test_nothing_would_mean_something_else_when_called_per_batch(plays: list[dict[str, Any]]) -> None:
    keys = {key for play in plays for item in [play, *tasks_in(play["tasks"])] for key in item}

    assert keys & NOT_PER_BATCH == set()
    assert {play["hosts"] for play in plays} == {"all"}


def test_another_system_is_refused_before_anything_else_is_done(plays: list[dict[str, Any]]) -> None:
    for play in plays:
        first, second = play["tasks"][:2]
        assert modules_of(first) == {"ansible.builtin.setup"}
        assert 'ansible_facts.os_family == "Debian"' in str(second["ansible.builtin.assert"]["that"])


def test_every_variable_that_the_comment_offers_has_a_default(plays: list[dict[str, Any]]) -> None:
    path = next(path for path in FILES if yaml.safe_load(path.read_text()) == plays)
    head = path.read_text().split("- name:")[0].splitlines()
    offered = {
        line[4:].split(":")[0] for line in head if line.startswith("#   ") and line[4:5].isalpha() and ":" in line
    }

    assert {name for name in offered if name not in plays[0]["vars"]} == set()
