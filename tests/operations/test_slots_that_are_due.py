"""Due slots: started, held and asked again, or settled without a run by the rules' own order."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from runner.adapters.snapshots import FileSnapshots
from runner.domain.execution.run import RunState, SlotOutcome, SlotState, Trigger, Verdict
from runner.domain.settings import Definitions, Inventory
from runner.errors import Unknown
from runner.operations.execution.start_run import Wish, start_by_hand
from runner.operations.time.consider_slots import consider_slots, outcome_without_run
from runner.operations.time.keep_ledger import keep_ledger
from runner.ports import InventoryAnswer
from runner.store.execution import debts, holds, pauses, runs
from runner.store.tickets import tickets
from runner.store.time import slots
from tests.operations.a_site import SCHEDULE, WINDOWS, Bench, StaticInventory
from tests.operations.conftest import Lay

OPENS = datetime(2026, 3, 21, 22, 0, tzinfo=UTC)
LAST_START = datetime(2026, 3, 22, 3, 15, tzinfo=UTC)
BEFORE = OPENS - timedelta(hours=3)


def ahead(bench: Bench, before: datetime = BEFORE) -> Bench:
    """A bench whose ledger was written ahead before the window opened."""
    bench.time.now = before
    keep_ledger(bench.site.current(), site=bench.site, kept=bench.kept)
    return bench


def at(bench: Bench, moment: datetime) -> slots.Slot:
    """One beat at that moment, and the slot as it is afterwards."""
    bench.time.now = moment
    bench.tick()
    return first_slot(bench)


def first_slot(bench: Bench, schedule: str = "patch") -> slots.Slot:
    return bench.site.store.read(lambda c: slots.between(c, BEFORE - timedelta(days=30), OPENS + timedelta(days=1), [schedule]))[0]  # fmt: skip


def held_to_the_last_start(bench: Bench) -> slots.Slot:
    """Beats at the opening, shortly before the last start and at it; the slot as it is afterwards."""
    at(bench, OPENS)
    at(bench, LAST_START - timedelta(seconds=20))
    return at(bench, LAST_START)


def pause(bench: Bench, hosts: str = "", until: datetime | None = None) -> str:
    return bench.site.store.write(
        lambda c: pauses.start(c, reason="storage is moved", by=bench.site.actor, at=BEFORE, hosts=hosts, until=until)
    )


def test_a_slot_becomes_a_run_when_its_window_opens_and_takes_its_verdict(bench: Bench) -> None:
    ahead(bench)

    slot = at(bench, OPENS)
    bench.play_out(slot.run_id or "")

    run = bench.site.store.read(lambda c: runs.get(c, slot.run_id or ""))
    assert (run.trigger, run.late_seconds, run.requested_by.name) == (Trigger.SLOT, 0.0, "ops")
    assert (first_slot(bench).state, first_slot(bench).outcome) == (SlotState.SETTLED, Verdict.SUCCEEDED)


def test_nothing_happens_before_the_opening(bench: Bench) -> None:
    ahead(bench)

    assert at(bench, OPENS - timedelta(seconds=1)).state is SlotState.PLANNED


def test_two_beats_start_one_run(bench: Bench) -> None:
    ahead(bench)
    bench.ansible.script = lambda order, host: "lost"

    at(bench, OPENS)
    at(bench, OPENS)

    assert len(bench.site.store.read(lambda c: runs.recent(c, 10))) == 1


def test_a_scheduler_that_comes_up_in_the_window_starts_late_and_says_how_late(bench: Bench) -> None:
    ahead(bench)

    slot = at(bench, OPENS + timedelta(hours=2))

    assert bench.site.store.read(lambda c: runs.get(c, slot.run_id or "")).late_seconds == 7200


def test_at_the_last_start_it_is_missed_and_a_ticket_says_so(bench: Bench) -> None:
    ahead(bench)

    slot = at(bench, LAST_START)

    assert (slot.state, slot.outcome) == (SlotState.SETTLED, SlotOutcome.MISSED)
    assert slot.reason == "the scheduler was not running while the window was open"
    assert slot.hosts == ("web-01", "web-02", "web-03", "db-01", "db-02")
    assert len(bench.site.store.read(tickets.live)) == 1


def test_a_schedule_that_never_starts_late_misses_a_late_slot_and_says_why(lay: Lay) -> None:
    bench = ahead(lay(schedule=SCHEDULE + "late_start: never\n"))

    slot = at(bench, OPENS + timedelta(minutes=5))

    assert slot.outcome == SlotOutcome.MISSED
    assert slot.reason == "the scheduler was not running when the window opened, and late_start is never"


def test_a_schedule_that_never_starts_late_starts_on_time(lay: Lay) -> None:
    bench = ahead(lay(schedule=SCHEDULE + "late_start: never\n"))

    assert at(bench, OPENS + timedelta(seconds=30)).run_id


def test_a_schedule_that_never_starts_late_may_be_held_and_then_start(lay: Lay) -> None:
    bench = ahead(lay(schedule=SCHEDULE + "late_start: never\n"))
    pause(bench, until=OPENS + timedelta(minutes=30))
    at(bench, OPENS)

    assert at(bench, OPENS + timedelta(minutes=30)).run_id


def test_a_held_slot_stays_due_and_starts_once_the_hold_is_gone(bench: Bench) -> None:
    ahead(bench)
    pause(bench, until=OPENS + timedelta(minutes=10))

    held = at(bench, OPENS)
    started = at(bench, OPENS + timedelta(minutes=10))

    assert (held.state, held.run_id) == (SlotState.DUE, None)
    assert held.hosts is not None
    assert started.run_id


def test_a_held_slot_is_not_asked_again_at_once(bench: Bench) -> None:
    ahead(bench)
    pause(bench, until=OPENS + timedelta(seconds=10))
    at(bench, OPENS)

    assert at(bench, OPENS + timedelta(seconds=14)).state is SlotState.DUE
    assert at(bench, OPENS + timedelta(seconds=15)).run_id


def test_a_slot_that_was_paused_to_its_last_start_settles_as_paused(bench: Bench) -> None:
    ahead(bench)
    pause(bench)

    slot = held_to_the_last_start(bench)

    assert (slot.outcome, slot.reason) == (SlotOutcome.PAUSED, "paused by ana: storage is moved")
    assert bench.site.store.read(tickets.live) == []


def test_a_slot_that_was_paused_at_first_is_missed_when_the_scheduler_was_down_at_its_last_start(bench: Bench) -> None:
    ahead(bench)
    pause(bench)
    at(bench, OPENS)

    slot = at(bench, LAST_START + timedelta(hours=2))

    assert slot.outcome == SlotOutcome.MISSED
    assert slot.reason == (
        "the scheduler was no longer running at the last start; "
        "until 2026-03-21 22:00 UTC the slot had been held: paused by ana: storage is moved"
    )
    assert len(bench.site.store.read(tickets.live)) == 1


def test_a_slot_whose_pause_had_ended_before_the_scheduler_went_down_is_missed(bench: Bench) -> None:
    ahead(bench)
    pause(bench, until=OPENS + timedelta(minutes=10))
    at(bench, OPENS + timedelta(minutes=9))

    slot = at(bench, LAST_START)

    assert slot.outcome == SlotOutcome.MISSED
    assert "until 2026-03-21 22:09 UTC the slot had been held: paused by ana" in slot.reason


def test_what_held_a_slot_at_first_does_not_stand_for_what_held_it_to_the_end(bench: Bench) -> None:
    ahead(bench)
    pause(bench, until=OPENS + timedelta(minutes=10))
    at(bench, OPENS)
    bench.inventory.errors = ("inventory production: the script ended with 1",)

    slot = held_to_the_last_start(bench)

    assert slot.outcome == SlotOutcome.HELD


@pytest.mark.parametrize(("before", "outcome"), [(300, SlotOutcome.PAUSED), (301, SlotOutcome.MISSED)])
def test_a_hold_lasts_to_the_last_start_when_it_was_heard_within_five_minutes_of_it(
    bench: Bench, before: int, outcome: SlotOutcome
) -> None:
    slot = first_slot(ahead(bench))
    heard = replace(a_hold("pause"), last_seen=LAST_START - timedelta(seconds=before))

    found, _ = outcome_without_run(slot, [heard], now=LAST_START + timedelta(days=1))

    assert found is outcome


def test_a_slot_that_is_never_started_late_and_whose_trouble_is_old_is_missed(lay: Lay) -> None:
    bench = ahead(lay(schedule=SCHEDULE + "late_start: never\n"))
    heard = replace(a_hold("trouble"), last_seen=OPENS)

    found, reason = outcome_without_run(first_slot(bench), [heard], now=OPENS + timedelta(hours=1))

    assert found is SlotOutcome.MISSED
    assert reason.endswith("until 2026-03-21 22:00 UTC the slot had been held: by trouble")


def test_a_freeze_over_the_whole_window_settles_its_slot_when_it_opens(lay: Lay) -> None:
    freeze = 'freezes: [{name: launch, from: "2026-03-21T00:00Z", to: "2026-03-23T00:00Z", reason: the shop opens}]\n'
    bench = ahead(lay(windows=WINDOWS + freeze))

    slot = at(bench, OPENS)

    assert (slot.outcome, slot.reason) == (SlotOutcome.FROZEN, "change freeze launch")
    assert slot.hosts is not None


def test_a_freeze_that_came_after_the_slot_was_written_holds_it_and_settles_it_as_frozen(bench: Bench) -> None:
    ahead(bench)
    freeze = 'freezes: [{name: launch, from: "2026-03-21T00:00Z", to: "2026-03-23T00:00Z", reason: the shop opens}]\n'
    (bench.site.root / "schedules" / "windows.yml").write_text(WINDOWS + freeze)

    slot = held_to_the_last_start(bench)

    assert (slot.outcome, slot.reason) == (SlotOutcome.FROZEN, "change freeze 'launch': the shop opens")


def test_a_slot_whose_usable_part_begins_later_waits_for_it_and_is_not_late(lay: Lay) -> None:
    freeze = 'freezes: [{name: launch, from: "2026-03-21T22:30Z", to: "2026-03-21T23:30Z", reason: the shop opens}]\n'
    bench = ahead(lay(windows=WINDOWS + freeze))

    early = at(bench, OPENS + timedelta(minutes=5))
    started = at(bench, OPENS + timedelta(minutes=90))

    run = bench.site.store.read(lambda c: runs.get(c, started.run_id or ""))
    assert early.state is SlotState.DUE
    assert bench.site.store.read(lambda c: holds.of_slot(c, early.id)) == []
    assert run.late_seconds == 0.0
    assert (run.plan.opens, run.plan.ends) == (OPENS + timedelta(minutes=90), OPENS + timedelta(hours=6))


def test_a_slot_that_its_own_last_run_kept_is_skipped(bench: Bench) -> None:
    ahead(bench)
    bench.time.now = OPENS
    start_by_hand("patch", Wish(), site=bench.site)  # nobody drives it here
    bench.site.store.write(lambda c: slots.mark_due(c, now=OPENS))

    for moment in (OPENS, LAST_START - timedelta(seconds=20), LAST_START):
        bench.time.now = moment
        consider_slots(bench.site.current(), site=bench.site)

    assert (first_slot(bench).outcome, first_slot(bench).reason) == (
        SlotOutcome.SKIPPED,
        "run 1 of 'patch' is still going",
    )


def kept_by_a_run_by_hand(bench: Bench) -> slots.Slot:
    """A slot whose schedule has a run by hand that nobody drives here, asked up to its last start."""
    ahead(bench)
    bench.time.now = OPENS
    start_by_hand("patch", Wish(), site=bench.site)
    bench.site.store.write(lambda c: slots.mark_due(c, now=OPENS))
    for moment in (OPENS, LAST_START - timedelta(seconds=20), LAST_START):
        bench.time.now = moment
        consider_slots(bench.site.current(), site=bench.site)
    return first_slot(bench)


def test_a_slot_that_queued_in_vain_for_the_last_run_is_missed(lay: Lay) -> None:
    slot = kept_by_a_run_by_hand(lay(schedule=SCHEDULE + "overlap: queue\n"))

    assert (slot.outcome, slot.reason) == (
        SlotOutcome.MISSED,
        "run 1 of 'patch' is still going at its last start",
    )


@pytest.mark.parametrize("overlap", ["forbid", "queue"])
def test_a_slot_starts_when_the_last_run_has_ended_in_time(lay: Lay, overlap: str) -> None:
    bench = ahead(lay(schedule=SCHEDULE + f"overlap: {overlap}\n"))
    bench.time.now = OPENS
    by_hand = start_by_hand("patch", Wish(), site=bench.site)
    bench.site.store.write(lambda c: slots.mark_due(c, now=OPENS))
    consider_slots(bench.site.current(), site=bench.site)
    bench.play_out(by_hand)

    slot = at(bench, OPENS + timedelta(hours=1))

    assert slot.run_id
    assert slot.run_id != by_hand


def test_the_hosts_of_a_missed_slot_come_first_in_the_next_window_if_its_schedule_catches_up(lay: Lay) -> None:
    bench = ahead(lay(schedule=SCHEDULE + "catch_up: next_window\nwaves: [{name: canary, size: 1}, {name: rest}]\n"))
    bench.inventory.hosts = ("web-01", "web-02", "web-03", "db-02")
    at(bench, LAST_START)
    bench.inventory.hosts = ("web-01", "web-02", "web-03", "db-01", "db-02")

    slot = at(bench, OPENS + timedelta(days=7))

    run = latest_run(bench)
    assert set(run.plan.carried) == {"web-01", "web-02", "web-03", "db-02"}
    assert slot.outcome == SlotOutcome.MISSED


def test_several_missed_slots_are_caught_up_once(lay: Lay) -> None:
    bench = ahead(lay(schedule=SCHEDULE + "catch_up: next_window\n"))
    for week in range(2):
        at(bench, LAST_START + timedelta(days=7 * week))
    at(bench, OPENS + timedelta(days=14))
    bench.play_out(latest_run(bench).id)

    assert len(bench.site.store.read(lambda c: runs.recent(c, 10))) == 1
    assert bench.site.store.read(debts.every) == []


def test_the_hosts_of_a_missed_slot_owe_nothing_unless_their_schedule_says_so(bench: Bench) -> None:
    at(ahead(bench), LAST_START)

    assert bench.site.store.read(debts.every) == []


def test_a_slot_that_was_paused_is_not_caught_up(lay: Lay) -> None:
    bench = ahead(lay(schedule=SCHEDULE + "catch_up: next_window\n"))
    pause(bench)

    held_to_the_last_start(bench)

    assert bench.site.store.read(debts.every) == []


def latest_run(bench: Bench) -> runs.Run:
    return bench.site.store.read(lambda c: runs.recent(c, 1))[0]


def test_a_slot_that_its_inventory_kept_is_held_with_the_reason(bench: Bench) -> None:
    ahead(bench)
    bench.inventory.errors = ("inventory production: the script ended with 1",)

    slot = held_to_the_last_start(bench)

    assert slot.outcome == SlotOutcome.HELD
    assert "cannot be trusted" in slot.reason


def a_hold(guard: str) -> holds.HeldSlot:
    return holds.HeldSlot("h", "s", None, "patch", guard, f"by {guard}", None, OPENS, LAST_START)


@pytest.mark.parametrize(
    ("guards", "outcome", "reason"),
    [
        (["window", "inventory"], SlotOutcome.HELD, "by window"),
        (["inventory", "overlap"], SlotOutcome.SKIPPED, "by overlap"),
        (["overlap", "pause", "inventory"], SlotOutcome.PAUSED, "by pause"),
        (["pause", "overlap", "freeze"], SlotOutcome.FROZEN, "by freeze"),
        ([], SlotOutcome.MISSED, "the scheduler was not running while the window was open"),
    ],
)
def test_a_slot_settles_by_its_first_hold_in_the_rules_order(
    bench: Bench, guards: list[str], outcome: SlotOutcome, reason: str
) -> None:
    slot = first_slot(ahead(bench))

    assert outcome_without_run(slot, [a_hold(guard) for guard in guards], now=LAST_START) == (outcome, reason)


@pytest.mark.parametrize(("edit", "words"), [("delete", "deleted"), ("disable", "switched off")])
def test_a_schedule_that_went_away_while_its_slot_was_due_is_held(bench: Bench, edit: str, words: str) -> None:
    ahead(bench)
    pause(bench)
    at(bench, OPENS)
    file = bench.site.root / "schedules" / "patch.yml"
    file.unlink() if edit == "delete" else file.write_text(SCHEDULE + "enabled: false\n")

    slot = at(bench, OPENS + timedelta(minutes=1))

    assert (slot.outcome, slot.reason) == (SlotOutcome.HELD, f"its schedule was {words} while it was due")


class Exploding(StaticInventory):
    """An inventory whose reader fails for one source as no reader should."""

    def read(self, inventory: Inventory, *, project: Path) -> InventoryAnswer:
        if inventory.name == "broken":
            raise RuntimeError("the plugin fell over")
        return super().read(inventory, project=project)


@pytest.fixture
def with_a_broken_neighbour(lay: Lay) -> Bench:
    settings = (
        "format: 1\norganisation: Example Ltd\ndatabase: sqlite:///var/wellkept.db\nstate_dir: var\n"
        "defaults: {inventory: production, owner: ops, timezone: UTC}\n"
        "inventories: {broken: {source: hosts.ini}, production: {source: hosts.ini}}\nteams: {ops: {members: []}}\n"
    )
    bench = lay(settings=settings)
    text = SCHEDULE.replace("schedule: patch", "schedule: a-broken-one") + "inventory: broken\n"
    (bench.site.root / "schedules" / "a-broken-one.yml").write_text(text)
    inventory = Exploding()
    bench.inventory = inventory
    return ahead(bench.but(inventories=inventory))


def test_one_schedule_whose_inventory_falls_over_never_stops_another(with_a_broken_neighbour: Bench) -> None:
    bench = with_a_broken_neighbour

    slot = at(bench, OPENS)

    broken = first_slot(bench, "a-broken-one")
    assert slot.run_id
    assert broken.state is SlotState.DUE
    assert [hold.reason for hold in bench.site.store.read(lambda c: holds.of_slot(c, broken.id))] == [
        "it could not be started: the plugin fell over"
    ]


def test_its_slot_settles_as_held_at_the_last_start_all_the_same(with_a_broken_neighbour: Bench) -> None:
    bench = with_a_broken_neighbour

    held_to_the_last_start(bench)

    broken = first_slot(bench, "a-broken-one")
    assert (broken.outcome, broken.reason) == (SlotOutcome.HELD, "it could not be started: the plugin fell over")


def test_a_broken_edit_stops_no_schedule_that_was_good(bench: Bench) -> None:
    ahead(bench)
    bench.tick()  # the definitions are good, and a snapshot of them is kept
    (bench.site.root / "schedules" / "patch.yml").write_text("schedule: [")

    slot = at(bench, OPENS)
    bench.play_out(slot.run_id or "")

    assert bench.site.store.read(lambda c: runs.get(c, slot.run_id or "")).verdict is Verdict.SUCCEEDED


def test_where_openings_overlap_each_slot_runs_in_its_own(lay: Lay) -> None:
    daily = 'windows: {saturday-night: {day: daily, start: "22:00", duration: 26h, cutoff: 45m}}\n'
    bench = ahead(lay(windows=daily), before=OPENS - timedelta(hours=25))
    at(bench, OPENS - timedelta(hours=24))
    bench.play_out(first_slot(bench).run_id or "")

    bench.time.now = OPENS + timedelta(minutes=30)  # both openings are on
    bench.tick()

    going = bench.site.store.read(lambda c: runs.recent(c, 1))[0]
    assert going.number == 2
    assert going.plan.ends == OPENS + timedelta(hours=26)


def test_a_stopping_daemon_starts_nothing_new(bench: Bench) -> None:
    from runner.operations.time.tick import tick

    ahead(bench)
    bench.time.now = OPENS

    tick(site=bench.site, dispatcher=bench.dispatcher, started=OPENS, kept=bench.kept, starting=False)

    assert first_slot(bench).state is SlotState.PLANNED


def test_two_runs_of_one_schedule_never_go_at_once(bench: Bench) -> None:
    from runner.operations.execution.plan_occurrence import Asking, plan_occurrence
    from runner.operations.execution.start_run import start_slot

    slot = first_slot(ahead(bench))
    bench.time.now = OPENS
    bench.site.store.write(lambda c: slots.mark_due(c, now=OPENS))
    plan = plan_occurrence("patch", Asking(OPENS), definitions=bench.site.current(), site=bench.site)
    start_by_hand("patch", Wish(), site=bench.site)  # between the plan and the claim

    claimed = start_slot(slot, plan, site=bench.site)

    assert claimed is None
    assert first_slot(bench).state is SlotState.DUE
    assert [run.state for run in bench.site.store.read(runs.live)] == [RunState.RUNNING]


class Unasked(FileSnapshots):
    """Snapshots of which nobody may ask the list of files, for which Git is started several times."""

    def names(self, root: Path) -> frozenset[str]:
        raise Unknown("the files were to be listed")


def test_a_question_to_a_held_slot_lists_no_files(bench: Bench) -> None:
    ahead(bench)
    pause(bench)
    snapshots = Unasked(state_dir=bench.site.state_dir, environ=os.environ, clock=bench.time)

    slot = at(bench.but(snapshots=snapshots), OPENS)

    assert [hold.guard for hold in bench.site.store.read(lambda c: holds.of_slot(c, slot.id))] == ["pause"]


def test_a_beat_asks_once_which_definitions_hold(bench: Bench) -> None:
    ahead(bench)
    pause(bench)
    asked: list[Definitions] = []

    def current() -> Definitions:
        asked.append(bench.site.current())
        return asked[-1]

    slot = at(bench.but(current=current), OPENS)

    assert slot.state is SlotState.DUE
    assert len(asked) == 1
