"""Rules that can say no, one at a time, and the words that people read."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import pytest

from runner.domain.execution.guards import (
    LEAST_FREE,
    Hold,
    Pause,
    hold_for_container,
    hold_for_freeze,
    hold_for_hosts,
    hold_for_inventory,
    hold_for_overlap,
    hold_for_pause,
    hold_for_record,
    hold_for_window,
)
from runner.domain.execution.own_ansible import AnsibleSettings
from runner.domain.execution.schedule import Amount, Effect, Schedule, Split
from runner.domain.settings import Inventory
from runner.domain.time.freeze import Freeze
from runner.domain.time.occurrence import next_opening, opening_at
from runner.domain.time.window import DayKind, DayRule, MaintenanceWindow
from tests.domain.runs import a_plan

SATURDAY = MaintenanceWindow(
    "saturday-night",
    day=DayRule(DayKind.WEEKDAYS, weekdays=(5,)),
    start=time(22),
    until=time(4),
    cutoff=timedelta(minutes=45),
)
SCHEDULE = Schedule("patch", "Patches", "playbooks/patch.yml", "production", "all", SATURDAY)
ALWAYS = replace(SCHEDULE, window=MaintenanceWindow("always"))


CONTAINED = replace(SCHEDULE, ansible=AnsibleSettings(image="ee:1"))


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def a_freeze(first: str, last: str, reason: str = "") -> Freeze:
    return Freeze("launch", reason=reason, starts=utc(first), ends=utc(last))


def held_at(text: str, schedule: Schedule = SCHEDULE, *freezes: Freeze, check_mode: bool = False) -> Hold | None:
    now = utc(text)
    opening = opening_at(schedule.window, freezes, now)
    following = next_opening(schedule.window, freezes, after=now, usable=True)
    return hold_for_window(schedule, opening, following, check_mode=check_mode, now=now)


@pytest.mark.parametrize("moment", ["2026-03-21 22:00", "2026-03-22 03:14:59"])
def test_inside_the_window_nothing_holds(moment: str) -> None:
    assert held_at(moment) is None


@pytest.mark.parametrize("moment", ["2026-03-21 21:59:59", "2026-03-22 04:00"])
def test_outside_the_window_is_a_hold_until_the_next_opening(moment: str) -> None:
    hold = held_at(moment)

    assert hold is not None
    assert hold.reason == "maintenance window 'saturday-night' is closed"
    assert hold.until == next_opening(SATURDAY, (), after=utc(moment)).usable_from  # type: ignore[union-attr]


def test_from_the_last_start_on_it_is_too_late() -> None:
    hold = held_at("2026-03-22 03:15")

    assert hold is not None
    assert hold.reason == "it is too late to start in maintenance window 'saturday-night'"
    assert hold.until == utc("2026-03-28 22:00")


def test_before_the_part_that_freezes_leave_nothing_starts_in_the_short_part_either() -> None:
    hold = held_at("2026-03-21 22:10", SCHEDULE, a_freeze("2026-03-21 22:30", "2026-03-21 23:30"))

    assert hold is not None
    assert (hold.reason, hold.until) == (
        "freezes leave the later part of maintenance window 'saturday-night' to be used",
        utc("2026-03-21 23:30"),
    )


def test_in_the_part_that_freezes_leave_nothing_holds() -> None:
    assert held_at("2026-03-21 23:30", SCHEDULE, a_freeze("2026-03-21 22:30", "2026-03-21 23:30")) is None


@pytest.mark.parametrize("schedule", [ALWAYS, replace(SCHEDULE, effect=Effect.READ_ONLY)])
def test_what_no_window_binds_is_never_held_by_one(schedule: Schedule) -> None:
    assert held_at("2026-03-25 12:00", schedule) is None


def test_check_mode_needs_no_window() -> None:
    assert held_at("2026-03-25 12:00", check_mode=True) is None


@pytest.mark.parametrize(("free", "held"), [(LEAST_FREE, False), (LEAST_FREE - 1, True), (0, True)])
def test_a_disk_without_room_for_the_record_holds(free: int, held: bool) -> None:
    hold = Hold("record", "less than 256 MiB are free on the disk of the record; make room on it")

    assert hold_for_record(free) == (hold if held else None)


def test_a_freeze_holds_with_its_reason_until_its_end() -> None:
    freeze = a_freeze("2026-03-21 00:00", "2026-03-23 00:00", "the shop opens")

    hold = hold_for_freeze([freeze], now=utc("2026-03-22 00:00"))

    assert hold == Hold("freeze", "change freeze 'launch': the shop opens", utc("2026-03-23 00:00"))


def test_a_freeze_without_a_reason_reads_well_too() -> None:
    hold = hold_for_freeze([a_freeze("2026-03-21 00:00", "2026-03-23 00:00")], now=utc("2026-03-22 00:00"))

    assert hold is not None
    assert hold.reason == "change freeze 'launch'"


def test_a_freeze_that_is_over_holds_nothing() -> None:
    assert hold_for_freeze([a_freeze("2026-03-21 00:00", "2026-03-22 00:00")], now=utc("2026-03-22 00:00")) is None


def a_pause(hosts: str = "", until: datetime | None = None) -> Pause:
    return Pause("p1", "storage is moved", "ben", utc("2026-03-21 00:00"), until, hosts)


def test_a_pause_of_everything_holds_with_name_and_reason() -> None:
    hold = hold_for_pause(a_plan(2), [a_pause()], paused_hosts={})

    assert hold == Hold("pause", "paused by ben: storage is moved")


def test_a_pause_of_all_hosts_of_a_plan_holds_it_and_one_of_some_does_not() -> None:
    plan, pauses = a_plan(2), [a_pause("web")]

    assert hold_for_pause(plan, pauses, paused_hosts={"p1": frozenset({"web-01", "web-02", "db-01"})}) is not None
    assert hold_for_pause(plan, pauses, paused_hosts={"p1": frozenset({"web-01"})}) is None
    assert hold_for_pause(plan, pauses, paused_hosts={}) is None


def test_one_call_for_all_hosts_is_held_by_a_pause_of_any_of_them() -> None:
    plan = a_plan(2, split=Split.WHOLE)

    assert hold_for_pause(plan, [a_pause("web")], paused_hosts={"p1": frozenset({"web-02"})}) is not None
    assert hold_for_pause(plan, [a_pause("db")], paused_hosts={"p1": frozenset({"db-01"})}) is None


def test_read_only_work_passes_a_pause() -> None:
    assert hold_for_pause(a_plan(2, changes_something=False), [a_pause()], paused_hosts={}) is None


def test_a_pattern_that_names_nobody_is_a_hold() -> None:
    hold = hold_for_hosts(SCHEDULE, [])

    assert hold is not None
    assert hold.reason == "no host of inventory 'production' matches 'all'"
    assert hold_for_hosts(SCHEDULE, ["web-01"]) is None


def test_a_run_that_is_still_going_holds_the_next_by_its_number() -> None:
    hold = hold_for_overlap(SCHEDULE, 7)

    assert hold is not None
    assert hold.reason == "run 7 of 'patch' is still going"
    assert hold_for_overlap(SCHEDULE, None) is None


def inventory_hold(
    hosts: tuple[str, ...],
    last_good: tuple[str, ...] = (),
    *,
    errors: tuple[str, ...] = (),
    retired: str = "",
    **limits: object,
) -> Hold | None:
    inventory = replace(Inventory("production", "hosts.ini"), **limits)  # type: ignore[arg-type]
    return hold_for_inventory(
        inventory, hosts=hosts, errors=errors, last_good=last_good, retired=frozenset(retired.split())
    )


def test_an_inventory_that_errs_is_not_trusted() -> None:
    hold = inventory_hold(("a",), errors=("the script ended with 1", "a plugin warned"))

    assert hold is not None
    assert hold.reason == "inventory 'production' cannot be trusted: the script ended with 1; a plugin warned"


def test_too_small_an_inventory_is_a_hold_in_the_singular_too() -> None:
    hold = inventory_hold(("a",), ("a", "b"), min_hosts=2)

    assert hold is not None
    assert hold.reason == "inventory 'production' has 1 host, fewer than min_hosts 2; missing: b"


def test_an_inventory_that_lost_more_than_it_may_names_the_missing() -> None:
    hold = inventory_hold(("a", "b"), ("a", "b", "c", "d"), max_drop=Amount(25, percent=True))

    assert hold is not None
    assert hold.reason == "inventory 'production' lost 2 of 4 hosts, more than max_drop 25%; missing: c, d"


def test_as_many_as_may_go_may_go() -> None:
    assert inventory_hold(("a", "b", "c"), ("a", "b", "c", "d"), max_drop=Amount(25, percent=True)) is None
    assert inventory_hold(("a",), ("a", "b", "c", "d")) is None


def test_retired_hosts_are_neither_missed_nor_counted() -> None:
    assert inventory_hold(("a", "b"), ("a", "b", "c", "d"), retired="c d", max_drop=Amount(0)) is None


def test_hosts_that_came_make_up_for_none_that_went() -> None:
    assert inventory_hold(("a", "x", "y"), ("a", "b", "c"), max_drop=Amount(1)) is not None


def test_a_host_that_means_the_machine_of_ansible_itself_is_a_hold_where_that_is_a_container() -> None:
    variables = {"here": {"ansible_connection": "local"}, "web": {"ansible_connection": "ssh"}}

    hold = hold_for_container(CONTAINED, ["here", "web", "new"], variables)

    assert hold is not None
    assert hold.reason.startswith("the connection of here is local, and playbooks run in the image ee:1")
    assert hold_for_container(CONTAINED, ["web", "new"], variables) is None
    assert hold_for_container(SCHEDULE, ["here"], variables) is None
