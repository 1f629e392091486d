"""Boundaries at work: a run against one is refused, whoever asks, and is over before one begins to hold."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from runner.domain.execution.outcome import NotRun
from runner.domain.execution.run import SlotOutcome
from runner.errors import Held
from runner.operations.execution.plan_occurrence import Asking, plan_occurrence
from runner.operations.execution.start_run import Wish, start_by_hand
from runner.operations.validate_files import validate_files
from runner.ports import PieceOrder
from runner.store.execution import outcomes, runs
from runner.store.time import slots
from tests.operations.a_site import HOSTS, LOOK, SATURDAY_NIGHT, SCHEDULE, SETTINGS, WINDOWS, Bench, StaticInventory
from tests.operations.conftest import Lay

HOUR = timedelta(hours=1)
NEVER = SETTINGS + "boundaries: {never: [{hosts: db}]}\n"
NIGHT_SHIFT = WINDOWS + '  night-shift: {day: sunday, start: "01:00", until: "02:00"}\n'
NOT_AT_NIGHT = SETTINGS + "boundaries: {never: [{hosts: db, during: night-shift}]}\n"
SHIFT_BEGINS = datetime(2026, 3, 22, 1, 0, tzinfo=UTC)
FORBIDDEN = "the boundary never: 'db' forbids to change db-01, db-02"


def reasons(bench: Bench, run_id: str) -> dict[str, NotRun | None]:
    return {row.host: row.result.reason for row in bench.site.store.read(lambda c: outcomes.of_run(c, run_id))}


def test_a_run_that_includes_a_forbidden_host_is_refused(lay: Lay) -> None:
    bench = lay(settings=NEVER)

    with pytest.raises(Held, match=FORBIDDEN):
        start_by_hand("patch", Wish(), site=bench.site)

    assert bench.site.store.read(lambda c: runs.recent(c, 1)) == []


def test_no_override_passes_a_boundary(lay: Lay) -> None:
    bench = lay(settings=NEVER)

    with pytest.raises(Held, match=FORBIDDEN) as refused:
        start_by_hand("patch", Wish(override="I want to", until=bench.time.now + HOUR), site=bench.site)

    assert "--override" not in str(refused.value)


def test_the_other_hosts_may_be_changed(lay: Lay) -> None:
    assert start_by_hand("patch", Wish(limit="web"), site=lay(settings=NEVER).site)


@pytest.mark.parametrize(("schedule", "check_mode"), [(SCHEDULE, True), (SCHEDULE + "effect: read_only\n", False)])
def test_what_changes_nothing_may_look_at_them(lay: Lay, schedule: str, check_mode: bool) -> None:
    bench = lay(settings=NEVER, schedule=schedule)

    assert start_by_hand("patch", Wish(check_mode=check_mode), site=bench.site)


def test_a_slot_that_includes_one_settles_as_held_with_the_boundary_as_reason(lay: Lay) -> None:
    bench = lay(settings=NEVER)
    opens = SATURDAY_NIGHT - HOUR / 2
    for moment in (opens - HOUR, opens, opens + timedelta(hours=5, minutes=14), opens + timedelta(hours=5, minutes=15)):
        bench.time.now = moment
        bench.tick()

    (slot,) = bench.site.store.read(lambda c: slots.between(c, opens, opens + HOUR))
    assert (slot.outcome, slot.reason) == (SlotOutcome.HELD, FORBIDDEN)


def test_a_boundary_of_a_window_holds_while_it_is_open_and_not_before(lay: Lay) -> None:
    bench = lay(settings=NOT_AT_NIGHT, windows=NIGHT_SHIFT)
    bench.time.now = SHIFT_BEGINS

    with pytest.raises(Held, match=r"during window 'night-shift' \(until 2026-03-22 02:00 UTC\)"):
        start_by_hand("patch", Wish(), site=bench.site)

    bench.time.now = SHIFT_BEGINS + HOUR
    assert start_by_hand("patch", Wish(), site=bench.site)


def test_a_run_is_over_before_the_boundary_begins_to_hold(lay: Lay) -> None:
    bench = lay(settings=NOT_AT_NIGHT, windows=NIGHT_SHIFT)
    bench.time.now = SHIFT_BEGINS - HOUR

    def canary_takes_its_time(order: PieceOrder) -> None:
        if order.playbook != LOOK:
            bench.time.now = SHIFT_BEGINS - timedelta(minutes=4)

    bench.ansible.before_start = canary_takes_its_time
    run_id = start_by_hand("patch", Wish(), site=bench.site)
    bench.play_out(run_id)

    assert bench.ansible.played() == [("web-01",)]
    assert reasons(bench, run_id) == {"web-01": None, **dict.fromkeys(HOSTS[1:], NotRun.NO_ROOM)}


def test_an_override_of_the_window_ends_where_a_boundary_begins(lay: Lay) -> None:
    bench = lay(settings=NOT_AT_NIGHT, windows=NIGHT_SHIFT)
    bench.time.now = SHIFT_BEGINS - 5 * HOUR

    run_id = start_by_hand("patch", Wish(override="it burns", until=SHIFT_BEGINS + HOUR), site=bench.site)

    plan = bench.site.store.read(lambda c: runs.get(c, run_id)).plan
    assert (plan.last_start, plan.ends) == (SHIFT_BEGINS, SHIFT_BEGINS)


def test_hosts_that_the_boundary_does_not_name_keep_the_whole_window(lay: Lay) -> None:
    bench = lay(settings=NOT_AT_NIGHT, windows=NIGHT_SHIFT, schedule=SCHEDULE.replace("hosts: all", "hosts: web"))

    plan = plan_occurrence("patch", Asking(SATURDAY_NIGHT), definitions=bench.site.current(), site=bench.site)

    assert (plan.boundary, plan.run.ends) == (None, SHIFT_BEGINS + 3 * HOUR)


def validated(root: Path) -> list[str]:
    return [str(problem) for problem in validate_files(root, environ=os.environ, inventories=StaticInventory())]


def test_validate_names_schedules_that_a_boundary_would_always_refuse(lay: Lay) -> None:
    root = lay(settings=NEVER).site.root

    assert validated(root) == [
        (
            "schedules/patch.yml:1:1: hosts: the boundary never: 'db' in wellkept.yml forbids to change db-01, db-02, so that every run "
            'would be refused. Leave them out, such as hosts: "all:!db-01".'
        )
    ]


@pytest.mark.parametrize("change", ["enabled: false\n", "effect: read_only\n"])
def test_validate_lets_be_what_changes_none_of_them(lay: Lay, change: str) -> None:
    assert validated(lay(settings=NEVER, schedule=SCHEDULE + change).site.root) == []


def test_validate_names_a_boundary_that_protects_nobody(lay: Lay) -> None:
    root = lay(settings=SETTINGS + "boundaries: {never: [{hosts: erp-db}]}\n").site.root

    assert validated(root) == [
        "wellkept.yml: never: no host of any inventory matches 'erp-db', so that this boundary protects nobody."
    ]
