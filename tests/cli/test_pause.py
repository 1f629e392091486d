"""`pause` and `resume`: what they print, what they leave in the record, and how they leave."""

from __future__ import annotations

from datetime import UTC, datetime

from runner.domain.record.record import INSTALLATION
from runner.store.execution import pauses
from runner.store.record import log
from tests.cli.conftest import Repository


def going(wellkept: Repository) -> list[pauses.KeptPause]:
    return wellkept.store.read(lambda c: pauses.in_force(c, datetime.now(UTC)))


def told(wellkept: Repository) -> list[dict[str, object]]:
    return [entry.content for entry in wellkept.store.read(lambda c: list(log.entries(c, INSTALLATION)))]


def test_a_pause_says_until_when_and_how_to_go_on(wellkept: Repository) -> None:
    said = wellkept("pause", "--reason", "storage is moved", "--for", "4h")

    assert said.code == 0
    assert "Everything is paused until " in said.out
    assert "storage is moved" in said.out
    assert "What is in flight is finished; nothing new begins." in said.out
    assert said.out.endswith("To go on: wellkept resume\n")
    assert [(each.hosts, each.in_flight) for each in going(wellkept)] == [("", "finish")]


def test_a_pause_is_recorded_with_the_person(wellkept: Repository) -> None:
    wellkept("pause", "--reason", "storage is moved", "--in-flight", "stop")
    wellkept("resume")

    started, ended = told(wellkept)
    assert (started["action"], started["reason"], started["in_flight"]) == ("pause.started", "storage is moved", "stop")
    assert ended["action"] == "pause.ended"
    assert started["by"] == ended["by"]
    assert started["by"]


def test_a_pause_of_some_hosts_names_them(wellkept: Repository) -> None:
    said = wellkept("pause", "--hosts", "web", "--reason", "month-end")

    assert "'web', 2 hosts now, is paused until somebody resumes: month-end." in said.out
    assert "  web1, web2\n" in said.out
    assert "wellkept resume --hosts 'web'" in said.out


def test_a_pattern_with_a_name_that_nobody_bears_is_refused(wellkept: Repository) -> None:
    for pattern in ("wbe", "web:wbe"):
        said = wellkept("pause", "--hosts", pattern, "--reason", "month-end")

        assert (said.code, said.out) == (2, "")
        assert "No inventory has 'wbe'; nothing was paused." in said.err
    assert going(wellkept) == []


def test_an_inventory_that_cannot_be_read_keeps_nobody_from_pausing(wellkept: Repository) -> None:
    wellkept.write("hosts.ini", "[web\n")

    said = wellkept("pause", "--hosts", "web", "--reason", "month-end")

    assert said.code == 0
    assert "could not be looked at in full" in said.err
    assert len(going(wellkept)) == 1


def test_a_pause_needs_a_reason_and_one_end_that_is_ahead(wellkept: Repository) -> None:
    assert "Say why" in wellkept("pause", "--reason", " ").err
    assert "not both" in wellkept("pause", "--reason", "x", "--for", "1h", "--until", "23:59").err
    assert "over before it begins" in wellkept("pause", "--reason", "x", "--until", "2020-01-01").err
    assert going(wellkept) == []


def test_a_pause_can_be_ordered_while_other_files_are_broken(wellkept: Repository) -> None:
    wellkept.write("schedules/patch.yml", "schedule: [\n")

    assert wellkept("pause", "--reason", "x").code == 0


def test_resuming_ends_the_pause_and_says_what_is_left(wellkept: Repository) -> None:
    wellkept("pause", "--reason", "storage")
    wellkept("pause", "--hosts", "db", "--reason", "month-end")

    said = wellkept("resume")

    assert said.code == 0
    assert "The pause of everything" in said.out
    assert "Still paused: db, by" in said.out
    assert [each.hosts for each in going(wellkept)] == ["db"]


def test_resuming_what_is_not_paused_names_what_is(wellkept: Repository) -> None:
    wellkept("pause", "--hosts", "db", "--reason", "month-end")

    said = wellkept("resume")

    assert said.code == 2
    assert "No pause of everything is in force; nothing was changed." in said.err
    assert "wellkept resume --hosts 'db'" in said.err


def test_resuming_while_nothing_is_paused_is_no_error(wellkept: Repository) -> None:
    said = wellkept("resume")

    assert (said.code, said.out) == (0, "Nothing is paused.\n")


def test_the_file_is_told_by_resume_and_left_where_it_is(wellkept: Repository) -> None:
    wellkept.write("var/PAUSE", "the pumps are off\n")
    wellkept("pause", "--reason", "storage")

    said = wellkept("resume")

    assert said.code == 3
    assert "PAUSE is there (the pumps are off); remove it to go on" in said.err
    assert going(wellkept) == []
    assert (wellkept.root / "var/PAUSE").exists()


def test_a_plan_says_that_the_file_holds_it(wellkept: Repository) -> None:
    wellkept.write("var/PAUSE", "the pumps are off\n")

    said = wellkept("plan", "patch", "--at", "2026-03-21 23:00")

    assert "pause: paused: the file" in said.out
    assert "remove it to go on" in said.out


def test_a_plan_names_hosts_that_are_passed_over(wellkept: Repository) -> None:
    wellkept("pause", "--hosts", "db", "--reason", "month-end")
    in_an_hour = ("plan", "patch", "--at", f"{datetime.now(UTC):%Y-%m-%dT%H:%M}+00:00")

    assert "Passed over: db1, paused by" not in wellkept("plan", "patch", "--at", "2020-01-01").out
    assert "Passed over: db1" in wellkept(*in_an_hour[:3], "now").out
