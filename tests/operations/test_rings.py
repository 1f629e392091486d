"""Rings at work: what counts as the ring before, and what a slot says that waits for one."""

from __future__ import annotations

from datetime import timedelta

import pytest

from runner.domain.execution.run import SlotOutcome, Verdict
from runner.errors import Held
from runner.operations.describe_hosts import Inventories
from runner.operations.execution.plan_occurrence import Asking, plan_occurrence
from runner.operations.execution.start_run import Wish, start_by_hand
from runner.operations.explain_host import explain_host
from runner.operations.time.list_openings import list_openings
from runner.store.execution import overrides, runs
from runner.store.time import slots
from tests.operations.a_site import LOOK, SATURDAY_NIGHT, SCHEDULE, Bench
from tests.operations.conftest import Lay

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
TEST_RING = (
    "schedule: patch-test\ntitle: Updates of the test servers\nwhy: Shows what breaks.\nplaybook: playbooks/patch.yml\n"
    "hosts: web\nwindow: {day: [monday, thursday], start: '22:00', duration: 4h}\n"
)
DRILL = (
    "schedule: patch-test\ntitle: Look at the test shop\nwhy: Shows what breaks.\nkind: manual\n"
    "window: {day: thursday, start: '09:00', duration: 8h}\n"
)
EVERY_HOST = Wish()
REQUIRES = "requires: [{schedule: patch-test, within: 10d, at_least: 1h}]\n"


@pytest.fixture
def ringed(lay: Lay) -> Bench:
    """A schedule that waits for the test ring; it is the night before the test ring's window."""
    bench = lay(schedule=SCHEDULE + REQUIRES, **{"schedules/patch-test.yml": TEST_RING})
    bench.time.now = SATURDAY_NIGHT - 2 * DAY  # a Thursday night
    return bench


def through(bench: Bench, wish: Wish = EVERY_HOST, *, fails: bool = False) -> runs.Run:
    """A run of the test ring, played out."""
    bench.ansible.script = lambda order, host: "failed" if fails and order.playbook != LOOK else "ok"
    run_id = start_by_hand("patch-test", wish, site=bench.site)
    bench.play_out(run_id)
    bench.ansible.script = lambda order, host: "ok"
    return bench.site.store.read(lambda c: runs.get(c, run_id))


def holds_at(bench: Bench, later: timedelta = 2 * DAY) -> list[str]:
    """Why the production ring is held at that time after the test ring's night."""
    bench.time.now = SATURDAY_NIGHT - 2 * DAY + later
    plan = plan_occurrence("patch", Asking(bench.time.now), definitions=bench.site.current(), site=bench.site)
    return [hold.reason for hold in plan.holds if hold.guard == "requires"]


def test_without_a_run_of_the_ring_before_it_is_held(ringed: Bench) -> None:
    assert holds_at(ringed) == ["it requires 'patch-test', which has not been through as a whole yet"]


def test_a_good_whole_run_clears_the_next_ring(ringed: Bench) -> None:
    assert through(ringed).verdict is Verdict.SUCCEEDED

    assert holds_at(ringed) == []


def test_a_run_of_a_part_of_the_hosts_does_not_count(ringed: Bench) -> None:
    through(ringed, Wish(limit="web-01"))

    assert holds_at(ringed) == ["it requires 'patch-test', which has not been through as a whole yet"]


def test_a_look_in_check_mode_does_not_count(ringed: Bench) -> None:
    through(ringed, Wish(check_mode=True))

    assert holds_at(ringed) == ["it requires 'patch-test', which has not been through as a whole yet"]


def test_many_runs_of_a_part_do_not_hide_the_whole_one(ringed: Bench) -> None:
    through(ringed)
    for _ in range(21):
        through(ringed, Wish(limit="web-01"))

    assert holds_at(ringed) == []


def test_a_good_run_followed_by_a_bad_one_is_no_clearance(ringed: Bench) -> None:
    through(ringed)
    bad = through(ringed, fails=True)

    (reason,) = holds_at(ringed)
    assert f"run {bad.number} of it ended as {bad.verdict}" in reason


def test_a_bad_run_followed_by_a_bad_part_is_mended_by_a_good_whole_one_only(ringed: Bench) -> None:
    through(ringed, fails=True)
    through(ringed, Wish(limit="web-01"))
    assert holds_at(ringed)

    ringed.time.now = SATURDAY_NIGHT - 2 * DAY
    through(ringed)

    assert holds_at(ringed) == []


def test_while_the_ring_before_is_going_the_next_one_waits(ringed: Bench) -> None:
    through(ringed)
    start_by_hand("patch-test", Wish(), site=ringed.site)

    assert holds_at(ringed) == ["it requires 'patch-test', and run 2 of it is still going"]


def test_check_mode_waits_for_no_ring(ringed: Bench) -> None:
    definitions = ringed.site.current()

    plan = plan_occurrence("patch", Asking(SATURDAY_NIGHT, check_mode=True), definitions=definitions, site=ringed.site)

    assert plan.holds == ()


def test_a_run_by_hand_of_a_part_waits_for_the_ring_too_unless_a_person_takes_it_upon_them(ringed: Bench) -> None:
    ringed.time.now = SATURDAY_NIGHT
    with pytest.raises(Held, match="requires 'patch-test'"):
        start_by_hand("patch", Wish(limit="db"), site=ringed.site)

    wish = Wish(override="the hole is exploited", until=SATURDAY_NIGHT + HOUR)
    run_id = start_by_hand("patch", wish, site=ringed.site)

    run = ringed.site.store.read(lambda c: runs.get(c, run_id))
    assert run.override_id
    assert ringed.site.store.read(lambda c: overrides.get(c, run.override_id or "")).guards == ("requires",)


def test_a_slot_waits_for_its_ring_and_starts_when_that_has_been_over_for_long_enough(ringed: Bench) -> None:
    ringed.time.now = SATURDAY_NIGHT - HOUR
    ringed.tick()
    override = Wish(override="late, but on purpose", until=SATURDAY_NIGHT)
    through(ringed, override)

    states = []
    for moment in (SATURDAY_NIGHT - HOUR / 4, SATURDAY_NIGHT):
        ringed.time.now = moment
        ringed.tick()
        states.append(bool(slot_of(ringed).run_id))

    assert states == [False, True]


def test_a_slot_whose_ring_never_came_settles_as_held_and_why_says_so(ringed: Bench) -> None:
    for moment in (SATURDAY_NIGHT - HOUR, SATURDAY_NIGHT, SATURDAY_NIGHT + timedelta(hours=4, minutes=44), SATURDAY_NIGHT + 5 * HOUR):  # fmt: skip
        ringed.time.now = moment
        ringed.tick()

    reason = "it requires 'patch-test', which has not been through as a whole yet"
    slot = slot_of(ringed)
    assert (slot.outcome, slot.reason) == (SlotOutcome.HELD, reason)
    told = explain_host(
        "db-01",
        inventory=None,
        since=SATURDAY_NIGHT - 6 * HOUR,
        among=Inventories(ringed.site.current().settings, ringed.inventory),
        site=ringed.site,
    )
    assert (told.chances[0].outcome, told.chances[0].guard, told.chances[0].cause) == ("held", "requires", reason)


def slot_of(bench: Bench) -> slots.Slot:
    """The slot of the Saturday night."""
    (found,) = bench.site.store.read(
        lambda c: slots.between(c, SATURDAY_NIGHT - HOUR, SATURDAY_NIGHT + HOUR, ["patch"])
    )
    return found


@pytest.mark.parametrize(("outcome", "clear"), [("done", True), ("missed", False), ("waived", False)])
def test_a_duty_of_a_person_counts_by_what_became_of_its_slot(lay: Lay, outcome: str, clear: bool) -> None:
    bench = lay(schedule=SCHEDULE + REQUIRES, **{"schedules/patch-test.yml": DRILL})
    bench.time.now = SATURDAY_NIGHT - 4 * DAY
    bench.tick()
    now = bench.time.now + DAY
    (slot,) = bench.site.store.read(lambda c: slots.between(c, now, now + 2 * DAY, ["patch-test"]))
    bench.site.store.write(
        lambda c: slots.settle(c, slot.id, outcome=outcome, reason="", was=slot.state, at=slot.opens_at)
    )

    assert (holds_at(bench) == []) is clear


def test_the_calendar_tells_what_an_opening_waits_for(lay: Lay) -> None:
    monthly = TEST_RING.replace("[monday, thursday]", "first monday")
    bench = lay(schedule=SCHEDULE + REQUIRES, **{"schedules/patch-test.yml": monthly})

    found = list_openings(bench.site.current(), from_=SATURDAY_NIGHT - 16 * DAY, to=SATURDAY_NIGHT, names=["patch"])

    assert [(entry.opening.rule_date.day, entry.opening.notes) for entry in found] == [
        (7, ("requires patch-test",)),
        (14, ("requires patch-test, which has no opening in time before it",)),
        (21, ("requires patch-test, which has no opening in time before it",)),
    ]


def test_a_ring_that_is_switched_off_opens_in_time_for_nobody(lay: Lay) -> None:
    bench = lay(schedule=SCHEDULE + REQUIRES, **{"schedules/patch-test.yml": TEST_RING + "enabled: false\n"})

    (entry,) = list_openings(bench.site.current(), from_=SATURDAY_NIGHT - DAY, to=SATURDAY_NIGHT, names=["patch"])

    assert entry.opening.notes == ("requires patch-test, which has no opening in time before it",)
