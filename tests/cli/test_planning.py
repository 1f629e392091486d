"""`plan`, `calendar`, `validate`, `schema` and `init`: what they print, and how they leave."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.cli.funnel import run
from runner.cli.plan import budget_in_words, shortened, wave_rules
from runner.domain.execution.plan import PlannedWave
from tests.cli import rows
from tests.cli.conftest import SCHEDULE, WINDOWS, Answered, Repository

IN_THE_WINDOW = "2026-03-21 23:00"  # in Berlin
OUTSIDE = "2026-03-23 12:00"


def test_a_plan_names_hosts_waves_guards_and_digest(wellkept: Repository) -> None:
    said = wellkept("plan", "patch", "--at", IN_THE_WINDOW)

    assert said.code == 0
    assert "Updates of all servers (patch, schedules/patch.yml:1)" in said.out
    assert "Window: saturday-night, open until Sun 2026-03-22 04:00 Europe/Berlin (2026-03-22 03:00 UTC)" in said.out
    assert "last start Sun 2026-03-22 03:15 Europe/Berlin" in said.out
    assert "Failure budget: 0, so the first failure stops the run" in said.out
    assert "Nothing holds it." in said.out
    assert "To run exactly this: wellkept run patch --digest" in said.out


def test_a_plan_outside_the_window_says_what_holds_it_and_when_the_next_one_opens(wellkept: Repository) -> None:
    said = wellkept("plan", "patch", "--at", OUTSIDE)

    assert "window: maintenance window 'saturday-night' is closed" in said.out
    assert "closed; next opening Sat 2026-03-28 22:00 Europe/Berlin" in said.out


def test_a_plan_of_a_frozen_opening_says_by_what(wellkept: Repository) -> None:
    freeze = 'freezes: [{name: launch, from: "2026-03-20T00:00Z", to: "2026-03-23T00:00Z", reason: the shop opens}]\n'
    wellkept.write("schedules/windows.yml", WINDOWS + freeze)

    said = wellkept("plan", "patch", "--at", IN_THE_WINDOW)

    assert "Window: saturday-night, frozen by launch" in said.out
    assert "freeze: change freeze 'launch': the shop opens" in said.out


def test_a_plan_tells_which_ring_it_waits_for(wellkept: Repository) -> None:
    ring = SCHEDULE.replace("schedule: patch\n", "schedule: patch-test\n").replace("hosts: all", "hosts: db")
    wellkept.write("schedules/patch-test.yml", ring)
    requires = "requires: [{schedule: patch-test, within: 10d, at_least: 3d}]\n"
    wellkept.write("schedules/patch.yml", SCHEDULE + requires)

    said = wellkept("plan", "patch", "--at", IN_THE_WINDOW)

    assert "Requires: patch-test, succeeded, ended at least 3d and at most 10d before\n" in said.out
    assert "Held by:\n  requires: it requires 'patch-test', which has not been through as a whole yet\n" in said.out


def test_a_plan_as_json_has_one_shape_with_and_without_a_name(wellkept: Repository) -> None:
    one = wellkept("plan", "patch", "--at", IN_THE_WINDOW, "--format", "json").json()
    every = wellkept("plan", "--at", IN_THE_WINDOW, "--format", "json").json()

    plan = one["plans"][0]
    assert one == every
    assert plan["hosts"] == ["web1", "web2", "db1"]
    assert plan["opens"] == "2026-03-21T21:00:00+00:00"
    assert plan["holds"] == []
    assert len(plan["digest"]) == 64


def test_the_overview_has_one_line_for_each_schedule(wellkept: Repository) -> None:
    said = wellkept("plan", "--at", OUTSIDE)

    lines = [line for line in said.out.splitlines() if line.startswith("patch")]
    assert len(lines) == 1
    assert "maintenance window 'saturday-night' is closed" in lines[0]


def test_the_digest_changes_with_the_playbook_and_stays_otherwise(wellkept: Repository) -> None:
    def digest() -> object:
        return wellkept("plan", "patch", "--at", IN_THE_WINDOW, "--format", "json").json()["plans"][0]["digest"]

    before, again = digest(), digest()
    wellkept.write("playbooks/patch.yml", "- {name: Patch, hosts: all, tasks: []}\n")

    assert before == again
    assert digest() != before


def test_an_unknown_schedule_is_refused_on_the_error_stream(wellkept: Repository) -> None:
    said = wellkept("plan", "pacth")

    assert (said.code, said.out) == (2, "")
    assert said.err == "There is no schedule 'pacth'. Did you mean 'patch'?\n"


def test_a_time_that_is_none_is_refused(wellkept: Repository) -> None:
    said = wellkept("plan", "--at", "tomorrow")

    assert said.code == 2
    assert "'tomorrow' is no time" in said.err


@pytest.mark.parametrize(
    ("budget", "words"),
    [
        (0, "0, so the first failure stops the run"),
        (1, "1 host may fail; the next failure stops the run"),
        (3, "3 hosts may fail; the next failure stops the run"),
    ],
)
def test_a_budget_in_words(budget: int, words: str) -> None:
    assert budget_in_words(budget) == words


def test_a_canary_says_what_halts_the_run() -> None:
    assert wave_rules(PlannedWave("canary", 1, is_canary=True)) == ", every failure halts"
    assert wave_rules(PlannedWave("canary", 1, is_canary=True, tolerates=1)) == ", 1 failure tolerated"
    assert wave_rules(PlannedWave("rest")) == ""


def test_many_hosts_are_shortened() -> None:
    assert shortened([f"h{n}" for n in range(10)]).endswith("h7, …")
    assert shortened(["a", "b"]) == "a, b"


def test_a_wave_that_names_its_hosts_keeps_them_from_earlier_waves(wellkept: Repository) -> None:
    wellkept.write("schedules/patch.yml", SCHEDULE + "waves: [{name: first, size: 1}, {name: others, hosts: web2}]\n")

    said = wellkept("plan", "patch", "--at", IN_THE_WINDOW)

    assert "first: 1 (db1)" in said.out
    assert "others: 1 (web2)" in said.out
    assert "itself: 1 (web1)" in said.out


def test_the_calendar_shows_local_times(wellkept: Repository) -> None:
    said = wellkept("calendar", "--from", "2026-03-20", "--to", "2026-04-06")

    lines = said.out.splitlines()
    assert said.code == 0
    assert len(lines) == 4
    assert lines[1].startswith("Sat 2026-03-21 22:00")
    assert "5h00" in lines[2], "the clocks change"


def test_the_calendar_as_json_tells_both_times(wellkept: Repository) -> None:
    rows = wellkept("calendar", "patch", "--from", "2030-03-15", "--to", "7d", "--format", "json").json()["occurrences"]

    assert [(row["opens"], row["opens_utc"], row["state"]) for row in rows] == [
        ("2030-03-16T22:00:00+01:00", "2030-03-16T21:00:00+00:00", "planned")
    ]


def test_a_calendar_without_a_database_is_by_the_files_alone_and_says_so(bare: Repository) -> None:
    said = bare("calendar", "--from", "2026-03-20", "--to", "7d", "--format", "json")

    assert [row["state"] for row in said.json()["occurrences"]] == ["planned"]
    assert said.code == 0
    assert said.err.startswith("By the files alone, without what was waived, done or made for one slot: ")
    assert "`wellkept init` or `wellkept db upgrade` creates it" in said.err
    assert said.err.count("\n") == 1
    assert not (bare.root / "var").exists()


def test_a_window_by_itself_needs_no_database(bare: Repository) -> None:
    assert bare("calendar", "--window", "saturday-night").err == ""


@pytest.mark.parametrize("form", ["table", "json", "ics", "html"])
def test_what_a_person_waived_is_shown_in_every_form(wellkept: Repository, form: str) -> None:
    opens = wellkept("calendar", "patch", "--next", "week", "--format", "json").json()["occurrences"][0]["opens"]
    wellkept("runs", "waive", "patch", opens[:10], "--reason", "the fair is on")

    said = wellkept("calendar", "--year", opens[:4], "--format", form)

    told = {
        "table": "waived",
        "json": '"state": "waived"',
        "ics": "STATUS:CANCELLED",
        "html": ", waived: a person left",
    }
    assert (said.code, said.err) == (0, "")
    assert told[form] in said.out


def test_the_calendar_shows_what_is_to_be_done_once(wellkept: Repository) -> None:
    wellkept(
        "once", "playbooks/patch.yml", "--hosts", "web1", "--at", "tomorrow 12:00", "--for", "1h", "--why", "it expires"
    )

    rows = wellkept("calendar", "--to", "3d", "--format", "json").json()["occurrences"]
    file = wellkept("calendar", "--to", "3d", "--format", "ics").out

    (once,) = [row for row in rows if row["schedule"].startswith("once-patch-")]
    assert (once["state"], once["usable_minutes"]) == ("planned", 60)
    assert f"UID:schedule.{once['schedule']}." in file


def test_a_plan_of_the_next_week_has_a_block_for_each_opening(wellkept: Repository) -> None:
    other = SCHEDULE.replace("schedule: patch", "schedule: other").replace("hosts: all", "hosts: web")
    wellkept.write("schedules/other.yml", other)
    wellkept.write("schedules/quiet.yml", SCHEDULE.replace("schedule: patch", "schedule: quiet") + "enabled: false\n")

    said = wellkept("plan", "--next", "week")
    rows = wellkept("plan", "--next", "week", "--format", "json").json()["plans"]

    assert said.code == 0
    assert [row["schedule"] for row in rows] == ["other", "patch"]
    assert [row["holds"] for row in rows] == [[], []]
    assert said.out.count("Nothing holds it.") == 2
    assert len([line for line in said.out.splitlines() if line.startswith("Sat ")]) == 2


def test_a_plan_of_the_next_week_may_be_of_one_schedule(wellkept: Repository) -> None:
    assert "Updates of all servers (patch" in wellkept("plan", "patch", "--next", "week").out
    assert wellkept("plan", "patcg", "--next", "week").code == 2


def test_a_plan_of_a_span_in_which_nothing_opens_says_so(wellkept: Repository) -> None:
    wellkept.write("schedules/patch.yml", SCHEDULE + "enabled: false\n")

    said = wellkept("plan", "--next", "weekend")

    assert (said.code, said.out) == (0, "Nothing opens then. `wellkept calendar` shows what opens when.\n")


def test_the_calendar_of_the_next_week_shows_that_week_only(wellkept: Repository) -> None:
    rows = wellkept("calendar", "--next", "week", "--format", "json").json()["occurrences"]

    assert [row["schedule"] for row in rows] == ["patch"]


def test_an_empty_span_says_so_and_is_no_error(wellkept: Repository) -> None:
    said = wellkept("calendar", "--from", "2026-03-23", "--to", "1d")

    assert (said.code, said.err) == (0, "")
    assert said.out == "Nothing opens in this span. Choose a wider one with --from and --to.\n"


def test_a_calendar_may_be_of_one_window(wellkept: Repository) -> None:
    said = wellkept("calendar", "--window", "saturday-nite")

    assert said.code == 2
    assert "Did you mean 'saturday-night'?" in said.err


def test_valid_files_are_said_to_be(wellkept: Repository) -> None:
    said = wellkept("validate")

    assert (said.code, said.out) == (0, "All files are valid.\n")


def test_every_problem_is_told_on_the_error_stream_with_its_place(wellkept: Repository) -> None:
    wellkept.write("schedules/patch.yml", SCHEDULE.replace("saturday-night", "saturday-nite") + "hots: web\n")

    said = wellkept("validate", "--offline")

    assert (said.code, said.out) == (2, "")
    assert "schedules/patch.yml:6:9: window: there is no window 'saturday-nite'" in said.err
    assert "schedules/patch.yml:7:1:" in said.err
    assert "2 problems in 1 file. Nothing was changed." in said.err


def test_problems_as_json_have_their_place(wellkept: Repository) -> None:
    wellkept.write("schedules/patch.yml", SCHEDULE.replace("hosts: all", "hosts: wbe"))

    said = wellkept("validate", "--format", "json")

    document = said.json()
    assert said.code == 2
    assert document["valid"] is False
    assert [set(row) for row in document["problems"]] == [{"file", "line", "column", "severity", "message"}]
    assert "Did you mean 'web'?" in document["problems"][0]["message"]


def test_offline_no_inventory_is_asked(wellkept: Repository) -> None:
    wellkept.write("hosts.ini", "[web\n")

    assert wellkept("validate", "--offline").code == 0
    assert wellkept("validate").code == 2


@pytest.mark.parametrize("kind", ["settings", "windows", "schedule", "health", "report"])
def test_every_kind_of_file_has_a_schema(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    import json

    assert run(["schema", kind]) == 0
    assert json.loads(capsys.readouterr().out)["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def test_a_kind_that_there_is_not_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["schema", "playbook"]) == 2
    assert "There is no schema 'playbook'" in capsys.readouterr().err


def test_init_lays_out_files_and_a_database_and_says_what_comes_next(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = run(["init", str(tmp_path / "new"), "--organisation", "Example Ltd"])

    said = capsys.readouterr()
    assert code == 0
    assert "Next: put your hosts into inventories/" in said.out
    assert "Example Ltd" in (tmp_path / "new" / "wellkept.yml").read_text()
    assert run(["-C", str(tmp_path / "new"), "validate", "--offline"]) == 0


def test_init_never_lays_anything_over_what_is_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "wellkept.yml").write_text("mine\n")

    code = run(["init", str(tmp_path)])

    assert code == 2
    assert (tmp_path / "wellkept.yml").read_text() == "mine\n"


def test_a_calendar_for_programs_goes_to_a_file_or_to_the_output(wellkept: Repository, tmp_path: Path) -> None:
    span = ("--from", "2026-03-20", "--to", "7d", "--format", "ics")
    file = tmp_path / "maintenance.ics"

    said, written = wellkept("calendar", *span), wellkept("calendar", *span, "--output", str(file))

    assert said.out.startswith("BEGIN:VCALENDAR\r\n")
    assert (written.code, written.out) == (0, "")
    assert file.read_bytes() == said.out.encode()


def test_a_listing_is_not_written_to_a_file(wellkept: Repository, tmp_path: Path) -> None:
    said = wellkept("calendar", "--output", str(tmp_path / "x"))

    assert said.code == 2
    assert "--output is for" in said.err


def test_a_calendar_that_cannot_be_written_says_where_it_can(wellkept: Repository, tmp_path: Path) -> None:
    said = wellkept("calendar", "--format", "ics", "--output", str(tmp_path / "none" / "x.ics"))

    assert said.code == 2
    assert "Name a file in a folder that you may write to" in said.err


def test_a_year_can_be_drawn_on_a_page(wellkept: Repository, tmp_path: Path) -> None:
    freeze = 'freezes: [{name: launch, from: "2027-03-20T00:00+01:00", to: "2027-03-23T00:00+01:00", reason: the shop opens}]\n'
    wellkept.write("schedules/windows.yml", WINDOWS + freeze)

    said = wellkept("calendar", "patch", "--year", "2027", "--format", "html", "--output", str(tmp_path / "2027.html"))

    page = (tmp_path / "2027.html").read_text()
    assert (said.code, said.out, said.err) == (0, "", "")
    assert page.count('title="Updates of all servers, 22:00 to 04:00">A<') == 51
    assert page.count('title="Updates of all servers, 22:00 to 04:00, frozen">A<') == 1
    assert "20 Mar to 22 Mar: changes are held; the shop opens" in page


def test_a_year_is_a_span_for_other_formats_too(wellkept: Repository) -> None:
    rows = wellkept("calendar", "--year", "2027", "--format", "json").json()["occurrences"]

    assert (len(rows), rows[0]["opens"][:10], rows[-1]["opens"][:10]) == (52, "2027-01-02", "2027-12-25")


@pytest.mark.parametrize(("year", "told"), [("patch", "is no year"), ("12", "no year to draw")])
def test_a_year_that_is_none_is_refused(wellkept: Repository, year: str, told: str) -> None:
    said = wellkept("calendar", "--year", year, "--format", "html")

    assert said.code == 2
    assert told in said.err


def test_the_present_year_needs_no_number(wellkept: Repository) -> None:
    said = wellkept("calendar", "--format", "html", "--year")

    assert said.code == 0
    assert "<title>Maintenance 20" in said.out


@pytest.mark.parametrize(
    ("spans", "told"),
    [
        (("--year", "2027", "--to", "3d"), "--from and --to and --year each name a span"),
        (("--next", "week", "--year", "2027"), "--next and --year each name a span"),
        (("--next", "week", "--format", "html"), "Write --year 2027 in place of --next"),
        (("--from", "2026-01-01", "--format", "html"), "Write --year 2027 in place of --from and --to"),
    ],
)
def test_a_second_span_is_not_left_out_in_silence(wellkept: Repository, spans: tuple[str, ...], told: str) -> None:
    said = wellkept("calendar", *spans)

    assert said.code == 2
    assert told in said.err


CLEAN = SCHEDULE.replace("schedule: patch", "schedule: clean").replace("hosts: all", "hosts: web")
SPAN = ("--from", "2030-03-15", "--to", "7d")


def test_the_calendar_with_hosts_tells_who_meets_whom_and_whom_nobody_covers(wellkept: Repository) -> None:
    wellkept.write("schedules/clean.yml", CLEAN)
    wellkept.write("schedules/patch.yml", SCHEDULE.replace("hosts: all", "hosts: web1"))

    said = wellkept("calendar", *SPAN, "--hosts")

    assert said.code == 0
    assert "meets patch on web1" in said.out
    assert "Schedules that meet on a host:\n  clean and patch, 1 time, on web1\n" in said.out
    assert "Hosts that no schedule covers:\n  db1 (production)\n" in said.out


def test_the_calendar_with_hosts_as_json_only_adds_keys(wellkept: Repository) -> None:
    wellkept.write("schedules/clean.yml", CLEAN)

    document = wellkept("calendar", *SPAN, "--hosts", "--format", "json").json()

    assert list(document) == [
        "version",
        "occurrences",
        "cadences",
        "collisions",
        "uncovered_hosts",
        "rare_upgrades",
        "unread",
    ]
    assert document["collisions"][0]["hosts"] == ["web1", "web2"]
    assert list(wellkept("calendar", *SPAN, "--format", "json").json()) == ["version", "occurrences", "cadences"]


def test_a_calendar_without_trouble_says_so(wellkept: Repository) -> None:
    said = wellkept("calendar", *SPAN, "--hosts")

    assert said.out.endswith("\nNo two schedules meet on a host, and every host is covered.\n")


def test_services_that_are_upgraded_too_rarely_are_told(wellkept: Repository) -> None:
    settings = (wellkept.root / "wellkept.yml").read_text()
    wellkept.write("wellkept.yml", f"{settings}boundaries: {{upgrade_at_least: {{firmware: 12mo}}}}\n")

    said = wellkept("calendar", *SPAN, "--hosts")

    assert "  the web shop (shop), firmware every 12mo: web1, web2\n" in said.out


def test_a_plan_tells_who_is_kept_apart_and_what_is_done_on_failure(wellkept: Repository) -> None:
    inventory = "[web]\nweb1 rack=a\nweb2 rack=a\n[db]\ndb1\n"
    wellkept.write("hosts.ini", inventory)
    wellkept.write("playbooks/back.yml", "- {name: Back, hosts: all, tasks: []}\n")
    more = "apart: [rack]\non_failure: {retry: {transient: 2, after: 90s}, rollback: playbooks/back.yml}\n"
    wellkept.write("schedules/patch.yml", SCHEDULE + more)

    said = wellkept("plan", "patch", "--at", IN_THE_WINDOW)
    row = wellkept("plan", "patch", "--at", IN_THE_WINDOW, "--format", "json").json()["plans"][0]

    assert "Kept apart: one host at a time of each of 1 group by rack; 1 host in none" in said.out
    assert (
        "If it fails on a host: tried again up to 2 times after 1m30s if the cause may pass by itself, then rolled back by playbooks/back.yml"
        in said.out
    )
    assert row["apart"] == {"variables": ["rack"], "groups": {"web1": ["rack=a"], "web2": ["rack=a"]}}
    assert row["on_failure"] == {"retries": 2, "retry_after_seconds": 90.0, "rollback": "playbooks/back.yml"}


def test_a_plan_tells_that_nobody_has_the_variable_that_keeps_hosts_apart(wellkept: Repository) -> None:
    wellkept.write("schedules/patch.yml", SCHEDULE + "apart: [rakc]\n")

    said = wellkept("plan", "patch", "--at", IN_THE_WINDOW)

    assert (
        "apart: no host of 'all' has the variable rakc, which keeps hosts apart, in inventory 'production'. Is it misspelt?"
        in said.out
    )


def test_a_plan_tells_how_long_a_host_is_expected_to_take(wellkept: Repository) -> None:
    early, late = (wellkept("plan", "patch", "--at", at) for at in (IN_THE_WINDOW, "2026-03-22 03:58"))

    assert "Time for a host: 5m for 3 hosts without a past" in early.out
    assert "No room then" not in early.out
    assert "No room then for: web1, web2, db1" in late.out


def test_a_schedules_own_reserve_decides_whose_time_would_not_fit(wellkept: Repository) -> None:
    wellkept.write("schedules/patch.yml", SCHEDULE + "reserve: 1m\n")

    said = wellkept("plan", "patch", "--at", "2026-03-22 03:58")
    row = wellkept("plan", "patch", "--at", "2026-03-22 03:58", "--format", "json").json()["plans"][0]

    assert "Time for a host: 1m for 3 hosts without a past" in said.out
    assert "No room then" not in said.out
    assert row["reserve_seconds"] == 60


ON_CADENCE = """\
schedule: look
title: Pending updates
why: Tells what the next window will bring.
playbook: playbooks/patch.yml
hosts: all
effect: read_only
every: 1h
"""


def test_a_plan_of_work_on_a_cadence_says_how_often_and_when_its_next_interval_begins(wellkept: Repository) -> None:
    wellkept.write("schedules/look.yml", ON_CADENCE)

    said = wellkept("plan", "look", "--at", "2026-03-23 12:10")
    row = wellkept("plan", "look", "--at", "2026-03-23 12:10", "--format", "json").json()["plans"][0]

    assert (
        "Every: 1h, by itself while `wellkept serve` runs; the next interval begins Mon 2026-03-23 12:00 UTC\n"
        in said.out
    )
    assert "Nothing holds it." in said.out
    assert "Window:" not in said.out
    assert (row["every_seconds"], row["opens"]) == (3600.0, None)


def test_a_calendar_names_work_on_a_cadence_below_the_openings(wellkept: Repository) -> None:
    wellkept.write("schedules/look.yml", ON_CADENCE)

    said = wellkept("calendar", "--next", "week")
    told = wellkept("calendar", "--next", "week", "--format", "json").json()

    assert said.out.splitlines()[-1] == "Without a window: look, every 1h. It changes nothing."
    assert told["cadences"] == [{"schedule": "look", "every": "1h"}]
    assert {row["schedule"] for row in told["occurrences"]} == {"patch"}


@pytest.mark.parametrize("arguments", [("patch",), ("--window", "saturday-night")])
def test_a_calendar_of_something_else_does_not_name_it(wellkept: Repository, arguments: tuple[str, ...]) -> None:
    wellkept.write("schedules/look.yml", ON_CADENCE)

    said = wellkept("calendar", *arguments, "--format", "json").json()

    assert said["cadences"] == []


AHEAD = SCHEDULE + "readiness: {before: 1d, checks: [health:answers]}\n"


def test_a_plan_tells_what_is_looked_at_the_day_before_and_that_nobody_has_looked_yet(wellkept: Repository) -> None:
    wellkept.write("schedules/patch.yml", AHEAD)

    said = wellkept("plan", "patch")
    row = wellkept("plan", "patch", "--format", "json").json()["plans"][0]

    assert "Readiness: 1d before it opens: connection and login, health:answers\n  not looked at yet" in said.out
    assert row["readiness"] == {
        "before_seconds": 86400.0,
        "checks": ["health:answers"],
        "run": None,
        "verdict": None,
        "not_ready": [],
    }


def test_what_the_look_the_day_before_found_is_told_by_plan_calendar_and_why(wellkept: Repository) -> None:
    wellkept.write("schedules/patch.yml", AHEAD.replace("before: 1d", "before: 8d"))
    rows.a_look_ahead(wellkept.store)

    told = "readiness run 1: 1 of 3 hosts ready; not ready: db1: unreachable; web2: disk full"
    row = wellkept("plan", "patch", "--format", "json").json()["plans"][0]

    assert told in wellkept("plan", "patch").out
    assert (row["readiness"]["run"], row["readiness"]["not_ready"]) == (1, ["db1", "web2"])
    assert told in wellkept("calendar", "--format", "json").json()["occurrences"][0]["notes"]
    assert told not in wellkept("calendar", "--format", "ics").out
    assert "a look ahead of the slot, nothing was changed" in wellkept("why", "web2", "--format", "json").out
    assert "by hand" not in wellkept("why", "web2").out
    assert "a look ahead" not in wellkept("why", "web1", "--format", "json").out


def test_a_look_by_hand_bears_no_other_option(wellkept: Repository) -> None:
    wellkept.write("schedules/patch.yml", AHEAD)

    said = wellkept("run", "patch", "--readiness", "--limit", "web1")

    assert said.code == 2
    assert "no other option means anything beside it" in said.err
    assert "readiness: {before: 1d}" in refused_without_it(wellkept).err


def refused_without_it(wellkept: Repository) -> Answered:
    wellkept.write("schedules/patch.yml", SCHEDULE)
    return wellkept("run", "patch", "--readiness")
