"""Hosts that share a group are never changed at the same time."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from runner.domain.execution.apart import drawn_apart, groups_of, locks_for, nowhere, untold
from runner.domain.execution.guards import hold_for_apart
from runner.domain.execution.next_step import Finish, StartPiece, Wait, next_step, no_longer_needed
from runner.domain.execution.outcome import HostResult, Result
from runner.domain.execution.run import Stage
from tests.domain.runs import ALL, START, World, a_plan, a_record, answering, hosts, piece_from
from tests.domain.test_guards import SCHEDULE

RACK = ("rack",)
PAIRS = {"web-01": ("rack=a",), "web-02": ("rack=a",), "web-03": ("rack=b",), "web-04": ("rack=b",)}


def test_hosts_are_grouped_by_the_value_of_a_variable() -> None:
    variables = {"web-01": {"rack": "a"}, "web-02": {"rack": 7}, "web-03": {}, "web-04": {"rack": ""}}

    assert groups_of(RACK, variables, variables) == {"web-01": ("rack=a",), "web-02": ("rack=7",)}


def test_a_list_of_values_puts_a_host_into_several_groups() -> None:
    assert groups_of(RACK, ["web-01"], {"web-01": {"rack": ["a", "b"]}}) == {"web-01": ("rack=a", "rack=b")}


def test_what_only_ansible_could_tell_is_named() -> None:
    variables = {
        "web-01": {"rack": "{{ site }}-1"},
        "web-02": {"rack": {"__ansible_vault": ""}},
        "web-03": {"rack": ["a", "{% if x %}b{% endif %}"]},
        "web-04": {"rack": "a"},
    }

    assert untold(RACK, variables, variables) == {"rack": ("web-01", "web-02", "web-03")}


def test_a_template_holds_the_schedule_with_the_name_and_the_way_out() -> None:
    hold = hold_for_apart(replace(SCHEDULE, apart=RACK), ["web-01"], {"web-01": {"rack": "{{ site }}"}})

    assert hold is not None
    assert hold.guard == "apart"
    assert hold.reason == (
        "rack, which keeps hosts apart, is a template, encrypted or a mapping at web-01. Only Ansible could fill it: give it as plain text"
    )


def test_a_variable_that_no_host_has_is_probably_misspelt() -> None:
    variables = {"web-01": {"rack": "a"}, "web-02": {}}

    hold = hold_for_apart(replace(SCHEDULE, apart=("rack", "zone")), list(variables), variables)

    assert nowhere(("rack", "zone"), {"web-01": ("rack=a",)}) == ("zone",)
    assert hold is not None
    assert "has the variable zone, which keeps hosts apart, in inventory" in hold.reason
    assert hold_for_apart(replace(SCHEDULE, apart=RACK), list(variables), variables) is None


def test_of_each_group_the_first_is_drawn() -> None:
    assert drawn_apart(hosts(4), PAIRS) == ["web-01", "web-03"]


def test_a_piece_locks_its_hosts_and_their_groups() -> None:
    assert locks_for(["web-01", "web-05"], PAIRS) == {"web-01", "rack=a", "web-05"}


def test_batches_get_smaller_and_all_hosts_are_done_in_the_end() -> None:
    world = World(a_record(a_plan(5, waves=ALL, groups=PAIRS)))

    ended = world.run()

    assert ended == Finish()
    assert [step.hosts for step in world.done if step.stage is Stage.APPLY] == [
        ("web-01", "web-03", "web-05"),
        ("web-02", "web-04"),
    ]


def test_a_batch_waits_while_another_run_holds_the_group_of_all_that_are_left() -> None:
    plan = a_plan(2, waves=ALL, groups={"web-01": ("rack=a",), "web-02": ("rack=a",)})

    held_elsewhere = next_step(a_record(plan, locked=frozenset(hosts(2))), now=START)
    free = next_step(a_record(plan), now=START)

    assert held_elsewhere == Wait(START + timedelta(seconds=10))
    assert isinstance(free, StartPiece)
    assert free.hosts == ("web-01",)


def test_a_host_and_its_group_are_given_back_as_soon_as_its_batch_is_through() -> None:
    held = frozenset({"web-01", "rack=a", "web-03", "rack=b"})
    world = World(a_record(a_plan(4, waves=ALL, groups=PAIRS), held=held))
    needed = []

    while len({step.batch for step in world.done}) < 2:
        needed.append(no_longer_needed(world.record, now=world.now))
        world.step()

    assert needed == [frozenset(), frozenset(), frozenset(), held], "before, after each stage but the last, and then"


def test_a_host_in_doubt_is_kept_to_the_end_of_the_run() -> None:
    plan = a_plan(4, waves=ALL, groups=PAIRS, budget=4)
    dead = answering({(Stage.APPLY, "web-01"): None})
    world = World(a_record(plan, held=frozenset({"web-01", "rack=a", "web-03", "rack=b"})), dead)

    while max((step.batch for step in world.done), default=0) < 2:
        let_go = no_longer_needed(world.record, now=world.now)
        world.step()

    assert let_go == {"web-03", "rack=b"}


def test_nothing_is_given_back_while_a_piece_is_going_on() -> None:
    world = World(a_record(a_plan(1, waves=ALL), held=frozenset(hosts(1))))
    world.run()
    ended = world.record
    going = piece_from(world.done[0], {"web-01": HostResult("web-01", Result.OK)}, ended=None)

    assert no_longer_needed(ended, now=world.now) == set(hosts(1))
    assert no_longer_needed(a_record(ended.plan, held=ended.held, pieces=(going,)), now=world.now) == frozenset()


groups = st.dictionaries(
    st.sampled_from(hosts(12)),
    st.lists(st.sampled_from(["rack=a", "rack=b", "zone=1"]), min_size=1, max_size=2).map(tuple),
)


@given(groups, st.integers(1, 12), st.integers(1, 4))
def test_no_two_hosts_of_a_group_are_changed_together_and_all_are_done(
    of_hosts: dict[str, tuple[str, ...]], number: int, concurrency: int
) -> None:
    world = World(a_record(a_plan(number, groups=of_hosts, concurrency=concurrency)))

    ended = world.run()

    assert ended == Finish()
    assert sorted(world.applied()) == list(hosts(number))
    for step in world.done:
        own = [group for host in step.hosts for group in set(of_hosts.get(host, ()))]
        assert len(own) == len(set(own))


@given(groups, st.sets(st.sampled_from(["rack=a", "rack=b", "zone=1"])))
def test_while_a_second_run_holds_a_group_no_host_of_it_is_drawn(
    of_hosts: dict[str, tuple[str, ...]], elsewhere: set[str]
) -> None:
    locked = frozenset(host for host in hosts(8) if not elsewhere.isdisjoint(of_hosts.get(host, ())))
    world = World(a_record(a_plan(8, waves=ALL, groups=of_hosts), locked=locked))

    for _ in range(60):
        if isinstance(world.step(), Wait | Finish):
            break

    assert locked.isdisjoint(world.applied())
    assert locked or set(world.applied()) == set(hosts(8))
