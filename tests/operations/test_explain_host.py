"""Why a host was touched or not: slots with and without a run, runs by hand, and hosts that nobody meant."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from runner.errors import NotFound
from runner.operations.describe_hosts import Inventories
from runner.operations.execution.start_run import Wish, start_by_hand
from runner.operations.explain_host import Chance, HostExplained, explain_host
from runner.operations.retire_host import retire_host
from runner.operations.time.waive_slot import Asked, waive_slot
from runner.ports import PieceOrder
from runner.store.execution import pauses
from runner.store.time import slots
from tests.operations.a_site import HOSTS, LOOK, SCHEDULE, WINDOWS, Bench
from tests.operations.conftest import Lay

OPENS = datetime(2026, 3, 21, 22, 0, tzinfo=UTC)
LAST_START = datetime(2026, 3, 22, 3, 15, tzinfo=UTC)
BEFORE, AFTER = OPENS - timedelta(hours=3), LAST_START + timedelta(hours=8)
NEXT = OPENS + timedelta(days=7)
FREEZE = 'freezes: [{name: launch, from: "2026-03-20T00:00Z", to: "2026-03-23T00:00Z", reason: the shop opens}]\n'


def ahead(bench: Bench) -> Bench:
    """A bench whose ledger was written before the window opened."""
    bench.time.now = BEFORE
    bench.tick()
    return bench


def at(bench: Bench, moment: datetime) -> Bench:
    bench.time.now = moment
    bench.tick()
    return bench


def ran(bench: Bench) -> Bench:
    """A bench on which the night's slot ran to its end."""
    at(ahead(bench), OPENS)
    (slot,) = bench.site.store.read(lambda c: slots.between(c, OPENS, OPENS + timedelta(hours=1)))
    bench.play_out(slot.run_id or "")
    bench.time.now = AFTER
    return bench


def explained(bench: Bench, host: str = "db-01") -> HostExplained:
    among = Inventories(bench.site.current().settings, bench.inventory)
    return explain_host(host, inventory=None, since=BEFORE, among=among, site=bench.site)


def first(bench: Bench, host: str = "db-01") -> tuple[str, str | None, str]:
    chance = explained(bench, host).chances[0]
    return chance.outcome, chance.guard, chance.cause


def pause(bench: Bench, hosts: str = "") -> None:
    bench.site.store.write(lambda c: pauses.start(c, reason="storage", by=bench.site.actor, at=bench.time.now, hosts=hosts))  # fmt: skip


def test_a_patched_host_says_so_and_when_its_next_chance_is(bench: Bench) -> None:
    chances = explained(ran(bench)).chances

    assert chances[0] == Chance(OPENS, "patch", "", "changed", None, "done as planned", 1, NEXT)
    assert (chances[1].when, chances[1].outcome, chances[1].cause) == (NEXT, "planned", "it has not opened yet")
    assert len(chances) == 2


def test_a_frozen_slot_names_the_freeze(lay: Lay) -> None:
    bench = at(ahead(lay(windows=WINDOWS + FREEZE)), OPENS)

    assert first(bench) == ("frozen", "freeze", "change freeze launch")


def test_a_slot_that_was_paused_names_who_paused_it(bench: Bench) -> None:
    pause(ahead(bench))
    for moment in (OPENS, LAST_START - timedelta(seconds=20), LAST_START):
        at(bench, moment)

    assert first(bench) == ("paused", "pause", "paused by ana: storage")
    assert "Paused by ana: storage" in explained(bench).notes


def test_a_slot_that_is_held_now_says_by_what(bench: Bench) -> None:
    pause(ahead(bench))
    at(bench, OPENS)

    assert first(bench) == ("due", "pause", "paused by ana: storage")


def test_a_missed_slot_says_why(bench: Bench) -> None:
    at(ahead(bench), AFTER)

    assert first(bench) == ("missed", None, "the scheduler was not running while the window was open")


def test_a_slot_that_was_held_to_its_end_names_the_guard(bench: Bench) -> None:
    ahead(bench)
    bench.inventory.errors = ("a plugin failed",)
    for moment in (OPENS, LAST_START - timedelta(seconds=20), LAST_START):
        at(bench, moment)

    bench.inventory.errors = ()
    outcome, guard, cause = first(bench)
    assert (outcome, guard) == ("held", "inventory")
    assert "a plugin failed" in cause


def test_a_waived_slot_says_by_whom(bench: Bench) -> None:
    waive_slot(Asked("patch", date(2026, 3, 21)), reason="the fair is on", site=ahead(bench).site)
    bench.time.now = AFTER

    chance = explained(bench).chances[0]
    assert (chance.outcome, chance.cause) == ("waived", "waived by ana: the fair is on")


def test_the_next_chance_is_not_in_a_waived_slot(bench: Bench) -> None:
    ran(bench)
    waive_slot(Asked("patch", NEXT.date()), reason="the fair is on", site=bench.site)

    assert explained(bench).chances[0].next == NEXT + timedelta(days=7)


def test_a_host_that_a_run_left_for_later_says_what_was_in_the_way_and_that_it_comes_first(bench: Bench) -> None:
    def pause_at_the_canary(order: PieceOrder) -> None:
        if order.playbook != LOOK and not bench.ansible.played():
            pause(bench)

    bench.ansible.before_start = pause_at_the_canary
    ran(bench)

    outcome, guard, cause = first(bench)
    assert (outcome, guard) == ("not_run (paused)", "pause")
    assert cause == "Maintenance had been paused; this server comes first next time."
    assert "It owes patch a run since 2026-03-21; it comes first after the next canary." in explained(bench).notes


def test_a_host_that_its_pre_check_refused_says_so(bench: Bench) -> None:
    bench.ansible.script = lambda order, host: "failed" if host == "db-01" and order.playbook == LOOK else "ok"

    outcome, guard, _ = first(ran(bench))

    assert (outcome, guard) == ("not_run (pre_check)", "pre-check")


def test_a_host_that_the_budget_spared_says_so(bench: Bench) -> None:
    bench.ansible.script = lambda order, host: "ok" if order.playbook == LOOK else "failed"

    outcome, guard, cause = first(ran(bench))

    assert (outcome, guard) == ("not_run (budget)", "failure budget")
    assert "safety limit" in cause


def test_an_unreachable_host_says_so_in_plain_words(bench: Bench) -> None:
    bench.ansible.script = lambda order, host: "unreachable" if host == "db-01" else "ok"

    outcome, guard, cause = first(ran(bench))

    assert (outcome, guard) == ("unreachable", None)
    assert cause


def test_a_host_that_vanished_on_the_way_says_so(bench: Bench) -> None:
    def shrink(order: PieceOrder) -> None:
        bench.inventory.hosts = tuple(host for host in HOSTS if host != "db-02")

    bench.ansible.before_start = shrink
    ran(bench)

    assert "db-02 is not in inventory 'production' now." in explained(bench, "db-02").notes


def test_a_host_that_left_the_pattern_says_so_for_every_slot_since(bench: Bench) -> None:
    ran(bench)
    (bench.site.root / "schedules" / "patch.yml").write_text(SCHEDULE.replace("hosts: all", "hosts: web"))
    for moment in (NEXT - timedelta(hours=1), NEXT):
        at(bench, moment)

    chances = explained(bench).chances
    assert [(each.outcome, each.guard) for each in chances] == [("changed", None), ("not meant", "hosts")]
    assert chances[1].cause == "this host has left the schedule's pattern 'web'"
    assert chances[1].next is None


def test_a_host_that_came_later_says_so(lay: Lay) -> None:
    bench = ran(lay(schedule=SCHEDULE.replace("hosts: all", "hosts: web")))
    (bench.site.root / "schedules" / "patch.yml").write_text(SCHEDULE)

    assert first(bench) == (
        "not meant",
        "hosts",
        "the pattern 'all' did not name this host when the slot opened; it does now",
    )


def test_a_host_that_no_schedule_names_is_told_the_way_out(lay: Lay) -> None:
    bench = ran(lay(schedule=SCHEDULE.replace("hosts: all", "hosts: web")))

    found = explained(bench)

    assert found.chances == ()
    assert found.notes[0].startswith("No schedule names it, so nothing will touch it. Put it into a group")


def test_a_schedule_that_never_starts_by_itself_is_told(lay: Lay) -> None:
    off, always = SCHEDULE + "enabled: false\n", SCHEDULE.replace("window: saturday-night", "window: always")

    switched_off, by_hand = explained(lay(schedule=off)), explained(lay(schedule=always))

    assert "Schedule patch names it and is switched off" in switched_off.notes[0]
    assert "starts only by hand: wellkept run patch" in by_hand.notes[0]
    assert (switched_off.chances, by_hand.chances) == ((), ())


def test_a_run_by_hand_is_a_line_of_its_own_with_the_person(bench: Bench) -> None:
    run_id = start_by_hand("patch", Wish(limit="db"), site=bench.site)
    bench.play_out(run_id)

    chances = explained(bench).chances
    assert [(each.by, each.outcome, each.run) for each in chances if each.run] == [("ana", "changed", 1)]
    assert not any(each.run for each in explained(bench, "web-01").chances)


def test_a_run_that_is_going_on_says_so(bench: Bench) -> None:
    start_by_hand("patch", Wish(), site=bench.site)

    assert [each.outcome for each in explained(bench).chances if each.run] == ["running"]


def test_without_a_ledger_the_next_chance_comes_from_the_files(bench: Bench) -> None:
    bench.time.now = AFTER
    run_id = start_by_hand("patch", Wish(check_mode=True), site=bench.site)
    bench.play_out(run_id)

    chance, following = explained(bench).chances
    assert chance.next == following.when == NEXT
    assert following.outcome == "planned"
    assert chance.cause.endswith("(check mode, nothing was changed)")


def test_a_retired_host_and_one_that_nobody_has_are_told_apart(bench: Bench) -> None:
    ran(bench)
    bench.inventory.hosts = HOSTS[:-1]
    among = Inventories(bench.site.current().settings, bench.inventory)
    retire_host("db-02", reason="gone", inventory=None, by=bench.site.actor, among=among, store=bench.site.store, clock=bench.time)  # fmt: skip

    assert "db-02 is retired." in explained(bench, "db-02").notes
    with pytest.raises(NotFound, match="No inventory has a host 'db-99'"):
        explained(bench, "db-99")
