from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial

from runner.domain.tickets.ticket import Priority
from runner.store.tickets import tickets
from runner.store.time import cadence
from tests.cli import rows
from tests.cli.conftest import WINDOWS, Repository


def test_a_fresh_repository_says_what_to_do_first(wellkept: Repository) -> None:
    answered = wellkept("status")

    assert answered.code == 0
    assert "NOT RUNNING" in answered.out
    assert "wellkept serve" in answered.out
    assert "Nothing is running." in answered.out
    assert "`wellkept health` asks all of them." in answered.out
    assert "No run has ended yet." in answered.out


def test_a_second_daemon_beside_the_first_is_told(wellkept: Repository) -> None:
    rows.a_daemon(wellkept.store)
    rows.a_daemon(wellkept.store, pid=4243)

    screen = wellkept("status").out

    assert "heard now), and 1 more" in screen


def test_everything_that_matters_stands_on_one_screen(wellkept: Repository) -> None:
    store = wellkept.store
    rows.a_settled_run(store)
    rows.a_live_run(store)
    rows.a_held_slot(store)
    rows.an_ill_host(store)
    rows.a_daemon(store)

    screen = wellkept("status").out

    assert "alive (process 4242" in screen
    assert "rest: runs the playbook on web2, db1" in screen
    assert "1 of 3" in screen
    assert "change freeze 'year-end': quiet please" in screen
    assert "disk is 95%; it fails above 92" in screen
    assert "web2: an update stopped half-way" in screen
    assert "halted" in screen
    assert "3 min ago" in screen


def test_a_pause_is_the_first_line(wellkept: Repository) -> None:
    rows.a_pause(wellkept.store)

    first = wellkept("status").out.splitlines()[0]

    assert first.startswith("PAUSED")
    assert "the audit" in first
    assert "ana" in first
    assert "30 min ago" in first


def test_a_pause_without_an_end_says_how_it_is_ended(wellkept: Repository) -> None:
    rows.a_pause(wellkept.store)

    assert "until somebody resumes (wellkept resume): the audit" in wellkept("status").out.splitlines()[0]


def test_a_file_that_pauses_everything_is_the_first_line_also_without_a_database(bare: Repository) -> None:
    bare.write("var/PAUSE", "the pumps are off\n")

    said = bare("status")

    assert said.out.splitlines()[0].startswith("PAUSED     everything, now: the file ")
    assert "PAUSE is there (the pumps are off); remove it to go on" in said.out.splitlines()[0]
    assert "Database   AWAY" in said.out


def test_a_waived_slot_is_not_shown_as_the_next_opening(wellkept: Repository) -> None:
    in_three_days = f"{datetime.now(UTC) + timedelta(days=3):%A}".lower()
    wellkept.write("schedules/windows.yml", WINDOWS.replace("saturday,", f"{in_three_days},"))
    (before,) = wellkept("status", "--format", "json").json()["status"]["openings"]

    waived = wellkept("runs", "waive", "patch", before["opens"], "--reason", "the fair is on")

    (after,) = wellkept("status", "--format", "json").json()["status"]["openings"]
    assert waived.code == 0
    assert after["opens"] > before["opens"]


def test_an_opening_that_was_used_already_is_not_shown_as_open(wellkept: Repository) -> None:
    half_an_hour_ago = datetime.now(UTC) - timedelta(minutes=30)
    text = (
        f'windows:\n  saturday-night: {{timezone: UTC, day: daily, start: "{half_an_hour_ago:%H:%M}", duration: 4h}}\n'
    )
    wellkept.write("schedules/windows.yml", text)
    (before,) = wellkept("status", "--format", "json").json()["status"]["openings"]

    rows.a_used_slot(wellkept.store, opens=datetime.fromisoformat(before["opens"]))

    (after,) = wellkept("status", "--format", "json").json()["status"]["openings"]
    assert (before["is_open"], after["is_open"]) == (True, False)
    assert after["opens"] > before["opens"]


def test_a_broken_file_is_told_loudly_and_the_record_is_shown_all_the_same(wellkept: Repository) -> None:
    rows.a_settled_run(wellkept.store)
    wellkept.write("schedules/patch.yml", "schedule: patch\nplaybok: x\n")

    answered = wellkept("status")

    assert answered.code == 2
    assert "BROKEN" in answered.out
    assert "schedules/patch.yml:2:1" in answered.out
    assert "web2: an update stopped half-way" in answered.out


def test_openings_come_from_the_ledger_while_files_are_broken(wellkept: Repository) -> None:
    wellkept.write("schedules/patch.yml", "schedule: [\n")

    assert "Next openings, as they were written ahead" in wellkept("status").out


def test_a_broken_wellkept_yml_is_told_too(wellkept: Repository) -> None:
    wellkept.write("wellkept.yml", "organisation: [\n")

    answered = wellkept("status")

    assert answered.code == 4
    assert "BROKEN" in answered.out
    assert "AWAY" in answered.out


def test_a_database_that_is_not_there_is_said_and_the_openings_are_shown(bare: Repository) -> None:
    answered = bare("status")

    assert answered.code == 4
    assert "Database   AWAY" in answered.out
    assert "wellkept db upgrade" in answered.out
    assert "patch" in answered.out


def test_json_holds_every_part(wellkept: Repository) -> None:
    store = wellkept.store
    rows.a_settled_run(store)
    rows.a_held_slot(store)
    rows.an_ill_host(store)

    status = wellkept("status", "--format", "json").json()["status"]

    assert set(status) == {
        "at",
        "pause_file",
        "schedules",
        "checks",
        "broken",
        "record_problem",
        "recorded",
        "openings",
        "waiting",
        "cadences",
    }
    assert status["schedules"] == 1
    assert status["recorded"]["due"][0]["reasons"] == ["change freeze 'year-end': quiet please"]
    assert status["recorded"]["last_runs"][0] | {"ended": ""} == {
        "number": 1,
        "schedule": "patch",
        "title": "Updates of all servers",
        "verdict": "halted",
        "good": 1,
        "hosts": 3,
        "ended": "",
    }
    assert status["recorded"]["unhealthy"][0]["condition"] == "critical"
    assert status["openings"][0]["schedule"] == "patch"


def test_a_run_whose_executor_is_gone_is_marked_loudly(wellkept: Repository) -> None:
    rows.a_live_run(wellkept.store, lease=timedelta(0))

    assert "NOT HEARD" in wellkept("status").out


def test_the_most_urgent_ticket_comes_first(wellkept: Repository) -> None:
    for number, priority in enumerate([Priority.LOW, Priority.CRITICAL, Priority.MEDIUM]):
        wanted = rows.a_wanted_ticket(fingerprint=f"f{number}", priority=priority)
        wellkept.store.write(lambda c, wanted=wanted: tickets.open_or_touch(c, wanted, at=rows.ago()))

    listed = wellkept("status", "--format", "json").json()["status"]["recorded"]["tickets"]

    assert [ticket["priority"] for ticket in listed] == ["critical", "medium", "low"]


def test_a_health_check_is_named_when_a_round_of_it_was_missed_today(wellkept: Repository) -> None:
    today = datetime.now(UTC).date()
    for check, missed in (("disk", 3), ("answers", 0)):
        counted = {"expected": 24, "run": 24 - missed, "late": 1, "missed": missed}
        wellkept.store.write(
            lambda c, check=check, counted=counted: cadence.count(c, f"health:{check}", today, **counted)
        )

    screen = wellkept("status").out
    told = wellkept("status", "--format", "json").json()["status"]["recorded"]["rounds_today"]

    assert "Missed     disk: 3 of 24 rounds today (UTC)" in screen
    assert "answers:" not in screen
    assert told == [
        {"check": "answers", "expected": 24, "run": 24, "late": 1, "missed": 0},
        {"check": "disk", "expected": 24, "run": 21, "late": 1, "missed": 3},
    ]


def test_a_schedule_is_named_when_an_interval_of_it_was_missed_today(wellkept: Repository) -> None:
    today = datetime.now(UTC).date()
    for name, missed in (("look", 2), ("inspect", 0)):
        counted = {"expected": 24, "run": 24 - missed, "late": 1, "missed": missed}
        wellkept.store.write(lambda c, name=name, counted=counted: cadence.count(c, name, today, **counted))

    screen = wellkept("status").out
    told = wellkept("status", "--format", "json").json()["status"]["recorded"]

    assert "Missed     look: 2 of 24 runs today (UTC); `wellkept plan look` says what holds it now" in screen
    assert "inspect:" not in screen
    assert told["rounds_today"] == []
    assert [(each["schedule"], each["missed"]) for each in told["intervals_today"]] == [("inspect", 0), ("look", 2)]


LOOK = "schedule: look\ntitle: Pending updates\nwhy: Tells early.\nplaybook: playbooks/patch.yml\nhosts: web\neffect: read_only\nevery: 15m\n"


def test_a_schedule_on_a_cadence_is_shown_with_its_day(wellkept: Repository) -> None:
    wellkept.write("schedules/look.yml", LOOK)
    before = wellkept("status").out
    today = datetime.now(UTC).date()
    wellkept.store.write(partial(cadence.count, schedule="look", day=today, expected=24, run=23, missed=1))

    screen = wellkept("status").out
    told = wellkept("status", "--format", "json").json()["status"]["cadences"]

    assert "Every so often" in before
    assert "none yet" in before
    assert "23 of 24 run" in screen
    assert told == [{"schedule": "look", "every": "15m"}]
