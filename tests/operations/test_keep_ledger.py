"""The slot ledger follows the definitions, and each change of it is in the record."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from runner.domain.execution.run import SlotState
from runner.domain.execution.schedule import Schedule
from runner.domain.record.record import INSTALLATION
from runner.domain.settings import HORIZON, Definitions
from runner.domain.time.window import Opening
from runner.operations.time import keep_ledger as keep_ledger_module
from runner.operations.time.keep_ledger import Kept, day_of, keep_edits, keep_ledger
from runner.operations.time.list_openings import list_openings
from runner.operations.time.tick import open_slots
from runner.operations.time.write_slots import Shared
from runner.store.record import log
from runner.store.schema import slots as slots_table
from runner.store.time import slots
from tests.operations.a_site import SATURDAY_NIGHT, SCHEDULE, WINDOWS, Bench
from tests.operations.conftest import Lay

FIRST_AHEAD = datetime(2026, 3, 28, 22, 0, tzinfo=UTC)


def kept(bench: Bench) -> list[slots.Slot]:
    span = (SATURDAY_NIGHT - timedelta(days=30), SATURDAY_NIGHT + HORIZON + timedelta(days=30))
    return bench.site.store.read(lambda c: slots.between(c, *span))


def keep(bench: Bench) -> int:
    return keep_ledger(bench.site.current(), site=bench.site, kept=bench.kept)


def entries(bench: Bench) -> list[dict[str, object]]:
    return [json.loads(e.body) for e in bench.site.store.read(lambda c: list(log.entries(c, INSTALLATION)))]


def edit(bench: Bench, name: str, text: str) -> None:
    (bench.site.root / "schedules" / name).write_text(text)


def test_every_opening_of_the_next_ninety_days_is_written_ahead(bench: Bench) -> None:
    changed = keep(bench)

    written = kept(bench)
    assert changed == len(written) == 12
    assert [slot.opens_at for slot in written[:2]] == [FIRST_AHEAD, FIRST_AHEAD + timedelta(days=7)]
    assert {slot.state for slot in written} == {SlotState.PLANNED}


def test_another_horizon_is_followed_at_once(bench: Bench) -> None:
    keep(bench)
    settings = bench.site.root / "wellkept.yml"
    settings.write_text(settings.read_text() + "horizon: 30d\n")

    keep(bench)
    nearer = [slot for slot in kept(bench) if slot.state is SlotState.PLANNED]
    settings.write_text(settings.read_text().replace("30d", "120d"))
    keep(bench)

    assert (len(nearer), len(kept(bench))) == (4, 17)
    assert {slot.state for slot in kept(bench)} == {SlotState.PLANNED}


def test_each_new_slot_has_an_entry_in_the_record(bench: Bench) -> None:
    keep(bench)

    told = [entry for entry in entries(bench) if entry["action"] == "slot.planned"]
    assert len(told) == 12
    assert (told[0]["schedule"], told[0]["rule_date"], told[0]["opens"]) == (
        "patch",
        "2026-03-28",
        "2026-03-28T22:00:00+00:00",
    )


def test_keeping_it_again_changes_nothing(bench: Bench) -> None:
    keep(bench)
    before = entries(bench)

    assert keep(bench) == 0
    assert entries(bench) == before


def test_a_window_that_moved_moves_its_slots_and_says_where_they_were(bench: Bench) -> None:
    bench.time.pass_by(timedelta(hours=12))  # tonight is over
    keep(bench)
    ids = [slot.id for slot in kept(bench)]
    edit(bench, "windows.yml", WINDOWS.replace('"22:00"', '"23:00"'))

    changed = keep(bench)

    moved = [entry for entry in entries(bench) if entry["action"] == "slot.moved"]
    assert changed == len(moved) == len(ids)
    assert [slot.id for slot in kept(bench)] == ids
    assert (moved[0]["opens"], moved[0]["opened_before"]) == ("2026-03-28T23:00:00+00:00", "2026-03-28T22:00:00+00:00")


def test_a_schedule_that_is_switched_off_has_its_slots_withdrawn_and_gets_them_back(bench: Bench) -> None:
    keep(bench)
    edit(bench, "patch.yml", SCHEDULE + "enabled: false\n")

    assert keep(bench) == 12
    assert kept(bench) == []
    edit(bench, "patch.yml", SCHEDULE)
    assert keep(bench) == 12
    assert len(kept(bench)) == 12


def test_a_deleted_schedule_has_its_slots_withdrawn(bench: Bench) -> None:
    keep(bench)
    (bench.site.root / "schedules" / "patch.yml").unlink()

    keep(bench)

    assert kept(bench) == []
    assert len([entry for entry in entries(bench) if entry["action"] == "slot.withdrawn"]) == 12


def test_a_schedule_without_a_window_has_no_slots(lay: Lay) -> None:
    bench = lay(schedule=SCHEDULE.replace("window: saturday-night", "window: always"))

    assert keep(bench) == 0
    assert kept(bench) == []


def test_a_slot_that_is_due_stays_whatever_becomes_of_its_schedule(bench: Bench) -> None:
    keep(bench)
    bench.time.now = FIRST_AHEAD
    bench.site.store.write(lambda c: slots.mark_due(c, now=FIRST_AHEAD))
    (bench.site.root / "schedules" / "patch.yml").unlink()

    keep(bench)

    assert [slot.state for slot in kept(bench)] == [SlotState.DUE]


def test_freezes_cut_the_slots_that_are_written_ahead(lay: Lay) -> None:
    freeze = 'freezes: [{name: launch, from: "2026-03-28T22:00Z", to: "2026-03-29T00:00Z", reason: the shop opens}]\n'
    bench = lay(windows=WINDOWS + freeze)

    keep(bench)

    first = kept(bench)[0]
    assert (first.usable_from, first.frozen_by) == (FIRST_AHEAD + timedelta(hours=2), ("launch",))


def test_one_schedule_whose_dates_cannot_be_reckoned_never_keeps_another(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    edit(bench, "a-first.yml", SCHEDULE.replace("schedule: patch", "schedule: a-first"))
    reckoned = keep_ledger_module.openings_ahead

    def fails_for_one(schedule: Schedule, definitions: Definitions, *, now: datetime, shared: Shared) -> list[Opening]:
        if schedule.name == "a-first":
            raise OverflowError("date value out of range")
        return reckoned(schedule, definitions, now=now, shared=shared)

    monkeypatch.setattr(keep_ledger_module, "openings_ahead", fails_for_one)

    assert keep(bench) == 12
    assert {slot.schedule for slot in kept(bench)} == {"patch"}


def test_one_schedule_whose_slots_cannot_be_written_never_keeps_those_that_are_written_with_it(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a-first", "z-last"):
        edit(bench, f"{name}.yml", SCHEDULE.replace("schedule: patch", f"schedule: {name}"))
    reckoned = keep_ledger_module.openings_ahead

    def naive_for_one(schedule: Schedule, definitions: Definitions, *, now: datetime, shared: Shared) -> list[Opening]:
        found = reckoned(schedule, definitions, now=now, shared=shared)
        naive = [replace(opening, closes=opening.closes.replace(tzinfo=None)) for opening in found]
        return naive if schedule.name == "patch" else found

    monkeypatch.setattr(keep_ledger_module, "openings_ahead", naive_for_one)

    assert keep(bench) == 24
    assert {slot.schedule for slot in kept(bench)} == {"a-first", "z-last"}
    assert len(entries(bench)) == 24
    assert bench.kept.pending == {}


def shift(bench: Bench, slot: slots.Slot) -> None:
    """Change a slot behind everybody's back: whether it is put right tells whether its schedule was reckoned again."""
    moved = update(slots_table).where(slots_table.c.id == slot.id)
    bench.site.store.write(lambda c: c.execute(moved.values(opens_at=slot.opens_at + timedelta(minutes=1))))


def is_put_right(bench: Bench) -> bool:
    return kept(bench)[0].opens_at == FIRST_AHEAD


def test_a_schedule_of_which_nothing_changed_is_not_reckoned_again(bench: Bench) -> None:
    keep(bench)
    shift(bench, kept(bench)[0])

    bench.time.pass_by(timedelta(minutes=1))
    keep(bench)

    assert not is_put_right(bench)


def test_every_schedule_is_reckoned_again_within_a_day(bench: Bench) -> None:
    keep(bench)
    shift(bench, kept(bench)[0])

    bench.time.pass_by(timedelta(days=1))
    keep(bench)

    assert is_put_right(bench)


def test_the_horizon_moves_by_a_day_each_day(bench: Bench) -> None:
    keep(bench)
    last = kept(bench)[-1].opens_at

    for _ in range(7):
        bench.time.pass_by(timedelta(days=1))
        keep(bench)

    assert kept(bench)[-1].opens_at == last + timedelta(days=7)


def test_schedules_are_renewed_at_different_times_of_the_day(bench: Bench) -> None:
    schedule = bench.site.current().schedules["patch"]
    moments = [SATURDAY_NIGHT + timedelta(hours=hour) for hour in range(24)]
    many = [replace(schedule, name=f"patch-{n}") for n in range(240)]

    turns = [sum(day_of(each, m) != day_of(each, m + timedelta(hours=1)) for each in many) for m in moments]

    assert sum(turns) == len(many)
    assert max(turns) < 30


def test_a_freeze_that_was_added_is_followed_at_once(bench: Bench) -> None:
    keep(bench)
    freeze = 'freezes: [{name: launch, from: "2026-03-28T22:00Z", to: "2026-03-29T00:00Z", reason: the shop opens}]\n'
    edit(bench, "windows.yml", WINDOWS + freeze)

    keep(bench)

    assert kept(bench)[0].frozen_by == ("launch",)


def test_a_clock_that_was_set_back_brings_an_opening_ahead_that_had_passed_by(bench: Bench) -> None:
    keep(bench)  # half an hour after tonight's opening

    bench.time.pass_by(timedelta(hours=-1))
    changed = keep(bench)

    assert changed == 1
    assert kept(bench)[0].opens_at == FIRST_AHEAD - timedelta(days=7)


def test_what_another_process_wrote_by_other_files_is_put_right(bench: Bench) -> None:
    keep(bench)
    keep(bench)
    ours = bench.site.current()
    edit(bench, "windows.yml", WINDOWS.replace('"22:00"', '"23:00"'))
    keep_ledger(bench.site.current(), site=bench.site, kept=Kept())

    keep_ledger(ours, site=bench.site, kept=bench.kept)

    assert is_put_right(bench)


def test_a_schedule_that_went_away_and_came_back_is_written_again(bench: Bench) -> None:
    keep(bench)
    as_it_was = bench.site.current()
    (bench.site.root / "schedules" / "patch.yml").unlink()
    keep(bench)

    keep_ledger(as_it_was, site=bench.site, kept=bench.kept)

    assert len(kept(bench)) == 12


def test_an_edit_is_in_the_ledger_before_the_slots_that_it_concerns_come_due(bench: Bench) -> None:
    keep(bench)
    bench.time.now = FIRST_AHEAD - timedelta(seconds=2)
    edit(bench, "windows.yml", WINDOWS.replace('"22:00"', '"23:00"'))
    bench.tick()

    bench.time.now = FIRST_AHEAD
    bench.tick()

    assert (kept(bench)[0].state, kept(bench)[0].opens_at) == (SlotState.PLANNED, FIRST_AHEAD + timedelta(hours=1))


def test_the_first_beat_after_a_start_follows_the_files_before_anything_comes_due(bench: Bench) -> None:
    keep(bench)
    bench.time.now = FIRST_AHEAD - timedelta(seconds=2)
    (bench.site.root / "schedules" / "patch.yml").unlink()
    started_again = bench.but()

    started_again.tick()

    assert kept(bench) == []


def test_a_slot_begins_later_by_its_splay_as_the_calendar_shows(lay: Lay) -> None:
    bench = lay(windows=WINDOWS.replace("cutoff: 45m", "cutoff: 45m, splay: 1h"))
    keep(bench)

    slot = kept(bench)[0]
    shown = list_openings(bench.site.current(), from_=SATURDAY_NIGHT + timedelta(days=5), to=SATURDAY_NIGHT + HORIZON)

    assert slot.opens_at == FIRST_AHEAD
    assert FIRST_AHEAD < slot.usable_from <= FIRST_AHEAD + timedelta(hours=1)
    assert shown[0].opening.usable_from == slot.usable_from
    assert str(shown[0].as_row()["notes"]).startswith("['splay: patch begins ")


def test_a_new_holiday_moves_the_slot_and_makes_no_second_one(lay: Lay) -> None:
    rolling = """\
calendars: {office: {workdays: [mon, tue, wed, thu, fri, sat], dates: [%s]}}
windows:
  saturday-night: {day: saturday, calendar: office, roll: next_workday, start: "22:00", until: "04:00", cutoff: 45m}
"""
    bench = lay(windows=rolling % "2026-01-01")
    keep(bench)
    before = kept(bench)[0]

    edit(bench, "windows.yml", rolling % "2026-03-28")
    changed = keep(bench)

    after = kept(bench)[0]
    assert changed == 1
    assert (after.id, after.rule_date) == (before.id, before.rule_date)
    assert (before.opens_at, after.opens_at) == (FIRST_AHEAD, FIRST_AHEAD + timedelta(days=2))


ONE_A_BEAT = 2.0  # seconds that pass at each look at the monotonic clock: longer than a beat may take


@pytest.fixture
def slow(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> Bench:
    """Two schedules in one window, both in the ledger; from now on a beat has time for one of them."""
    later = WINDOWS + '  later: {day: saturday, start: "22:15", until: "04:00"}\n'
    edit(bench, "windows.yml", later)
    second = SCHEDULE.replace("schedule: patch", "schedule: a-later").replace("saturday-night", "later")
    edit(bench, "a-later.yml", second)
    keep(bench)
    monkeypatch.setattr(keep_ledger_module, "OPENINGS_AT_ONCE", 1)
    bench.time.tick = ONE_A_BEAT
    bench.time.now = FIRST_AHEAD - timedelta(minutes=1)
    edit(bench, "windows.yml", later.replace('until: "04:00"', 'until: "05:00"'))
    return bench


def closing_at(bench: Bench, hour: int) -> set[str]:
    return {slot.schedule for slot in kept(bench) if slot.opens_at >= FIRST_AHEAD and slot.closes_at.hour == hour}


def beat(bench: Bench) -> None:
    """A beat without the runs that it would start."""
    open_slots(bench.site.current(), site=bench.site, kept=bench.kept)


def test_what_a_beat_has_no_time_for_is_left_to_the_next_the_soonest_first(slow: Bench) -> None:
    beat(slow)
    after_one = closing_at(slow, 5)
    left = set(slow.kept.pending)
    beat(slow)

    assert (after_one, left) == ({"patch"}, {"a-later"})
    assert closing_at(slow, 5) == {"patch", "a-later"}
    assert slow.kept.pending == {}
    assert keep_edits(slow.site.current(), site=slow.site, kept=slow.kept) == 0


def test_a_slot_that_an_edit_is_still_to_reach_waits_and_comes_due_by_the_edit(slow: Bench) -> None:
    beat(slow)
    slow.time.now = FIRST_AHEAD + timedelta(hours=2)  # both have opened by now

    marked = slow.site.store.write(lambda c: slots.mark_due(c, now=slow.time.now, but=slow.kept.pending))
    beat(slow)
    both = slow.site.store.read(slots.due)

    assert [slot.schedule for slot in marked] == ["patch"]
    assert [(slot.schedule, slot.closes_at.hour) for slot in both] == [("patch", 5), ("a-later", 5)]


def test_an_opening_that_passes_by_before_its_turn_comes_is_written_all_the_same(slow: Bench) -> None:
    windows = slow.site.root / "schedules" / "windows.yml"
    windows.write_text(windows.read_text().replace('"22:15"', '"22:01"'))
    beat(slow)
    before = {slot.schedule: slot.opens_at for slot in reversed(kept(slow))}

    slow.time.now = FIRST_AHEAD + timedelta(minutes=5)
    beat(slow)

    assert before["a-later"] == FIRST_AHEAD + timedelta(minutes=15)
    assert [(slot.schedule, slot.opens_at) for slot in slow.site.store.read(slots.due)] == [
        ("patch", FIRST_AHEAD),
        ("a-later", FIRST_AHEAD + timedelta(minutes=1)),
    ]


def test_an_edit_that_is_taken_back_before_its_turn_comes_changes_nothing(slow: Bench) -> None:
    beat(slow)
    windows = slow.site.root / "schedules" / "windows.yml"
    windows.write_text(windows.read_text().replace("05:00", "04:00"))

    beat(slow)
    beat(slow)

    assert closing_at(slow, 4) == {"patch", "a-later"}
    assert slow.kept.pending == {}
    moved = [entry["schedule"] for entry in entries(slow) if entry["action"] == "slot.moved"]
    assert set(moved) == {"patch"}


def test_a_freeze_for_another_schedule_costs_this_one_nothing(bench: Bench) -> None:
    keep(bench)
    shift(bench, kept(bench)[0])
    span = 'from: "2026-03-28T22:00Z", to: "2026-03-29T00:00Z", reason: the shop opens'
    edit(bench, "windows.yml", WINDOWS + f"freezes: [{{name: launch, {span}, applies_to: {{windows: [none]}}}}]\n")
    edit(bench, "more.yml", 'windows: {none: {day: friday, start: "22:00", duration: 1h}}\n')

    keep(bench)

    assert not is_put_right(bench)


def test_schedules_that_share_a_window_have_the_same_openings_and_each_its_own_splay(lay: Lay) -> None:
    bench = lay(windows=WINDOWS.replace("cutoff: 45m", "cutoff: 45m, splay: 1h"))
    edit(bench, "a-first.yml", SCHEDULE.replace("schedule: patch", "schedule: a-first"))

    keep(bench)

    first = [slot for slot in kept(bench) if slot.opens_at == FIRST_AHEAD]
    assert len(first) == 2
    assert len({slot.usable_from for slot in first}) == 2


def test_what_this_process_wrote_itself_is_not_read_again(bench: Bench) -> None:
    keep(bench)

    last = bench.site.store.read(lambda c: log.head(c, INSTALLATION)).seq
    assert bench.kept.seen == last == 12
