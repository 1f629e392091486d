"""Schedules on a cadence: one run in each interval, late or missed when something holds it, never caught up."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runner.adapters.snapshots import FileSnapshots
from runner.domain.execution.run import RunState, Trigger, Verdict
from runner.domain.time.cadence import DAY, interval_at
from runner.operations.describe_hosts import Inventories
from runner.operations.execution.start_run import Wish, start_by_hand
from runner.operations.explain_host import explain_host
from runner.operations.time.consider_intervals import consider, consider_intervals
from runner.operations.time.keep_ledger import has_slots, keep_ledger
from runner.operations.time.tick import tick
from runner.store.execution import drains, pauses, runs
from runner.store.tickets import tickets
from runner.store.time import cadence, slots
from tests.operations.a_site import Bench, StaticInventory
from tests.operations.conftest import Lay

LOOK = """\
schedule: look
title: Pending updates of the web servers
why: Tells what the next window will bring.
playbook: playbooks/patch.yml
hosts: web
every: 1h
effect: read_only
"""
FREEZE = (
    'freezes:\n  - {name: audit, from: "2026-03-21T00:00:00+00:00", to: "2026-03-21T14:00:00+00:00", allow: ALLOWED}\n'
)
NOON = datetime(2026, 3, 21, 12, 0, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@pytest.fixture
def at_work(lay: Lay) -> Bench:
    return lay(schedule=LOOK)


def at(bench: Bench, moment: datetime) -> list[runs.Run]:
    """One beat at that moment; all runs that there are afterwards, the oldest first."""
    bench.time.now = moment
    bench.tick()
    return all_runs(bench)


def only_asked(bench: Bench, moment: datetime) -> list[runs.Run]:
    """Only what is due on a cadence, at that moment: what was begun goes no step on."""
    bench.time.now = moment
    consider_intervals(bench.site.current(), site=bench.site, asked=bench.kept.asked)
    return all_runs(bench)


def all_runs(bench: Bench) -> list[runs.Run]:
    return sorted(bench.site.store.read(lambda c: runs.recent(c, 10_000)), key=lambda run: run.number)


def through(bench: Bench, moment: datetime) -> runs.Run:
    """One beat at that moment; the run that it began, at its end."""
    run = at(bench, moment)[-1]
    bench.play_out(run.id)
    return all_runs(bench)[-1]


def counted(bench: Bench, day: datetime = NOON, name: str = "look") -> tuple[int, int, int, int]:
    """Expected, run, late and missed on that day."""
    days = bench.site.store.read(lambda c: cadence.between(c, day.date(), day.date() + DAY))
    mine = next((each for each in days if each.schedule == name), None)
    return (mine.expected, mine.run, mine.late, mine.missed) if mine else (0, 0, 0, 0)


def test_an_interval_becomes_a_run_that_ends_like_any_other(at_work: Bench) -> None:
    run = through(at_work, NOON)

    assert (run.trigger, run.slot_id, run.requested_by.name) == (Trigger.CADENCE, None, "ops")
    assert (run.state, run.verdict) == (RunState.SETTLED, Verdict.SUCCEEDED)
    assert counted(at_work) == (1, 1, 0, 0)


def test_an_interval_has_one_run_however_often_it_is_asked(at_work: Bench) -> None:
    through(at_work, NOON)

    assert len(at(at_work, NOON + 5 * MINUTE)) == 1
    assert len(at(at_work, NOON + 59 * MINUTE)) == 1


def test_each_interval_begins_by_the_clock_and_not_by_the_last_run(at_work: Bench) -> None:
    through(at_work, NOON + 40 * MINUTE)

    through(at_work, NOON + HOUR)

    assert len(all_runs(at_work)) == 2
    assert counted(at_work) == (2, 2, 0, 0)


def test_it_has_no_slots(at_work: Bench) -> None:
    keep_ledger(at_work.site.current(), site=at_work.site, kept=at_work.kept)

    assert not has_slots(at_work.site.current().schedules["look"])
    assert at_work.site.store.read(lambda c: slots.between(c, NOON, NOON + 90 * DAY)) == []


def test_while_its_last_run_is_going_on_no_other_begins_and_that_interval_is_late(at_work: Bench) -> None:
    (first,) = only_asked(at_work, NOON)
    while_going = [only_asked(at_work, NOON + HOUR), only_asked(at_work, NOON + HOUR + 20 * MINUTE)]
    at_work.play_out(first.id)

    through(at_work, NOON + HOUR + 30 * MINUTE)

    assert [len(found) for found in while_going] == [1, 1]
    assert len(all_runs(at_work)) == 2
    assert counted(at_work) == (2, 2, 1, 0)


def test_an_interval_in_which_the_last_run_did_not_end_was_missed_and_no_ticket_says_so(at_work: Bench) -> None:
    only_asked(at_work, NOON)
    for hours in (1, 2, 3):
        only_asked(at_work, NOON + hours * HOUR)
        only_asked(at_work, NOON + hours * HOUR + 30 * MINUTE)

    assert [run.state for run in all_runs(at_work)] == [RunState.RUNNING]
    assert counted(at_work) == (3, 1, 0, 2)
    assert at_work.site.store.read(tickets.live) == []


def test_what_was_missed_while_nobody_was_there_is_counted_on_its_day_and_not_caught_up(at_work: Bench) -> None:
    through(at_work, NOON)

    through(at_work, NOON + DAY)

    assert len(all_runs(at_work)) == 2
    assert counted(at_work) == (12, 1, 0, 11)
    assert counted(at_work, NOON + DAY) == (13, 1, 0, 12)


def test_a_run_that_begins_more_than_a_minute_after_its_interval_is_late(at_work: Bench) -> None:
    through(at_work, NOON)
    through(at_work, NOON + HOUR + MINUTE)
    assert counted(at_work) == (2, 2, 0, 0)

    through(at_work, NOON + 2 * HOUR + MINUTE + timedelta(seconds=1))

    assert counted(at_work) == (3, 3, 1, 0)


def test_the_first_one_is_never_late_as_nobody_expected_it(at_work: Bench) -> None:
    through(at_work, NOON + 30 * MINUTE)

    assert counted(at_work) == (1, 1, 0, 0)


def test_a_clock_that_is_set_back_begins_no_interval_again(at_work: Bench) -> None:
    through(at_work, NOON)

    assert len(at(at_work, NOON - 2 * HOUR)) == 1
    assert len(at(at_work, NOON + 30 * MINUTE)) == 1


def drain(bench: Bench) -> None:
    bench.site.store.write(lambda c: drains.start(c, reason="the rack moves", by=bench.site.actor, at=NOON))


def test_a_drain_holds_it_and_the_interval_begins_when_the_drain_ends_in_time(at_work: Bench) -> None:
    drain(at_work)
    assert at(at_work, NOON) == []
    at_work.site.store.write(lambda c: drains.end(c, by=at_work.site.actor, at=NOON + 20 * MINUTE))

    assert len(at(at_work, NOON + 20 * MINUTE)) == 1
    assert counted(at_work) == (1, 1, 1, 0)


def test_what_is_held_from_the_beginning_is_counted_as_missed(at_work: Bench) -> None:
    drain(at_work)

    at(at_work, NOON)
    at(at_work, NOON + HOUR)
    at(at_work, NOON + 3 * HOUR)

    assert counted(at_work) == (3, 0, 0, 3)


def test_a_pause_does_not_bind_what_changes_nothing(at_work: Bench) -> None:
    at_work.site.store.write(
        lambda c: pauses.start(c, reason="x", by=at_work.site.actor, at=NOON, hosts="", until=None)
    )

    assert len(at(at_work, NOON)) == 1


@pytest.mark.parametrize(("allowed", "begun"), [("[read_only]", 1), ("[emergency]", 0)])
def test_a_freeze_holds_it_unless_it_lets_read_only_work_pass(lay: Lay, allowed: str, begun: int) -> None:
    frozen = lay(schedule=LOOK, **{"schedules/freezes.yml": FREEZE.replace("ALLOWED", allowed)})

    assert len(at(frozen, NOON)) == begun


def test_an_inventory_that_cannot_be_read_holds_it(at_work: Bench) -> None:
    at_work.inventory.errors = ("hosts.ini: not found",)

    assert at(at_work, NOON) == []
    at(at_work, NOON + HOUR)
    assert counted(at_work) == (1, 0, 0, 1)


def test_a_disk_that_is_full_holds_it(at_work: Bench) -> None:
    full = at_work.but(free_bytes=lambda: 0)

    assert at(full, NOON) == []


def test_what_is_held_is_asked_again_after_a_moment_only(at_work: Bench) -> None:
    class Counting(StaticInventory):
        reads = 0

        def read(self, inventory, *, project):  # type: ignore[no-untyped-def]
            self.reads += 1
            return super().read(inventory, project=project)

    counting = Counting(errors=("hosts.ini: not found",))
    bench = at_work.but(inventories=counting)

    for seconds in (0, 1, 14, 15):
        at(bench, NOON + timedelta(seconds=seconds))

    assert counting.reads == 2


def test_a_start_that_fails_by_itself_counts_as_missed_and_stops_no_other_schedule(lay: Lay) -> None:
    other = LOOK.replace("schedule: look", "schedule: other")
    bench = lay(schedule=LOOK, **{"schedules/other.yml": other})
    sound = bench.site.snapshots

    class Failing:
        def __init__(self, times: int) -> None:
            self.times = times

        def take(self, root: Path, **more: object):  # type: ignore[no-untyped-def]
            self.times -= 1
            if self.times == 0:
                raise RuntimeError("no space")
            return sound.take(root, **more)  # type: ignore[arg-type]

        def __getattr__(self, name: str) -> object:
            return getattr(sound, name)

    asked: dict[str, datetime] = {}
    bench.time.now = NOON
    consider_intervals(bench.site.current(), site=replace(bench.site, snapshots=Failing(1)), asked=asked)  # type: ignore[arg-type]

    assert len(all_runs(bench)) == 1
    assert len(asked) == 1


def test_two_schedulers_that_see_the_same_interval_begin_one_run(at_work: Bench) -> None:
    class Overtaken(FileSnapshots):
        """While one scheduler takes its snapshot, the other one begins, and even ends, the run."""

        def take(self, root, *, besides=()):  # type: ignore[no-untyped-def]
            through(at_work, NOON)
            return super().take(root, besides=besides)

    slow = Overtaken(state_dir=at_work.site.state_dir, environ={}, clock=at_work.time)
    at_work.time.now = NOON

    consider_intervals(at_work.site.current(), site=replace(at_work.site, snapshots=slow), asked={})

    assert len(all_runs(at_work)) == 1
    assert counted(at_work) == (1, 1, 0, 0)


def test_only_a_scheduler_that_finds_an_interval_open_says_what_it_waits_for(
    at_work: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger=consider_intervals.__module__)
    only_asked(at_work, NOON)
    schedule = at_work.site.current().schedules["look"]

    consider(schedule, None, definitions=at_work.site.current(), site=at_work.site, asked={})  # saw nothing counted yet
    assert caplog.messages == []
    for seconds in (0, 20, 40):
        only_asked(at_work, NOON + HOUR + timedelta(seconds=seconds))

    assert len(caplog.messages) == 1
    assert "still" in caplog.messages[0]


def test_the_two_schedulers_beat_one_after_the_other_and_the_second_finds_nothing_due(at_work: Bench) -> None:
    other = at_work.but(owner=replace(at_work.site.owner, pid=1))

    through(at_work, NOON)

    assert len(at(other, NOON)) == 1


def test_a_run_by_hand_takes_no_interval_and_keeps_one_from_beginning_beside_it(at_work: Bench) -> None:
    at_work.time.now = NOON
    by_hand = start_by_hand("look", Wish(), site=at_work.site)
    assert len(at(at_work, NOON)) == 1
    at_work.play_out(by_hand)

    assert len(at(at_work, NOON + 20 * MINUTE)) == 2
    assert counted(at_work) == (1, 1, 1, 0)


def test_a_failed_run_files_its_ticket_like_any_other(at_work: Bench) -> None:
    at_work.ansible.script = lambda order, host: "failed" if order.playbook.name == "patch.yml" else "ok"

    run = through(at_work, NOON)
    at(at_work, at_work.time.now)

    assert run.verdict is not Verdict.SUCCEEDED
    assert at_work.site.store.read(tickets.live) != []


def test_a_schedule_that_was_switched_off_for_a_while_has_missed_nothing(at_work: Bench) -> None:
    files = at_work.site.current()
    off = replace(files, schedules={"look": replace(files.schedules["look"], enabled=False)})
    through(at_work, NOON)
    at_work.time.now = NOON + HOUR
    consider_intervals(off, site=at_work.site, asked={})

    through(at_work, NOON + 5 * HOUR)

    assert counted(at_work) == (2, 2, 0, 0)


def test_health_checks_are_not_forgotten_by_it(at_work: Bench) -> None:
    interval = interval_at(NOON, HOUR)
    at_work.site.store.write(lambda c: cadence.keep_last(c, "health:disk", interval))

    at(at_work, NOON)

    assert at_work.site.store.read(lambda c: cadence.last_of(c, "health:disk")) == interval


@pytest.mark.parametrize("every", [2 * HOUR, 30 * MINUTE, DAY])
def test_another_length_makes_up_for_nothing_and_counts_on_from_there(at_work: Bench, every: timedelta) -> None:
    through(at_work, NOON)
    files = at_work.site.current()
    files = replace(files, schedules={"look": replace(files.schedules["look"], every=every)})
    begins = interval_at(NOON + 5 * HOUR, every).ends

    at_work.time.now = begins
    consider_intervals(files, site=at_work.site, asked={})
    at_work.play_out(all_runs(at_work)[-1].id)
    at_work.time.now = begins + every
    consider_intervals(files, site=at_work.site, asked={})

    assert len(all_runs(at_work)) == 3
    days = at_work.site.store.read(lambda c: cadence.between(c, NOON.date(), NOON.date() + 4 * DAY))
    assert sum(each.missed for each in days) == 0


def test_the_daemon_that_stops_begins_nothing(at_work: Bench) -> None:
    at_work.time.now = NOON
    tick(site=at_work.site, dispatcher=at_work.dispatcher, started=NOON, kept=at_work.kept, starting=False)

    assert all_runs(at_work) == []


def test_why_says_how_often_and_shows_only_what_did_not_end_well(at_work: Bench) -> None:
    through(at_work, NOON)
    at_work.ansible.script = lambda order, host: "failed" if host == "web-02" else "ok"
    through(at_work, NOON + HOUR)

    among = Inventories(at_work.site.current().settings, at_work.inventory)
    told = explain_host("web-02", inventory=None, since=NOON - DAY, among=among, site=at_work.site)

    assert len(told.chances) == 1
    assert any("look names it and runs every 1h" in note for note in told.notes)


beats = st.lists(
    st.tuples(st.timedeltas(timedelta(0), timedelta(hours=9)), st.booleans()), min_size=1, max_size=6
)  # how long after the last one, and whether somebody drains then
starts = (NOON + number * 400 * DAY for number in count())


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(beats, st.sampled_from([timedelta(minutes=7), HOUR, 5 * HOUR, 2 * DAY]))
def test_whenever_it_beats_an_interval_is_run_or_missed_once_or_still_open(
    at_work: Bench, beats: list[tuple[timedelta, bool]], every: timedelta
) -> None:
    beginning = moment = next(starts)
    begun = set()
    at_work.site.store.write(lambda c: cadence.forget_last(c, ["look"]))
    files = at_work.site.current()
    files = replace(files, schedules={"look": replace(files.schedules["look"], every=every)})
    known = len(all_runs(at_work))
    for after, held in beats:
        at_work.time.now = moment = moment + after
        one = at_work.but(free_bytes=lambda: 0) if held else at_work
        consider_intervals(files, site=one.site, asked={})
        at_work.play_out(all_runs(at_work)[-1].id) if len(all_runs(at_work)) else None
        begun |= set() if held else {interval_at(moment, every)}
    days = at_work.site.store.read(lambda c: cadence.between(c, beginning.date() - 2 * DAY, moment.date() + DAY))
    first, last = interval_at(beginning + beats[0][0], every), interval_at(moment, every)

    assert len(all_runs(at_work)) - known == len(begun) == sum(each.run for each in days)
    assert all(each.run + each.missed == each.expected and each.late <= each.run for each in days)
    assert sum(each.expected for each in days) == (last.ends - first.begins) // every - (last not in begun)
