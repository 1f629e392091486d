"""What only Ansible's view of the hosts can tell about files."""

from __future__ import annotations

import os

from runner.operations.validate_files import validate_files
from tests.operations.a_site import HOSTS, SCHEDULE, Bench
from tests.operations.conftest import Lay


def problems(bench: Bench) -> list[str]:
    return [str(p) for p in validate_files(bench.site.root, environ=os.environ, inventories=bench.inventory)]


def test_good_files_have_no_problem(bench: Bench) -> None:
    assert problems(bench) == []


def test_a_pattern_that_matches_nobody_names_the_nearest(bench: Bench) -> None:
    (bench.site.root / "schedules" / "patch.yml").write_text(SCHEDULE.replace("hosts: all", "hosts: wbe"))

    assert any(
        "no host of inventory 'production' matches 'wbe'. Did you mean 'web'?" in text for text in problems(bench)
    )


def test_the_problem_stands_at_the_schedules_own_place(bench: Bench) -> None:
    (bench.site.root / "schedules" / "patch.yml").write_text(SCHEDULE.replace("hosts: all", "hosts: wbe"))

    assert any(text.startswith("schedules/patch.yml:1:1: hosts:") for text in problems(bench))


def test_an_inventory_that_errs_is_told_and_nothing_is_guessed_from_it(bench: Bench) -> None:
    bench.inventory.hosts, bench.inventory.errors = (), ("inventory production: the script ended with 1.",)

    assert problems(bench) == [
        "wellkept.yml: inventory production: the script ended with 1. See `ansible-inventory -i hosts.ini --list`."
    ]


def test_too_small_an_inventory_is_a_problem(bench: Bench) -> None:
    bench.inventory.hosts = HOSTS[:1]

    assert problems(bench) == ["wellkept.yml: inventory production: it has 1 host, fewer than min_hosts 3."]


def test_a_wave_with_hosts_outside_its_schedule_is_a_problem(lay: Lay) -> None:
    bench = lay(
        schedule=SCHEDULE.replace("hosts: all", "hosts: web") + "waves: [{name: first, hosts: db}, {name: rest}]\n"
    )

    assert any("wave 'first' names hosts outside the schedule: db-01, db-02." in text for text in problems(bench))


def test_a_wave_that_names_nobody_is_a_problem_with_the_nearest_name(lay: Lay) -> None:
    bench = lay(schedule=SCHEDULE + "waves: [{name: first, hosts: web-10}, {name: rest}]\n")

    (found,) = problems(bench)

    assert "waves: wave 'first' names no host: none of inventory 'production' matches 'web-10'. Did you mean" in found


def test_a_play_on_hosts_outside_the_schedule_names_play_and_line(lay: Lay) -> None:
    playbook = "- {name: Web, hosts: web, tasks: []}\n- {name: Databases, hosts: db, tasks: []}\n"
    bench = lay(schedule=SCHEDULE.replace("hosts: all", "hosts: web"), playbook=playbook)

    found = [text for text in problems(bench) if "Databases" in text]

    assert len(found) == 1
    assert found[0].startswith(
        "playbooks/patch.yml:2:1: play 'Databases' is for hosts outside schedule 'patch' (db-01, db-02)"
    )


def test_files_that_are_broken_in_themselves_ask_no_inventory(bench: Bench) -> None:
    (bench.site.root / "schedules" / "patch.yml").write_text("schedule: [")
    bench.inventory.errors = ("never asked",)

    assert all("never asked" not in text for text in problems(bench))
    assert problems(bench)
