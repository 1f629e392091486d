"""A disk that is nearly full: no new work begins, what goes on draws no further hosts, and both say so."""

from __future__ import annotations

from datetime import timedelta

import pytest

from runner.domain.execution.guards import LEAST_FREE
from runner.domain.execution.next_step import Wait
from runner.domain.execution.run import SlotOutcome, Verdict
from runner.errors import Held
from runner.operations.execution.advance_run import advance_run
from runner.operations.execution.plan_occurrence import Asking, plan_occurrence
from runner.operations.execution.start_run import Wish, start_by_hand
from runner.ports import PieceOrder
from runner.store.execution import runs
from runner.store.time import slots
from tests.operations.a_site import HOSTS, LOOK, SATURDAY_NIGHT, Bench

FULL = "less than 256 MiB are free on the disk of the record; make room on it"
HOUR = timedelta(hours=1)


class Disk:
    """A disk whose room a test decides."""

    def __init__(self) -> None:
        self.free = LEAST_FREE

    def __call__(self) -> int:
        return self.free


@pytest.fixture
def disk() -> Disk:
    return Disk()


@pytest.fixture
def on_it(bench: Bench, disk: Disk) -> Bench:
    """A bench whose record lies on that disk."""
    return bench.but(free_bytes=disk)


@pytest.mark.parametrize("wish", [Wish(), Wish(check_mode=True), Wish(override="now", until=SATURDAY_NIGHT + HOUR)])
def test_on_a_full_disk_no_run_begins_whatever_a_person_says(on_it: Bench, disk: Disk, wish: Wish) -> None:
    disk.free -= 1

    with pytest.raises(Held, match=FULL):
        start_by_hand("patch", wish, site=on_it.site)


def test_a_slot_waits_for_room_and_settles_as_held_without_it(on_it: Bench, disk: Disk) -> None:
    disk.free -= 1
    opens, last_start = SATURDAY_NIGHT - HOUR / 2, SATURDAY_NIGHT + 4.75 * HOUR
    for moment in (opens - HOUR, opens, last_start - HOUR / 60, last_start):
        on_it.time.now = moment
        on_it.tick()

    (slot,) = on_it.site.store.read(lambda c: slots.between(c, opens, opens + HOUR))
    assert (slot.outcome, slot.reason) == (SlotOutcome.HELD, FULL)


def test_a_disk_that_fills_up_while_a_run_goes_keeps_it_from_drawing_hosts_until_there_is_room(
    on_it: Bench, disk: Disk
) -> None:
    def fills_up(order: PieceOrder) -> None:
        disk.free = 0 if order.playbook != LOOK and not on_it.ansible.played() else disk.free

    on_it.ansible.before_start = fills_up
    run_id = start_by_hand("patch", Wish(), site=on_it.site)
    step = None
    while not (isinstance(step, Wait) and step.hold):
        on_it.settle()
        step = advance_run(run_id, site=on_it.site, dispatcher=on_it.dispatcher)
    assert step.hold.reason == FULL
    assert on_it.ansible.played() == [("web-01",)]

    disk.free = LEAST_FREE
    on_it.play_out(run_id)

    assert on_it.ansible.played() == [("web-01",), HOSTS[1:]]
    assert on_it.site.store.read(lambda c: runs.get(c, run_id)).verdict is Verdict.SUCCEEDED


def test_a_plan_for_later_says_nothing_of_the_room_now(on_it: Bench, disk: Disk) -> None:
    disk.free = 0

    plan = plan_occurrence(
        "patch", Asking(SATURDAY_NIGHT + timedelta(days=7)), definitions=on_it.site.current(), site=on_it.site
    )

    assert plan.holds == ()
