"""Waves that name their hosts: without the hosts of its canary a schedule is held, since the rest would go first."""

from __future__ import annotations

import pytest

from runner.domain.execution.plan import RunPlan
from runner.errors import Held
from runner.operations.execution.plan_occurrence import Asking, plan_occurrence
from runner.operations.execution.start_run import Wish, start_by_hand
from runner.store.execution import runs
from tests.operations.a_site import HOSTS, SCHEDULE, Bench
from tests.operations.conftest import Lay

CANARIES = SCHEDULE + "waves: [{name: canary, hosts: web-01}, {name: rest}]\n"


@pytest.fixture
def bench(lay: Lay) -> Bench:
    return lay(schedule=CANARIES)


def holds(bench: Bench, limit: str | None = None) -> list[str]:
    asking = Asking(bench.time.now, limit=limit)
    plan = plan_occurrence("patch", asking, definitions=bench.site.current(), site=bench.site)
    return [hold.reason for hold in plan.holds if hold.guard == "waves"]


def started(bench: Bench, wish: Wish) -> RunPlan:
    run_id = start_by_hand("patch", wish, site=bench.site)
    return bench.site.store.read(lambda c: runs.get(c, run_id)).plan


def test_the_named_hosts_go_first(bench: Bench) -> None:
    plan = started(bench, Wish())

    assert holds(bench) == []
    assert [(wave.name, wave.hosts) for wave in plan.waves] == [("canary", ("web-01",)), ("rest", ())]


def test_a_canary_that_left_the_inventory_holds_the_schedule(bench: Bench) -> None:
    bench.inventory.hosts = HOSTS[1:]

    said = "wave 'canary' ('web-01') names no host of 'all' in inventory 'production'"
    assert holds(bench) == [said]
    with pytest.raises(Held, match="names no host of 'all'"):
        start_by_hand("patch", Wish(), site=bench.site)


def test_a_canary_outside_of_the_schedule_is_none(lay: Lay) -> None:
    bench = lay(schedule=CANARIES.replace("hosts: all", "hosts: db"))

    assert holds(bench) == ["wave 'canary' ('web-01') names no host of 'db' in inventory 'production'"]


def test_all_waves_that_name_nobody_are_named(lay: Lay) -> None:
    bench = lay(schedule=SCHEDULE + "waves: [{name: one, hosts: web-8}, {name: two, hosts: web-9}, {name: rest}]\n")

    assert holds(bench) == [
        "wave 'one' ('web-8') and wave 'two' ('web-9') name no host of 'all' in inventory 'production'"
    ]


def test_who_leaves_the_canary_out_by_a_pattern_may(bench: Bench) -> None:
    plan = started(bench, Wish(limit="db"))

    assert plan.hosts == ("db-01", "db-02")
