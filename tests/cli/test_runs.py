from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from runner.domain.execution.run import Verdict
from runner.operations.execution.list_runs import RunLine
from runner.operations.execution.show_run import HostOfRun, PieceShown, RunShown
from runner.store.execution import runs
from runner.store.record import log
from tests.cli import rows
from tests.cli.conftest import Repository


def names(value: type) -> set[str]:
    return {field.name for field in dataclasses.fields(value)}


def test_an_empty_list_says_how_a_run_starts(wellkept: Repository) -> None:
    answered = wellkept("runs", "list")

    assert answered.code == 0
    assert "There has been no run yet." in answered.out
    assert "wellkept run NAME" in answered.out


def test_the_list_is_newest_first_and_says_how_many_hosts_ended_how(wellkept: Repository) -> None:
    rows.a_settled_run(wellkept.store)
    rows.a_live_run(wellkept.store)

    lines = wellkept("runs", "list").out.splitlines()

    assert lines[0].split()[0] == "RUN"
    assert lines[1].startswith("2")
    assert "running" in lines[1]
    assert "3 planned" in lines[1]
    assert "halted" in lines[2]
    assert "1 not_run, 1 changed, 1 failed" in lines[2]
    assert "a canary failed" in lines[2]


def test_a_long_list_is_cut_and_says_so(wellkept: Repository) -> None:
    rows.a_settled_run(wellkept.store)
    rows.a_live_run(wellkept.store)

    answered = wellkept("runs", "list", "--limit", "1")

    assert len([line for line in answered.out.splitlines() if "patch" in line]) == 1
    assert "There are more than 1" in answered.out
    assert wellkept("runs", "list", "--limit", "1", "--format", "json").json()["more"] is True


def test_the_list_as_json_has_the_documented_keys(wellkept: Repository) -> None:
    rows.a_settled_run(wellkept.store)

    listed = wellkept("runs", "list", "--format", "json").json()["runs"]

    assert set(listed[0]) == names(RunLine)
    assert listed[0]["outcomes"] == {"not_run": 1, "changed": 1, "failed": 1}


def test_a_run_is_shown_with_causes_in_plain_words_and_packages(wellkept: Repository) -> None:
    rows.a_settled_run(wellkept.store)

    shown = wellkept("runs", "show", "1").out

    assert "Run 1 halted: 1 of 3 hosts done as planned" in shown
    assert "nginx 1.22 -> 1.24" in shown
    assert "stopped half-way" in shown
    assert rows.BROKEN in shown
    assert "not_run (budget)" in shown
    assert "Ticket 1 (open): web2: an update stopped half-way" in shown
    assert "c0ffee, with changes" in shown
    assert "canary" in shown


def test_a_run_as_json_has_the_documented_keys(wellkept: Repository) -> None:
    rows.a_settled_run(wellkept.store)

    run = wellkept("runs", "show", "1", "--format", "json").json()["run"]

    assert set(run) == names(RunShown)
    assert set(run["hosts"][0]) == names(HostOfRun)
    assert set(run["pieces"][0]) == names(PieceShown)
    assert run["hosts"][1]["packages"] == ["nginx 1.22 -> 1.24"]
    assert run["tickets"][0]["number"] == 1


def test_a_run_that_is_going_on_shows_how_far_each_host_has_come(wellkept: Repository) -> None:
    rows.a_live_run(wellkept.store, override="openssl is exploited")

    shown = wellkept("runs", "show", "1").out

    assert "changed so far" in shown
    assert "not begun" in shown
    assert "openssl is exploited" in shown


@pytest.mark.parametrize("command", ["show", "watch", "cancel"])
def test_a_run_that_there_is_not_is_an_error_in_words(wellkept: Repository, command: str) -> None:
    answered = wellkept("runs", command, "77")

    assert answered.code == 2
    assert "There is no run '77'." in answered.err


def test_cancel_lets_the_batch_finish_and_is_recorded_with_the_name(wellkept: Repository) -> None:
    run = rows.a_live_run(wellkept.store)

    answered = wellkept("runs", "cancel", "1")

    assert answered.code == 0
    assert "The batch in flight is finished" in answered.out
    kept = wellkept.store.read(lambda c: runs.get(c, run))
    assert kept.stop_request == "finish"
    entry = wellkept.store.read(lambda c: list(log.entries(c, "installation")))[-1].content
    assert entry["action"] == "run.stop_requested"
    assert entry["by"] == str(kept.stopped_by)


def test_cancel_now_is_stronger_and_can_follow(wellkept: Repository) -> None:
    run = rows.a_live_run(wellkept.store)
    wellkept("runs", "cancel", "1")

    again = wellkept("runs", "cancel", "1")
    stronger = wellkept("runs", "cancel", "1", "--now")

    assert again.code == 2
    assert "--now" in again.err
    assert stronger.code == 0
    assert wellkept.store.read(lambda c: runs.get(c, run)).stop_request == "cancel"


def test_a_run_that_has_ended_cannot_be_cancelled(wellkept: Repository) -> None:
    rows.a_settled_run(wellkept.store)

    answered = wellkept("runs", "cancel", "1")

    assert answered.code == 2
    assert "has ended already: halted" in answered.err


def test_watching_a_settled_run_tells_its_end_and_has_its_exit_code(wellkept: Repository) -> None:
    rows.a_settled_run(wellkept.store)

    answered = wellkept("runs", "watch", "1")

    assert answered.code == 1
    assert "canary: web1 changed" in answered.out
    assert "Run 1 halted" in answered.out
    assert [line.split() for line in answered.out.splitlines() if line.startswith(("HOST", "web1"))] == [
        ["HOST", "OUTCOME", "CAUSE", "PACKAGES"],
        ["web1", "changed", "-", "nginx", "1.22", "->", "1.24"],
    ]


def test_a_run_is_the_same_in_json_whether_it_was_watched_or_is_shown(wellkept: Repository) -> None:
    rows.a_settled_run(wellkept.store)

    watched = wellkept("runs", "watch", "1", "--format", "json").json()

    assert watched == wellkept("runs", "show", "1", "--format", "json").json()


def test_watching_says_that_nobody_executes_a_run(wellkept: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    run = rows.a_live_run(wellkept.store, lease=timedelta(0))
    settle = partial(runs.settle, run_id=run, verdict=Verdict.SUCCEEDED, reason="", at=rows.ago())
    monkeypatch.setattr("runner.cli.runs.time.sleep", lambda _: wellkept.store.write(settle))

    answered = wellkept("runs", "watch", "1")

    assert answered.code == 0
    assert "is not heard any more" in answered.err
    assert "rest: runs the playbook on web2, db1" in answered.out


def test_a_slot_is_waived_and_its_waiver_taken_back(wellkept: Repository) -> None:
    day = next_saturday()

    waived = wellkept("runs", "waive", "patch", day, "--reason", "the fair is on")
    again = wellkept("runs", "waive", "patch", day, "--reason", "the fair is on")
    undone = wellkept("runs", "waive", "patch", f"{day} 22:00", "--undo")

    assert waived.code == 0
    assert (
        f"The slot of patch that opens Sat {day} 22:00 Europe/Berlin is waived: the fair is on. Recorded as"
        in waived.out
    )
    assert f"wellkept runs waive patch {day} --undo" in waived.out
    assert again.code == 2
    assert f"The slot of patch that opens Sat {day} 22:00 Europe/Berlin is planned again." in undone.out


def test_a_waiver_without_a_reason_or_for_no_day_is_refused(wellkept: Repository) -> None:
    assert "Say why" in wellkept("runs", "waive", "patch", next_saturday()).err
    assert "is no time" in wellkept("runs", "waive", "patch", "soon", "--reason", "x").err


def next_saturday() -> str:
    today = datetime.now(UTC).date()
    return (today + timedelta(days=7 + (5 - today.weekday()) % 7)).isoformat()
