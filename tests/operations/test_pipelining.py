"""Pipelining: proved by `doctor`, kept as an observation, used where the proof holds and nobody says anything else."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest

from runner.domain.execution.run import Verdict
from runner.operations.examine import Examined
from runner.operations.execution.choose_pipelining import KIND
from runner.operations.execution.start_run import Wish, start_by_hand
from runner.operations.prove_pipelining import prove_pipelining
from runner.store.execution import runs
from runner.store.record import observations
from tests.operations.a_site import LOOK, SCHEDULE, SETTINGS, Bench, all_well
from tests.operations.conftest import Lay

PROVED = "prove.yml"


def prove(bench: Bench, host: str, machine_id: str | None = "") -> Examined:
    answer = bench.inventory.read(bench.site.current().settings.inventories["production"], project=bench.site.root)
    known = f"id-of-{host}" if machine_id == "" else machine_id
    (found,) = prove_pipelining("production", host, known, answer, site=bench.site)
    return found


def used(bench: Bench) -> set[str]:
    """The hosts that a run reaches by pipelining."""
    bench.ansible.orders.clear()
    run_id = start_by_hand("patch", Wish(), site=bench.site)
    bench.play_out(run_id)
    assert bench.site.store.read(lambda c: runs.get(c, run_id)).verdict is Verdict.SUCCEEDED
    return {host for order in bench.ansible.orders for host in order.pipelined}


def test_without_a_proof_no_host_is_reached_by_pipelining(bench: Bench) -> None:
    assert used(bench) == set()


def test_the_proof_is_a_try_on_this_host_alone_and_is_kept_with_machine_and_ansible(bench: Bench) -> None:
    found = prove(bench, "web-02")

    (order,) = bench.ansible.orders
    kept = bench.site.store.read(lambda c: observations.latest(c, "production", KIND))["web-02"]
    assert (order.playbook.name, order.limit, order.pipelined) == (PROVED, ("web-02",), ("web-02",))
    assert bench.ansible.finished == [order.run]
    assert not order.folder.exists()
    assert (kept.machine_id, kept.at) == ("id-of-web-02", bench.time.now)
    assert kept.value == {"works": True, "why": "", "version": "2.19.0", "config": None, "bin": None}
    assert found.found == "works by ansible-core 2.19.0; runs use it for 30 days"


def test_only_hosts_with_a_proof_are_reached_by_it_and_never_for_the_built_in_look(bench: Bench) -> None:
    prove(bench, "web-02")
    prove(bench, "db-01")

    assert used(bench) == {"web-02", "db-01"}
    assert all(not order.pipelined for order in bench.ansible.orders if order.playbook == LOOK)


def test_a_host_where_it_does_not_work_is_no_problem_and_runs_do_without_it(bench: Bench) -> None:
    bench.ansible.script = lambda order, host: "failed" if order.playbook.name == PROVED else all_well(order, host)

    found = prove(bench, "web-02")

    assert (found.standing, found.found.partition(": ")[0]) == ("ok", "does not work, so runs do without it")
    assert used(bench) == set()


def test_a_later_failure_takes_a_proof_back(bench: Bench) -> None:
    prove(bench, "web-02")
    bench.time.pass_by(timedelta(minutes=1))
    bench.ansible.script = lambda order, host: "failed" if order.playbook.name == PROVED else all_well(order, host)
    prove(bench, "web-02")

    assert used(bench) == set()


def test_a_try_whose_end_was_not_heard_is_no_proof(bench: Bench) -> None:
    bench.ansible.script = lambda order, host: "lost" if order.playbook.name == PROVED else all_well(order, host)

    assert prove(bench, "web-02").found.startswith("does not work")
    assert used(bench) == set()


def test_another_machine_under_the_same_name_is_not_proved(bench: Bench) -> None:
    prove(bench, "web-02", "an older machine")
    used(bench)  # its looks see the machine that is there now

    assert used(bench) == set()


def test_a_host_without_a_machine_id_is_done_without_it(bench: Bench) -> None:
    found = prove(bench, "web-02", None)

    assert "has no machine-id" in found.found
    assert used(bench) == set()


def another_ansible(bench: Bench) -> None:
    bench.ansible.version = "2.20.1"


def said_by_the_user(bench: Bench) -> None:
    bench.ansible.version = None


def a_month_later(bench: Bench) -> None:
    bench.time.pass_by(timedelta(days=35))  # a Saturday night, too


def said_for_the_host(bench: Bench) -> None:
    bench.inventory.variables = {"web-02": {"ansible_ssh_pipelining": "{{ told_in_a_play }}"}}


@pytest.mark.parametrize("changed", [said_for_the_host, another_ansible, said_by_the_user, a_month_later])
def test_a_proof_holds_for_a_while_and_for_one_ansible_and_never_against_the_users_word(
    bench: Bench, changed: Callable[[Bench], None]
) -> None:
    prove(bench, "web-02")

    changed(bench)

    assert used(bench) == set()


def test_where_the_user_says_something_about_it_nothing_is_tried(bench: Bench) -> None:
    bench.ansible.version = None

    found = prove(bench, "web-02")

    assert bench.ansible.orders == []
    assert "your own configuration says whether it is used" in found.found


def test_where_the_inventory_says_something_about_a_host_nothing_is_tried(bench: Bench) -> None:
    said_for_the_host(bench)

    assert "your own configuration says" in prove(bench, "web-02").found
    assert bench.ansible.orders == []


def test_it_can_be_switched_off(lay: Lay) -> None:
    bench = lay(settings=SETTINGS + "ansible: {pipelining: never}\n")
    value = {"works": True, "why": "", "version": "2.19.0", "config": None, "bin": None}
    keep = partial(observations.add, inventory="production", host="web-02", kind=KIND, value=value)
    bench.site.store.write(partial(keep, machine_id="id-of-web-02", at=bench.time.now))

    assert "switched off in wellkept.yml" in prove(bench, "web-02").found
    assert used(bench) == set()


def test_a_schedule_may_be_left_out(lay: Lay) -> None:
    bench = lay(schedule=SCHEDULE + "ansible: {pipelining: never}\n")
    prove(bench, "web-02")

    assert used(bench) == set()
