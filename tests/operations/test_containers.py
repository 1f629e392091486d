"""Schedules whose Ansible lives in an image: held until it is there, and told to the executor with every piece."""

from __future__ import annotations

from runner.operations.execution.plan_occurrence import Asking, plan_occurrence
from runner.operations.execution.start_run import Wish, start_by_hand
from tests.operations.a_site import SCHEDULE
from tests.operations.conftest import Lay

CONTAINED = SCHEDULE + "ansible: {image: 'ee:1'}\n"


def test_a_schedule_is_held_until_its_image_is_there(lay: Lay) -> None:
    bench = lay(schedule=CONTAINED)
    asked = Asking(bench.time.now)

    bench.ansible.missing = "the image ee:1 cannot be run: podman says: image not known"
    held = plan_occurrence("patch", asked, definitions=bench.site.current(), site=bench.site).holds
    bench.ansible.missing = ""
    clear = plan_occurrence("patch", asked, definitions=bench.site.current(), site=bench.site).holds

    assert [(hold.guard, hold.reason) for hold in held] == [
        ("container", "the image ee:1 cannot be run: podman says: image not known. Fetch it, since no run does")
    ]
    assert clear == ()


def test_every_piece_of_such_a_run_is_done_in_the_image_looks_included(lay: Lay) -> None:
    bench = lay(schedule=CONTAINED)

    bench.drive(start_by_hand("patch", Wish(), site=bench.site))

    assert {order.ansible.image for order in bench.ansible.orders} == {"ee:1"}
    assert len(bench.ansible.orders) > len(bench.ansible.played())
