import os
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest

from runner.adapters.calendars import Calendars
from runner.config import check, read
from runner.domain.execution.approval import Policy
from runner.domain.execution.own_ansible import AnsibleSettings
from runner.domain.execution.schedule import Amount, ChangeType, Effect, Kind, Requirement, Split, WantedVerdict, Wave
from runner.domain.health import Probe, Threshold
from runner.domain.report import Edition
from runner.domain.settings import Alertmanager, Definitions, Inventory, Never, SecretSource
from runner.domain.time.duration import Duration
from runner.domain.time.freeze import YearlySpan
from runner.domain.time.window import AtEnd, DayKind
from runner.domain.who import Right
from runner.errors import FilesInvalid
from tests.config.conftest import SCHEDULE, SETTINGS

WORKING = Path(__file__).parents[2] / "docs/reference/files/working"
TODAY = date(2026, 1, 15)
Checked = Callable[..., tuple[Definitions | None, list[str]]]
THREE_LINES = 'playbook: playbooks/patch.yml\nhosts: web\nwindow: {day: sunday, start: "04:00", duration: 3h}\n'
DUTY = (
    "schedule: drill\ntitle: Drill\nwhy: x\nkind: manual\n"
    'window: {timezone: UTC, day: monday, start: "09:00", duration: 8h, cutoff: 0m, at_end: finish_batch}\n'
)


@pytest.fixture(scope="module")
def working() -> Definitions:
    return read(WORKING, environ={}, today=TODAY, sources=Calendars())


def valid(found: tuple[Definitions | None, list[str]]) -> Definitions:
    definitions, problems = found
    assert definitions is not None, problems
    return definitions


def test_a_schedule_of_three_lines_is_valid_and_says_what_it_left_out(checked: Checked) -> None:
    definitions = valid(checked({"schedules/three-lines.yml": THREE_LINES}))

    schedule = definitions.schedules["three-lines"]
    assert (schedule.title, schedule.inventory, schedule.owner) == ("Install updates", "production", "ana")
    assert (schedule.effect, schedule.change.type, schedule.split) == (Effect.CHANGE, ChangeType.STANDARD, Split.HOSTS)
    assert (schedule.failure_budget, schedule.waves, schedule.concurrency) == (Amount(0), (), 10)
    assert (schedule.window.name, schedule.window.timezone) == ("three-lines", "Europe/Berlin")
    assert schedule.source == "schedules/three-lines.yml:1"
    assert schedule.defaults_used == (
        "schedule: three-lines, from the file's name",
        "title: Install updates, from the first play",
        "inventory: production, from wellkept.yml",
        "owner: ana, from wellkept.yml",
        "timezone: Europe/Berlin, from wellkept.yml",
        "cutoff: 0m, by default",
        "at_end: finish_batch, by default",
        "reserve: 5m for a host without a past, by default",
        "effect: change, by default",
        "change: standard, by default",
        "split: hosts, by default",
        "waves: a canary of 1 from five hosts up, then the rest, by default",
        "concurrency: 10, by default",
        "failure_budget: 0, so the first failure stops it, by default",
        "late_start: until_cutoff, by default",
        "catch_up: none, by default",
        "overlap: forbid, by default",
    )


def test_a_schedule_of_three_lines_is_warned_that_nobody_is_told_why(checked: Checked) -> None:
    _, problems = checked({"schedules/three-lines.yml": THREE_LINES})

    assert problems == [
        (
            "schedules/three-lines.yml:1:1: warning: why is missing: reports cannot say what this is good for. "
            "Add why: and a sentence"
        )
    ]


def test_strict_makes_a_missing_owner_and_why_an_error(checked: Checked) -> None:
    settings = "format: 1\norganisation: x\nstrict: true\ninventories: {one: {source: 'a,'}}\n"

    definitions, problems = checked({"wellkept.yml": settings, "schedules/patch-web.yml": THREE_LINES})

    assert definitions is None
    assert [problem.partition(": ")[2][:16] for problem in problems] == ["owner is missing", "why is missing: "]


def test_a_schedule_says_everything_itself(working: Definitions) -> None:
    schedule = working.schedules["patch-web"]

    assert schedule.defaults_used == ()
    assert schedule.waves == (
        Wave("canary", Amount(1), soak=timedelta(minutes=10)),
        Wave("early", Amount(25, percent=True)),
        Wave("rest"),
    )
    assert (schedule.failure_budget, schedule.time_limit) == (Amount(10, percent=True), timedelta(hours=2))
    assert (schedule.before, schedule.after) == (
        ("playbooks/health/readiness.yml", "health:disk"),
        ("health:web-answers",),
    )
    assert (schedule.change.model, schedule.change.owner, schedule.owner) == ("CHG-014", "team-web", "team-web")
    assert schedule.extra_vars == {"patch_scope": "security"}
    assert schedule.window == working.windows["prod-patch"]


def test_boundaries_are_read(working: Definitions) -> None:
    assert working.settings.boundaries.never == (Never("vault-01", "always"), Never("web", "office-hours"))
    assert working.settings.boundaries.max_concurrent_hosts == 50


def test_who_tells_of_alerts_is_read(working: Definitions) -> None:
    assert working.settings.alertmanager == Alertmanager(
        "http://127.0.0.1:9093", ("Watchdog",), SecretSource(file="/run/credentials/alerts")
    )
    assert working.schedules["patch-web"].hold_on == ("alerts",)


def test_a_ring_is_read_with_its_ages(working: Definitions) -> None:
    assert working.schedules["patch-web"].requires == (
        Requirement("patch-test", WantedVerdict.SUCCEEDED, timedelta(days=10), timedelta(days=3)),
    )


def test_a_ring_wants_a_good_end_however_long_ago_when_nothing_else_is_said(checked: Checked) -> None:
    ring = THREE_LINES + "why: x\nrequires: [{schedule: patch-web}]\n"

    assert valid(checked({"schedules/three-lines.yml": ring})).schedules["three-lines"].requires == (
        Requirement("patch-web"),
    )


def test_rings_in_a_circle_are_told_at_each_of_them(checked: Checked) -> None:
    rings = {
        f"schedules/{name}.yml": THREE_LINES + f"why: x\nrequires: [{{schedule: {before}}}]\n"
        for name, before in {"a": "c", "b": "a", "c": "b", "beside": "a"}.items()
    }

    _, problems = checked(rings)

    assert [problem.partition(", so that")[0] for problem in problems] == [
        "schedules/a.yml:5:23: schedule: a waits for c waits for b waits for a",
        "schedules/b.yml:5:23: schedule: b waits for a waits for c waits for b",
        "schedules/c.yml:5:23: schedule: c waits for b waits for a waits for c",
    ]


def test_a_ring_that_is_switched_off_is_warned_of(checked: Checked) -> None:
    off = THREE_LINES + "why: x\nenabled: false\n"
    ring = THREE_LINES + "why: x\nrequires: [{schedule: idle}]\n"

    definitions, problems = checked({"schedules/idle.yml": off, "schedules/ring.yml": ring})

    assert definitions is not None
    assert problems == [
        (
            "schedules/ring.yml:5:23: warning: schedule: 'idle' is switched off (schedules/idle.yml:1), so that this one is held "
            "until somebody runs it by hand. Switch it on, or remove this"
        )
    ]


ON_CADENCE = "playbook: playbooks/patch.yml\nhosts: web\nwhy: x\neffect: read_only\nevery: 1h30m\n"


def test_work_on_a_cadence_has_the_window_that_is_always_open(checked: Checked) -> None:
    definitions, problems = checked({"schedules/look.yml": ON_CADENCE})

    assert definitions is not None
    look = definitions.schedules["look"]
    assert (look.every, look.window.is_always, look.changes_something) == (timedelta(minutes=90), True, False)
    assert problems == []


def test_work_on_a_cadence_is_told_no_defaults_of_slots(checked: Checked) -> None:
    definitions, _ = checked({"schedules/look.yml": ON_CADENCE})

    assert definitions is not None
    told = {default.partition(":")[0] for default in definitions.schedules["look"].defaults_used}
    assert not told & {"late_start", "catch_up", "overlap", "effect", "timezone"}
    assert "concurrency" in told


def test_a_schedule_with_a_window_has_no_cadence(working: Definitions) -> None:
    assert {each.every for each in working.schedules.values()} == {None}


def test_everything_that_is_wrong_with_a_cadence_is_told_at_once(checked: Checked) -> None:
    text = "playbook: playbooks/patch.yml\nhosts: web\nwhy: x\nevery: 30s\noverlap: queue\n"

    _, problems = checked({"schedules/look.yml": text})

    assert [problem.split(": ")[1] for problem in problems] == ["every", "every", "overlap"]


def test_a_duty_has_a_window_and_an_owner_and_runs_nothing(working: Definitions) -> None:
    duty = working.schedules["restore-rehearsal"]

    assert (duty.kind, duty.is_manual, duty.enabled) == (Kind.MANUAL, True, True)
    assert (duty.playbook, duty.inventory, duty.hosts) == ("", "", "")
    assert (duty.title, duty.owner, duty.change.model) == (
        "Rehearse the restore of the shop's database",
        "team-web",
        "CHG-031",
    )
    assert "restore-rehearsal" not in working.with_playbooks
    assert set(working.schedules) - set(working.with_playbooks) == {"restore-rehearsal"}


def test_a_duty_says_only_those_defaults_that_it_has(checked: Checked) -> None:
    definitions = valid(checked({"schedules/drill.yml": DUTY}))

    assert definitions.schedules["drill"].defaults_used == ("owner: ana, from wellkept.yml",)


def test_a_duty_needs_no_inventory(checked: Checked) -> None:
    settings = (
        "format: 1\norganisation: Example Ltd\ndefaults: {owner: ana, timezone: Europe/Berlin}\npeople: {ana: {}}\n"
    )

    definitions = valid(
        checked({"wellkept.yml": settings, "schedules/patch-web.yml": b"", "schedules/drill.yml": DUTY})
    )

    assert definitions.schedules["drill"].is_manual


def test_windows_become_values(working: Definitions) -> None:
    window = working.windows["prod-patch"]

    assert window.day is not None
    assert (window.day.kind, window.day.text, window.months) == (DayKind.NTH_WEEKDAY, "second tuesday", (1, 4, 7, 10))
    assert (window.start, window.duration, window.cutoff) == (time(22), timedelta(hours=4), timedelta(minutes=45))
    assert (window.at_end, window.source) == (AtEnd.FINISH_BATCH, "schedules/windows.yml:4")
    assert working.windows["always"].is_always
    assert working.windows["weekend"].timezone == "Europe/Berlin"


def test_a_day_long_window_ends_by_the_wall_clock(checked: Checked) -> None:
    windows = 'windows:\n  prod-patch: {day: saturday, start: "22:00", duration: 1d2h}\n'

    window = valid(checked({"schedules/windows.yml": windows})).windows["prod-patch"]

    assert (window.days, window.duration) == (1, timedelta(hours=2))


def test_freezes_become_values(working: Definitions) -> None:
    year_end, launch, board = working.freezes

    assert (year_end.every_year, year_end.timezone) == (YearlySpan((12, 20), (1, 6)), "Europe/Berlin")
    assert (year_end.services, year_end.allow) == (("web-shop",), ("emergency", "read_only"))
    assert (launch.starts, launch.ends) == (
        datetime(2026, 11, 27, 17, tzinfo=UTC),
        datetime(2026, 11, 30, 8, tzinfo=UTC),
    )
    assert (launch.reason, launch.owner, launch.allow) == ("launch", "team-web", ("read_only",))
    assert board.covers(datetime(2026, 9, 15, 12, tzinfo=UTC))


def test_checks_become_values(working: Definitions) -> None:
    reachable, disk, web = (working.checks[name] for name in ("reachable", "disk", "web-answers"))

    assert (reachable.probe, reachable.port, reachable.down_after) == (Probe.TCP, 22, 2)
    assert (disk.number, disk.warn, disk.fail) == (r"(\d+)%", Threshold(">", 80), Threshold(">", 92))
    assert (web.url, web.status, web.within) == ("https://{{ inventory_hostname }}/health", 200, timedelta(seconds=2))
    assert {check.inventory for check in working.checks.values()} == {"production"}


def test_settings_and_reports_become_values(working: Definitions) -> None:
    settings, report = working.settings, working.reports["monthly-audit"]

    assert settings.database == f"sqlite:///{WORKING.resolve()}/var/wellkept.db"
    assert settings.state_dir == WORKING.resolve() / "var"
    assert settings.inventories["production"] == Inventory(
        "production", "inventories/production.yml", 3, Amount(20, percent=True), AnsibleSettings("ansible.cfg")
    )
    assert settings.secrets.become == {"web": SecretSource(env="WEB_BECOME")}
    assert settings.teams["team-web"].members == ("ana",)
    assert settings.services["web-shop"].users == 1200
    assert (report.edition, report.period, report.services) == (Edition.AUDITOR, "last_month", ("web-shop",))


def test_settings_take_values_from_the_environment_that_is_handed_over(checked: Checked, tmp_path: Path) -> None:
    settings = (
        "format: 1\norganisation: x\ndatabase: ${DB}/wellkept\ninventories: {one: {source: 'a,'}}\n"
        "defaults: {inventory: one}\nservices: {}\npeople: {ana: {}}\nsigning: {key: '${KEY}'}\n"
    )

    found = checked({"wellkept.yml": settings}, DB="postgresql://db", KEY="keys/signing")

    assert valid(found).settings.database == "postgresql://db/wellkept"
    assert valid(found).settings.signing_key == tmp_path / "keys/signing"


def test_an_unset_signing_key_is_warned_of_and_the_default_one_is_used(checked: Checked) -> None:
    settings = "format: 1\norganisation: x\ninventories: {one: {source: 'a,'}}\nsigning: {key: '${KEY}'}\n"

    definitions, problems = checked({"wellkept.yml": settings})

    assert definitions is not None
    assert definitions.settings.signing_key is None
    assert any("KEY is not set in the environment" in problem for problem in problems)


def test_a_password_in_the_database_address_is_warned_of_and_not_repeated(checked: Checked) -> None:
    settings = (
        "format: 1\norganisation: x\ninventories: {one: {source: 'a,'}}\ndatabase: postgresql://me:hunter2@db/x\n"
    )

    definitions, problems = checked({"wellkept.yml": settings})

    assert definitions is not None
    assert any("a password stands here itself" in problem for problem in problems)
    assert not any("hunter2" in problem for problem in problems)


def test_the_inventory_comes_from_ansible_cfg_when_no_other_is_named(checked: Checked) -> None:
    files = {
        "wellkept.yml": "format: 1\norganisation: x\n",
        "ansible.cfg": "[defaults]\ninventory = inventories/production.yml ; the usual one\n",
    }

    definitions = valid(checked(files))

    assert definitions.settings.inventories == {"default": Inventory("default", "inventories/production.yml")}
    assert "inventory: default, from ansible.cfg" in definitions.schedules["patch-web"].defaults_used


def test_without_any_inventory_the_way_out_is_told(checked: Checked) -> None:
    _, problems = checked({"wellkept.yml": "format: 1\norganisation: x\n"})

    assert any("inventory: none is named, and there is no default. Add inventory: NAME" in text for text in problems)


def test_the_zone_comes_from_the_system_when_no_other_is_named(checked: Checked) -> None:
    files: Mapping[str, str] = {"wellkept.yml": "format: 1\norganisation: x\ninventories: {one: {source: 'a,'}}\n"}

    definitions = valid(checked(files, TZ="Asia/Tokyo"))

    assert definitions.windows["prod-patch"].timezone == "Asia/Tokyo"
    assert "timezone: Asia/Tokyo, from the system" in definitions.schedules["patch-web"].defaults_used
    assert "inventory: one, the only one in wellkept.yml" in definitions.schedules["patch-web"].defaults_used


def test_a_start_that_the_clocks_jump_over_is_warned_of(checked: Checked) -> None:
    windows = 'windows:\n  prod-patch: {day: daily, start: "02:30", duration: 1h}\n'

    definitions, problems = checked({"schedules/windows.yml": windows})

    assert definitions is not None
    assert problems == [
        (
            "schedules/windows.yml:2:35: warning: start: 02:30 does not exist on 2026-03-29 in Europe/Berlin, "
            "when the clocks change; it opens when they have. Choose another time to be clear"
        )
    ]


def test_openings_that_run_into_the_next_are_warned_of(checked: Checked) -> None:
    windows = 'windows:\n  prod-patch: {day: [sat, sun], start: "22:00", duration: 25h}\n'

    _, problems = checked({"schedules/windows.yml": windows})

    assert problems == [
        (
            "schedules/windows.yml:2:3: warning: prod-patch: the opening of 2026-01-17 is still going when that of "
            "2026-01-18 begins. Make it shorter, or choose fewer days"
        )
    ]


@pytest.mark.parametrize(
    ("files", "says"),
    [
        (
            {"schedules/more.yml": 'windows:\n  prod-patch: {day: daily, start: "22:00", duration: 1h}\n'},
            ("schedules/windows.yml:2:3: window 'prod-patch' is declared twice, first in schedules/more.yml:2. "
            "Rename one, or remove it"),
        ),
        (
            {"schedules/also.yml": "schedule: patch-web\nplaybook: playbooks/patch.yml\nhosts: web\nwhy: x\nwindow: always\n"},
            ("schedules/patch-web.yml:1:1: schedule 'patch-web' is declared twice, first in schedules/also.yml:1. "
            "Rename one, or remove it"),
        ),
        (
            {f"reports/{name}.yml": "report: audit\nedition: auditor\nperiod: 2026-10\n" for name in "ab"},
            "reports/b.yml:1:1: report 'audit' is declared twice, first in reports/a.yml:1. Rename one, or remove it",
        ),
        (
            {f"schedules/{name}.yml": "health:\n  up: {probe: tcp, port: 22, hosts: all, every: 1m}\n" for name in "ab"},
            "schedules/b.yml:2:3: health check 'up' is declared twice, first in schedules/a.yml:2. Rename one, or remove it",
        ),
        (
            {"schedules/f.yml": "freezes: [{name: x, every_year: 01-01..01-02}, {name: x, every_year: 02-01..02-02}]\n"},
            "schedules/f.yml:1:48: freeze 'x' is declared twice, first in schedules/f.yml:1. Rename one, or remove it",
        ),
    ],
)  # fmt: skip
def test_a_name_is_declared_once_over_all_files(checked: Checked, files: Mapping[str, str], says: str) -> None:
    _, problems = checked(files)

    assert problems == [says]


def test_a_name_that_is_person_and_team_would_not_be_a_clear_owner(checked: Checked) -> None:
    settings = "format: 1\norganisation: x\ninventories: {one: {source: 'a,'}}\npeople: {ana: {}}\nteams: {ana: {}}\n"

    _, problems = checked({"wellkept.yml": settings})

    assert any("ana: a person bears this name too (wellkept.yml:4)" in text for text in problems)


def test_read_raises_every_error_and_counts_them(repository: Callable[..., Path]) -> None:
    root = repository({"schedules/patch-web.yml": "playbook: x\nhosts: web\nwindow: y\n"})

    with pytest.raises(FilesInvalid) as invalid:
        read(root, environ={}, today=TODAY)

    assert [problem.line for problem in invalid.value.problems] == [1, 3]
    assert str(invalid.value).endswith("2 problems in 1 file. Nothing was changed.")


def test_a_folder_a_pipe_and_a_dangling_link_are_told(repository: Callable[..., Path]) -> None:
    root = repository({})
    (root / "schedules/folder.yml").mkdir()
    (root / "schedules/link.yml").symlink_to("nowhere.yml")
    os.mkfifo(root / "schedules/pipe.yml")

    _, problems = check(root, environ={}, today=TODAY)

    assert list(map(str, problems)) == [
        "schedules/folder.yml: is a folder; a file was expected. Rename it, or remove it",
        "schedules/link.yml: cannot be read: No such file or directory. Check that it is there, and its permissions",
        "schedules/pipe.yml: is no regular file. Put a plain file here",
    ]


def test_a_missing_wellkept_yml_is_told(repository: Callable[..., Path]) -> None:
    root = repository({"wellkept.yml": b""})

    _, problems = check(root, environ={}, today=TODAY)

    assert (
        "wellkept.yml: cannot be read: No such file or directory. Check that it is there, and its permissions"
        in map(str, problems)
    )


def test_names_are_not_doubted_while_a_file_cannot_be_read(checked: Checked) -> None:
    _, problems = checked({"schedules/windows.yml": "windows: [\n"})

    assert [problem.split(":")[0] for problem in problems] == ["schedules/windows.yml"]


def test_hidden_files_written_reports_and_other_endings_are_left_alone(checked: Checked) -> None:
    rubbish = dict.fromkeys(("schedules/.x.yml", "schedules/.git/x.yml", "reports/output/x.yml", "reports/x.md"), "[")

    definitions, problems = checked(rubbish)

    assert definitions is not None
    assert problems == []


def test_definitions_may_lie_in_subfolders(checked: Checked) -> None:
    definitions = valid(checked({"schedules/web/nightly.yaml": THREE_LINES}))

    assert definitions.schedules["nightly"].source == "schedules/web/nightly.yaml:1"


def test_the_nearest_ansible_counts_for_each_key(checked: Checked, tmp_path: Path) -> None:
    for folder in ("new", "old", "older"):
        (tmp_path / folder).mkdir()
    inventories = "inventories:\n  production: {source: inventories/production.yml, ansible: {bin: old}}\n  lab: {source: inventories/production.yml}\n"
    settings = SETTINGS.replace("inventories:\n  production: {source: inventories/production.yml}\n", inventories)

    definitions = valid(
        checked(
            {
                "wellkept.yml": settings + "ansible: {bin: new, config: all.cfg}\n",
                "all.cfg": "[defaults]\n",
                "own.cfg": "[defaults]\n",
                "schedules/own.yml": SCHEDULE + "ansible: {config: own.cfg}\n",
                "schedules/older.yml": SCHEDULE + "inventory: lab\nansible: {bin: older}\n",
            }
        )
    )

    of = {name: schedule.ansible for name, schedule in definitions.schedules.items()}
    assert of == {
        "patch-web": AnsibleSettings("all.cfg", "old"),
        "own": AnsibleSettings("own.cfg", "old"),
        "older": AnsibleSettings("all.cfg", "older"),
    }
    assert definitions.settings.inventories["lab"].ansible == AnsibleSettings("all.cfg", "new")


def test_an_ansible_that_is_not_there_is_told_wherever_it_is_named(checked: Checked) -> None:
    inventory = "inventories:\n  production: {source: inventories/production.yml, ansible: {bin: gone}}\n"
    settings = SETTINGS.replace("inventories:\n  production: {source: inventories/production.yml}\n", inventory)

    _, problems = checked({"wellkept.yml": settings, "schedules/own.yml": SCHEDULE + "ansible: {config: own.cfg}\n"})

    assert [problem.partition(": ")[2] for problem in problems] == [
        "config: there is no configuration own.cfg. Paths are relative to the folder of wellkept.yml",
        "bin: there is no folder gone. Paths are relative to the folder of wellkept.yml",
    ]


def test_merge_keys_and_anchors_work(checked: Checked) -> None:
    windows = (
        'windows:\n  prod-patch: &night {day: saturday, start: "22:00", duration: 4h}\n'
        "  sunday: {<<: *night, day: sunday}\n  long: {<<: [{duration: 8h}, *night]}\n"
    )

    definitions = valid(checked({"schedules/windows.yml": windows}))

    sunday, long = definitions.windows["sunday"], definitions.windows["long"]
    assert sunday.day is not None
    assert (sunday.day.text, sunday.start, long.duration) == ("sunday", time(22), timedelta(hours=8))


def test_how_often_upgrades_come_is_read(checked: Callable[..., tuple[Definitions | None, list[str]]]) -> None:
    bounds = "boundaries: {upgrade_at_least: {servers: 1mo, network: 26w}}\n"

    definitions, problems = checked({"wellkept.yml": SETTINGS + bounds})

    assert problems == []
    assert definitions is not None
    assert definitions.settings.upgrade_at_least == {"servers": Duration(months=1), "network": Duration(days=182)}


@pytest.mark.parametrize(
    ("bounds", "told"),
    [
        ("{patch_within: {critical: 14d}}", "patch_within: is not supported yet"),
        ("{upgrade_at_least: {servers: 12h}}", "whole months, or in days and weeks"),
        ("{upgrade_at_least: {servers: 1mo2d}}", "whole months, or in days and weeks"),
        ("{upgrade_at_least: {server: 1mo}}", "Did you mean servers?"),
    ],
)
def test_other_boundaries_are_refused(
    checked: Callable[..., tuple[Definitions | None, list[str]]], bounds: str, told: str
) -> None:
    _, problems = checked({"wellkept.yml": f"{SETTINGS}boundaries: {bounds}\n"})

    assert len(problems) == 1
    assert told in problems[0]


def test_approvals_rights_and_types_of_change_are_read(
    checked: Callable[..., tuple[Definitions | None, list[str]]],
) -> None:
    more = "boundaries: {approval: {normal: self, emergency: other}}\nteams: {web: {members: [ana], may: [approve, override]}}\n"

    definitions, problems = checked(
        {"wellkept.yml": f"{SETTINGS}{more}", "schedules/patch-web.yml": f"{SCHEDULE}change: {{type: normal}}\n"}
    )

    assert problems == []
    assert definitions is not None
    settings = definitions.settings
    assert settings.approval == {
        ChangeType.STANDARD: Policy.NONE,
        ChangeType.NORMAL: Policy.SELF,
        ChangeType.EMERGENCY: Policy.OTHER,
    }
    assert settings.teams["web"].may == (Right.APPROVE, Right.OVERRIDE)
    assert definitions.schedules["patch-web"].change.type is ChangeType.NORMAL


@pytest.mark.parametrize(
    "more",
    [
        "",  # ana owns it, and is all there is
        "teams: {web: {members: [ana], may: [approve]}}\n",
        "teams: {web: {members: [], may: [approve]}}\n",
        "teams: {web: {members: [ana], may: [override]}}\n",
    ],
)
def test_a_change_that_nobody_could_approve_is_told(
    checked: Callable[..., tuple[Definitions | None, list[str]]], more: str
) -> None:
    definitions, problems = checked(
        {"wellkept.yml": f"{SETTINGS}{more}", "schedules/patch-web.yml": f"{SCHEDULE}change: {{type: normal}}\n"}
    )

    assert definitions is not None, "it is a warning"
    assert [problem.split(": ", 1)[0] for problem in problems] == ["schedules/patch-web.yml:5:9"]
    assert "nobody could approve a normal change here" in problems[0]
    assert "boundaries: {approval: {normal: self}}" in problems[0]


@pytest.mark.parametrize(
    ("more", "change"),
    [
        ("teams: {web: {members: [ana, bob], may: [approve]}}\n", "normal"),
        ("teams: {web: {members: [ana]}}\n", "standard"),
        ("teams: {web: {members: [ana]}}\n", "emergency"),
        ("boundaries: {approval: {normal: self}}\n", "normal"),
        ("boundaries: {approval: {normal: none}}\n", "normal"),
    ],
)
def test_a_change_that_somebody_can_approve_or_that_needs_nobody_is_no_problem(
    checked: Callable[..., tuple[Definitions | None, list[str]]], more: str, change: str
) -> None:
    settings = SETTINGS.replace("people:\n", "people:\n  bob: {}\n") if "bob" in more else SETTINGS

    _, problems = checked(
        {"wellkept.yml": settings + more, "schedules/patch-web.yml": f"{SCHEDULE}change: {{type: {change}}}\n"}
    )

    assert problems == []


def test_an_image_is_taken_by_the_nearest_and_what_it_needs_must_be_on_this_machine(
    checked: Checked, tmp_path: Path
) -> None:
    everywhere = SETTINGS + f"ansible: {{image: 'ee:1', engine: podman, mounts: [{tmp_path}]}}\n"
    own = SCHEDULE + "ansible: {image: 'ee:2'}\n"

    found, _ = checked({"wellkept.yml": everywhere, "schedules/own.yml": own})
    _, wrong = checked(
        {"wellkept.yml": everywhere, "schedules/own.yml": SCHEDULE + "ansible: {mounts: [keys, /nowhere]}\n"}
    )
    _, other = checked({"wellkept.yml": SETTINGS + "ansible: {image: 'ee:1', engine: rkt}\n"})

    assert found is not None
    assert found.schedules["patch-web"].ansible.image == "ee:1"
    assert found.schedules["own"].ansible == AnsibleSettings(image="ee:2", engine="podman", mounts=(str(tmp_path),))
    assert sum("give a file or folder by its absolute path" in line for line in wrong) == 2
    assert any("engine: rkt" in line and "docker" in line for line in other), other
