"""`readiness`: a look ahead of each slot, with the checks of the schedule or its own."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from runner.domain.execution.schedule import Readiness
from runner.domain.settings import Definitions
from tests.config.conftest import PLAYBOOK, SCHEDULE

Checked = Callable[..., tuple[Definitions | None, list[str]]]
READY = {"playbooks/ready.yml": PLAYBOOK}
WITH_CHECKS = SCHEDULE + "before: [playbooks/ready.yml]\n"


@pytest.mark.parametrize(
    ("text", "checks"),
    [("{before: 1d}", ("playbooks/ready.yml",)), ("{before: 1d, checks: []}", ())],
)
def test_without_checks_of_its_own_it_has_those_before_the_work(
    checked: Checked, text: str, checks: tuple[str, ...]
) -> None:
    definitions, problems = checked({**READY, "schedules/patch-web.yml": WITH_CHECKS + f"readiness: {text}\n"})

    assert definitions is not None, problems
    assert definitions.schedules["patch-web"].readiness == Readiness(timedelta(days=1), checks)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{}", "before"),
        ("1d", "readiness"),
        ("{before: 1}", "A duration needs its unit: before: 1m"),
        ("{before: 31d}", "before: 31d ahead says nothing about the slot. Write at most 30d, such as before: 1d"),
        ("{before: 1d, checks: [health:disc]}", "disc"),
        ("{before: 1d, checks: [playbooks/gone.yml]}", "there is no playbook playbooks/gone.yml"),
        ("{before: 1d, check: [playbooks/ready.yml]}", "checks"),
    ],
)
def test_a_wrong_readiness_is_told_once_where_it_stands(checked: Checked, text: str, told: str) -> None:
    _, problems = checked({**READY, "schedules/patch-web.yml": SCHEDULE + f"readiness: {text}\n"})

    assert len(problems) == 1, problems
    assert problems[0].startswith("schedules/patch-web.yml:5:")
    assert told in problems[0]


@pytest.mark.parametrize(
    "schedule",
    [
        SCHEDULE.replace("prod-patch", "always"),
        SCHEDULE.replace("window: prod-patch", "every: 1h") + "effect: read_only\n",
    ],
)
def test_without_slots_there_is_nothing_to_look_ahead_of(checked: Checked, schedule: str) -> None:
    _, problems = checked({"schedules/patch-web.yml": schedule + "readiness: {before: 1d}\n"})

    assert [problem.partition(": ")[2] for problem in problems] == [
        "readiness: it looks ahead of a slot, and without a window that opens there is none. Remove it"
    ]
