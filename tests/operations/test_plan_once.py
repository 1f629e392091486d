"""One slot without a file: made by a person, guarded, run, missed and waived like any other."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest

from runner.domain.execution.run import SlotOutcome, SlotState, Trigger, Verdict
from runner.domain.record.record import INSTALLATION
from runner.errors import FilesInvalid, Held, UsageError
from runner.operations.time.plan_once import Wanted, plan_once
from runner.operations.time.waive_slot import Asked, waive_slot
from runner.store.execution import runs
from runner.store.record import log
from runner.store.time import slots
from tests.operations.a_site import PLAYBOOK, SATURDAY_NIGHT, WINDOWS, Bench
from tests.operations.conftest import Lay

AT = SATURDAY_NIGHT + timedelta(days=2)  # a Monday, far from the window of the schedule's file
NAME = "once-patch-20260323-2230"
WANTED = Wanted(playbook="playbooks/patch.yml", hosts="web", at=AT, span="2h", why="the certificate is new")
FREEZE = 'freezes: [{name: launch, from: "2026-03-23T00:00Z", to: "2026-03-25T00:00Z", allow: [emergency]}]\n'


def slot_of(bench: Bench) -> slots.Slot:
    (found,) = bench.site.store.read(lambda c: slots.between(c, AT - timedelta(hours=1), AT + timedelta(hours=1)))
    return found


def run_then(bench: Bench, moment: datetime = AT) -> runs.Run:
    """A beat when it opens, and the run that it began, played out."""
    bench.time.now = moment
    bench.tick()
    run_id = slot_of(bench).run_id or ""
    bench.play_out(run_id)
    return bench.site.store.read(lambda c: runs.get(c, run_id))


def test_it_is_one_slot_that_becomes_one_run_of_the_person_who_asked(bench: Bench) -> None:
    plan = plan_once(WANTED, site=bench.site)

    run = run_then(bench)

    assert plan.run.hosts == ("web-01", "web-02", "web-03")
    assert (run.schedule, run.trigger, run.requested_by.name, run.verdict) == (
        NAME,
        Trigger.ONCE,
        "ana",
        Verdict.SUCCEEDED,
    )
    assert (run.plan.opens, run.plan.ends) == (AT, AT + timedelta(hours=2))
    assert slot_of(bench).state is SlotState.SETTLED


def test_it_happens_once_and_never_again(bench: Bench) -> None:
    plan_once(WANTED, site=bench.site)
    run_then(bench)

    bench.time.now = AT.replace(year=2027)
    bench.tick()

    ahead = bench.site.store.read(lambda c: slots.between(c, AT, AT + timedelta(days=800), [NAME]))
    assert [slot.opens_at for slot in ahead] == [AT]
    assert NAME not in bench.site.current().schedules


def test_it_is_recorded_with_the_person_and_the_reason(bench: Bench) -> None:
    plan_once(WANTED, site=bench.site)

    told = [entry.content for entry in bench.site.store.read(lambda c: list(log.entries(c, INSTALLATION)))]
    (made,) = [each for each in told if each["action"] == "once.planned"]
    assert (made["by"], made["why"], made["schedule"]) == ("ana", "the certificate is new", NAME)


def test_the_digest_of_the_plan_is_that_of_the_run(bench: Bench) -> None:
    plan = plan_once(WANTED, site=bench.site)

    assert run_then(bench).plan_digest == plan.digest


def test_it_is_missed_like_any_other(bench: Bench) -> None:
    plan_once(WANTED, site=bench.site)

    bench.time.now = AT + timedelta(hours=3)
    bench.tick()

    assert slot_of(bench).outcome == SlotOutcome.MISSED


def test_it_can_be_waived(bench: Bench) -> None:
    plan_once(WANTED, site=bench.site)

    waive_slot(Asked(NAME, date(2026, 3, 23)), reason="not needed", site=bench.site)

    assert slot_of(bench).outcome == SlotOutcome.WAIVED


def test_the_schedules_of_the_files_go_on_beside_it(bench: Bench) -> None:
    plan_once(WANTED, site=bench.site)

    assert set(bench.site.current().schedules) == {"patch", NAME}
    assert bench.site.current() is bench.site.current()


def test_an_edit_that_breaks_the_files_does_not_take_it_away(bench: Bench) -> None:
    plan_once(WANTED, site=bench.site)
    assert NAME in bench.site.current().schedules

    (bench.site.root / "schedules" / "patch.yml").write_text("schedule: [")

    assert NAME in bench.site.current().schedules


def test_it_is_refused_in_a_freeze_unless_it_is_an_emergency_that_the_freeze_allows(lay: Lay) -> None:
    bench = lay(windows=WINDOWS + FREEZE)
    with pytest.raises(Held, match="change freeze 'launch'"):
        plan_once(WANTED, site=bench.site)
    assert NAME not in bench.site.current().schedules

    plan_once(replace(WANTED, emergency=True), site=bench.site)

    assert run_then(bench).verdict is Verdict.SUCCEEDED


def test_what_a_file_may_not_say_it_may_not_either(bench: Bench) -> None:
    serial = PLAYBOOK.replace("hosts: all", "hosts: all, serial: 1")
    (bench.site.root / "playbooks" / "serial.yml").write_text(serial)

    with pytest.raises(FilesInvalid, match="because of serial"):
        plan_once(replace(WANTED, playbook="playbooks/serial.yml"), site=bench.site)
    with pytest.raises(FilesInvalid, match="there is no playbook playbooks/nope"):
        plan_once(replace(WANTED, playbook="playbooks/nope.yml"), site=bench.site)
    with pytest.raises(FilesInvalid, match="duration"):
        plan_once(replace(WANTED, span="long"), site=bench.site)


def test_a_playbook_that_cannot_be_called_per_batch_is_called_once_when_asked(bench: Bench) -> None:
    serial = PLAYBOOK.replace("hosts: all", "hosts: web, serial: 1")
    (bench.site.root / "playbooks" / "serial.yml").write_text(serial)

    plan = plan_once(replace(WANTED, playbook="playbooks/serial.yml", whole=True), site=bench.site)

    assert str(plan.run.split) == "whole"


def test_a_pattern_that_names_nobody_is_refused(bench: Bench) -> None:
    with pytest.raises(Held, match="no host of inventory 'production' matches 'wbe'"):
        plan_once(replace(WANTED, hosts="wbe"), site=bench.site)


def test_the_same_one_twice_is_refused(bench: Bench) -> None:
    plan_once(WANTED, site=bench.site)

    with pytest.raises(UsageError, match=f"There is '{NAME}' already"):
        plan_once(WANTED, site=bench.site)


def test_a_time_that_is_over_or_far_away_and_a_missing_reason_are_refused(bench: Bench) -> None:
    for wanted, words in (
        (replace(WANTED, at=SATURDAY_NIGHT), "in the past"),
        (replace(WANTED, at=AT + timedelta(days=100)), "too far ahead"),
        (replace(WANTED, why=" "), "Say why"),
    ):
        with pytest.raises(UsageError, match=words):
            plan_once(wanted, site=bench.site)
