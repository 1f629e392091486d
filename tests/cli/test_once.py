from __future__ import annotations

from tests.cli.conftest import Repository

ONCE = ("once", "playbooks/patch.yml", "--hosts", "web", "--at", "tomorrow 22:00", "--for", "2h", "--why", "a new key")


def test_it_prints_the_plan_its_name_and_the_way_back(wellkept: Repository) -> None:
    said = wellkept(*ONCE)

    assert said.code == 0
    assert "Hosts: 2 by 'web'" in said.out
    assert "This slot is written down as once-patch-" in said.out
    assert "wellkept runs waive once-patch-" in said.out
    assert "No daemon is serving" in said.err


def test_it_stands_among_the_openings_and_can_be_planned_and_waived(wellkept: Repository) -> None:
    wellkept(*ONCE)
    rows = wellkept("plan", "--format", "json").json()["plans"]
    (name,) = [row["schedule"] for row in rows if row["schedule"].startswith("once-")]
    day = f"{name[11:15]}-{name[15:17]}-{name[17:19]}"

    assert name in wellkept("status").out
    assert wellkept("runs", "waive", name, day, "--reason", "not needed").code == 0
    assert name not in wellkept("status").out


def test_a_playbook_that_is_not_there_is_refused_with_the_way_out(wellkept: Repository) -> None:
    said = wellkept("once", "playbooks/nope.yml", *ONCE[2:])

    assert (said.code, said.out) == (2, "")
    assert "there is no playbook playbooks/nope.yml" in said.err


def test_a_time_that_is_over_is_refused(wellkept: Repository) -> None:
    said = wellkept(*ONCE[:5], "2020-01-01 22:00", *ONCE[6:])

    assert said.code == 2
    assert "--at is in the past" in said.err
