"""`reserve`: the schedule's own, else the default one, and never one that leaves no room."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from runner.domain.settings import Definitions
from tests.config.conftest import SCHEDULE, SETTINGS, WINDOWS

Checked = Callable[..., tuple[Definitions | None, list[str]]]
TEN = SETTINGS.replace("owner: ana,", "owner: ana, reserve: 10m,")
CUTOFF = WINDOWS.replace("duration: 4h", "duration: 4h, cutoff: 45m")


def reserve_in(checked: Checked, **files: str) -> timedelta:
    definitions, problems = checked({f"{name.replace('__', '/')}.yml": text for name, text in files.items()})
    assert definitions is not None, problems
    return definitions.schedules["patch-web"].reserve


def test_without_a_word_a_host_without_a_past_is_given_five_minutes(checked: Checked) -> None:
    assert reserve_in(checked) == timedelta(minutes=5)


def test_the_default_reserve_holds_for_schedules_that_name_none(checked: Checked) -> None:
    definitions, _ = checked({"wellkept.yml": TEN})

    assert definitions is not None
    schedule = definitions.schedules["patch-web"]
    assert schedule.reserve == timedelta(minutes=10)
    assert "reserve: 10m for a host without a past, from wellkept.yml" in schedule.defaults_used


def test_a_schedules_own_reserve_comes_before_the_default_one(checked: Checked) -> None:
    definitions, _ = checked({"wellkept.yml": TEN, "schedules/patch-web.yml": SCHEDULE + "reserve: 1h30m\n"})

    assert definitions is not None
    schedule = definitions.schedules["patch-web"]
    assert schedule.reserve == timedelta(minutes=90)
    assert not [line for line in schedule.defaults_used if line.startswith("reserve")]


def test_a_reserve_that_is_longer_than_the_window_is_refused(checked: Checked) -> None:
    _, problems = checked({"schedules/patch-web.yml": SCHEDULE + "reserve: 5h\n"})

    assert problems == [
        "schedules/patch-web.yml:5:10: reserve: 5h is longer than the window, which has 4h: no host without a past could ever begin. Make it shorter"
    ]


def test_a_default_reserve_that_is_longer_than_a_window_is_warned_of_at_the_schedule(checked: Checked) -> None:
    short = WINDOWS.replace("duration: 4h", "duration: 5m")

    _, problems = checked({"wellkept.yml": TEN, "schedules/windows.yml": short})

    told = "reserve: 10m, from wellkept.yml, is longer than the window, which has 5m: no host without a past could ever begin. Add a shorter reserve"
    assert problems == [f"schedules/patch-web.yml:4:9: warning: {told}"]


def test_a_reserve_that_leaves_only_the_first_moments_is_warned_of(checked: Checked) -> None:
    definitions, problems = checked(
        {"schedules/windows.yml": CUTOFF, "schedules/patch-web.yml": SCHEDULE + "reserve: 3h30m\n"}
    )

    assert definitions is not None
    (problem,) = problems
    assert problem.startswith(
        "schedules/patch-web.yml:5:10: warning: reserve: 3h30m is longer than the window without its cutoff, which has 3h15m: "
    )
    assert problem.endswith("hosts without a past begin only in the first 30m. Make it shorter, or the window longer")


@pytest.mark.parametrize(
    ("schedule", "why"),
    [
        (SCHEDULE + "effect: read_only\n", "read-only work is not bound by the end of a window"),
        (SCHEDULE.replace("prod-patch", "always"), "the window that is always open has no end"),
        (
            SCHEDULE.replace("window: prod-patch", "every: 1h") + "effect: read_only\n",
            "read-only work is not bound by the end of a window",
        ),
    ],
)
def test_a_reserve_for_work_without_an_end_is_refused(checked: Checked, schedule: str, why: str) -> None:
    _, problems = checked({"schedules/patch-web.yml": schedule + "reserve: 5m\n"})

    assert [problem.partition(": ")[2] for problem in problems] == [f"reserve: has no effect, as {why}. Remove it"]


@pytest.mark.parametrize(
    ("text", "way_out"), [("5", "5m"), ('"5 minutes"', "Write 5m"), ("0m", "reserve"), ("1mo", "30d")]
)
def test_a_reserve_that_is_no_length_of_time_is_told_with_the_way_out(
    checked: Checked, text: str, way_out: str
) -> None:
    _, problems = checked({"schedules/patch-web.yml": SCHEDULE + f"reserve: {text}\n"})

    assert len(problems) == 1
    assert problems[0].startswith("schedules/patch-web.yml:5:10: reserve: ")
    assert way_out in problems[0]


def test_a_duty_has_no_reserve(checked: Checked) -> None:
    _, problems = checked(
        {"schedules/duty.yml": "kind: manual\ntitle: Train\nwhy: So.\nwindow: prod-patch\nreserve: 5m\n"}
    )

    assert [problem for problem in problems if "reserve" in problem] == [
        "schedules/duty.yml:5:1: reserve: a manual duty runs no playbook. Remove it"
    ]
