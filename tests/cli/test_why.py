from __future__ import annotations

import dataclasses

from runner.operations.explain_host import Chance, HostExplained
from tests.cli import rows
from tests.cli.conftest import Repository


def test_each_chance_is_a_line_with_its_next_one(wellkept: Repository) -> None:
    rows.a_held_slot(wellkept.store)

    said = wellkept("why", "web1")

    assert said.code == 0
    assert said.out.splitlines()[0].startswith("web1 in inventory production, since ")
    assert "NEXT CHANCE" in said.out
    assert "change freeze 'year-end': quiet please" in said.out


def test_json_has_the_documented_keys(wellkept: Repository) -> None:
    rows.a_settled_run(wellkept.store)

    why = wellkept("why", "web2", "--since", "yesterday", "--format", "json").json()["why"]

    assert set(why) == {field.name for field in dataclasses.fields(HostExplained)}
    assert set(why["chances"][0]) == {field.name for field in dataclasses.fields(Chance)}


def test_a_run_by_hand_names_the_person(wellkept: Repository) -> None:
    rows.a_settled_run(wellkept.store)

    assert "patch run 1" in wellkept("why", "web2").out


def test_a_host_that_no_inventory_has_is_refused(wellkept: Repository) -> None:
    said = wellkept("why", "web9")

    assert said.code == 2
    assert "No inventory has a host 'web9'" in said.err


def test_a_since_that_is_no_time_is_refused(wellkept: Repository) -> None:
    assert "is no time" in wellkept("why", "web1", "--since", "long ago").err
