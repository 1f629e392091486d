"""Taking in a repository with playbooks and a crontab: valid, switched off, traceable, and nothing else touched."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

import pytest
import yaml

from runner.adapters.calendars import Calendars
from runner.adapters.inventory import AnsibleInventory
from runner.config import check
from runner.operations.adoption.adopt_repository import Adoption, adopt_repository, next_steps
from runner.operations.adoption.draft_schedule import Crontab
from runner.operations.adoption.texts import Owner
from runner.operations.adoption.texts import yaml as as_yaml
from runner.operations.validate_files import validate_files

INVENTORY = "[web]\nweb1 ansible_connection=local\nweb2 ansible_connection=local\n[db]\ndb1 ansible_connection=local\n"
PLAY = "- name: {name}\n  hosts: {hosts}\n  tasks:\n    - ansible.builtin.ping:\n"
FILES = {
    "ansible.cfg": "[defaults]\ninventory = inventories/production\nroles_path = roles\n",
    "inventories/production/hosts": INVENTORY,
    "inventories/production/group_vars/all.yml": "patch_scope: security\n",
    "inventories/lab.ini": "[web]\nlab1 ansible_connection=local\n",
    "roles/patch/tasks/main.yml": "- ansible.builtin.ping:\n",
    "playbooks/patch.yml": PLAY.format(name="Patch", hosts="all"),
    "playbooks/certs.yml": PLAY.format(name="Certificates", hosts="web"),
    "playbooks/db.yml": PLAY.format(name="Databases", hosts="db").replace("  tasks", "  serial: 1\n  tasks"),
    "playbooks/spare.yml": PLAY.format(name="Spare", hosts="all"),
    "README.md": "Our playbooks.\n",
}
LINES = """\
# m h dom mon dow user command
MAILTO=ops@example.com
0 3 * * 0 ansible cd {root} && ansible-playbook -i inventories/production playbooks/patch.yml --limit web -e reboot=true >> /var/log/patch.log 2>&1
30 2 8-14 * 2 ansible cd {root} && ansible-playbook playbooks/certs.yml
*/15 * * * * ansible ansible all -m ping -i {root}/inventories/production
@weekly root flock -n /run/db.lock nice -n 10 timeout 3h {root}/../db.sh
15 4 8-14 * * ansible [ "$(date +\\%u)" = 2 ] && cd {root} && ansible-playbook playbooks/certs.yml --tags renew
"""
SCRIPT = "#!/bin/bash\nset -euo pipefail\ncd {root}\nansible-playbook \\\n  playbooks/db.yml\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "ansible"
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    (tmp_path / "db.sh").write_text(SCRIPT.format(root=folder))
    return folder


def environ(root: Path) -> dict[str, str]:
    return {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin", "HOME": str(root.parent), "TZ": "Europe/Berlin"}


def adopt(root: Path, lines: str = LINES, *, dry_run: bool = False, with_users: bool | None = None) -> Adoption:
    crontab = Crontab("/etc/cron.d/ansible", lines.format(root=root), with_users=with_users, home=root.parent)
    owner = Owner("ana", "Example Ltd")
    reader = AnsibleInventory(environ=environ(root))
    return adopt_repository(
        root, [crontab], owner=owner, environ=environ(root), dry_run=dry_run, inventories=reader, sources=Calendars()
    )


def one(root: Path, command: str, when: str = "0 3 * * 0") -> Adoption:
    return adopt(root, f"{when} {command.format(root='{root}')}\n", with_users=False)


def tree(root: Path) -> dict[str, str]:
    return {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "folder"
        for path in sorted(root.rglob("*"))
    }


def schedule(root: Path, name: str) -> dict[str, object]:
    found: dict[str, object] = yaml.safe_load((root / "schedules" / f"{name}.yml").read_text())
    return found


def test_five_lines_as_people_write_them_become_schedules_that_are_valid_and_switched_off(root: Path) -> None:
    adoption = adopt(root)

    problems = validate_files(
        root, environ=environ(root), inventories=AnsibleInventory(environ=environ(root)), sources=Calendars()
    )
    definitions, _ = check(root, environ=environ(root), sources=Calendars())
    assert [str(problem) for problem in problems if problem.severity == "error"] == []
    assert definitions is not None
    assert {name: each.enabled for name, each in definitions.schedules.items()} == dict.fromkeys(
        ("patch", "certs", "db", "certs-web"), False
    )
    assert adoption.summary == "4 of 5 lines became schedules; 1 needs a person."


def test_nothing_else_is_touched(root: Path) -> None:
    before = tree(root)

    adopt(root)

    after = tree(root)
    assert {path for path in after if path not in before} == {
        "wellkept.yml",
        "schedules",
        *(f"schedules/{name}.yml" for name in ("patch", "certs", "db", "certs-web")),
    }
    assert {path: digest for path, digest in after.items() if path in before} == before


def test_each_schedule_names_the_line_that_it_came_from(root: Path) -> None:
    adopt(root)

    for name, number in {"patch": 3, "certs": 4, "db": 6, "certs-web": 7}.items():
        text = (root / "schedules" / f"{name}.yml").read_text()
        assert f"/etc/cron.d/ansible:{number}" in text
        assert LINES.format(root=root).splitlines()[number - 1] in text


def test_a_line_is_said_exactly(root: Path) -> None:
    adopt(root)

    found = schedule(root, "patch")
    assert (found["playbook"], found["inventory"], found["hosts"]) == ("playbooks/patch.yml", "production", "web")
    assert found["extra_vars"] == {"reboot": "true"}, "a pair is text, as in Ansible"
    assert found["window"] == {"day": "sunday", "start": "03:00", "duration": "2h"}
    text = (root / "schedules/patch.yml").read_text()
    assert "a guess: look at the log for how long it takes (/var/log/patch.log)" in text
    assert schedule(root, "certs-web")["window"] == {"day": "second tuesday", "start": "04:15", "duration": "2h"}
    assert schedule(root, "certs-web")["tags"] == ["renew"]


def test_a_script_is_read_and_a_playbook_with_serial_is_called_as_cron_did(root: Path) -> None:
    adopt(root)

    found = schedule(root, "db")
    assert (found["hosts"], found["split"]) == ("db", "whole")
    assert isinstance(found["window"], dict)
    assert found["window"]["duration"] == "3h", "as long as timeout let it be"
    assert f"the call stands in {root}/../db.sh" in (root / "schedules/db.yml").read_text()


def test_what_needs_a_person_is_told_with_its_reason_and_kept_as_a_comment(root: Path) -> None:
    adoption = adopt(root)

    left = {line.place.rpartition(":")[2]: line.reason for line in adoption.lines if line.outcome == "needs_person"}
    assert list(left) == ["5"]
    assert "without a playbook" in left["5"]
    settings = (root / "wellkept.yml").read_text()
    assert "# /etc/cron.d/ansible:5:" in settings
    assert f"#   {LINES.format(root=root).splitlines()[4]}" in settings


def test_a_rule_that_plain_words_do_not_say_becomes_a_cron_expression_with_its_trap_told(root: Path) -> None:
    adopt(root)

    text = (root / "schedules/certs.yml").read_text()
    assert schedule(root, "certs")["window"] == {"cron": "30 2 8-14 * 2", "duration": "2h"}
    assert "cron then runs it when either matches" in text
    assert "/etc/cron.d/ansible:4" in text


@pytest.mark.parametrize(
    ("when", "window"),
    [
        ("0 2,14 * * *", {"cron": "0 2,14 * * *", "duration": "2h"}),
        ("0,30 3 * * *", {"cron": "0,30 3 * * *", "duration": "30m"}),
        ("0 2 1-7 * *", {"cron": "0 2 1-7 * *", "duration": "2h"}),
    ],
)
def test_a_window_by_a_cron_expression_closes_before_it_opens_again(
    root: Path, when: str, window: dict[str, str]
) -> None:
    adoption = one(root, "cd {root} && ansible-playbook playbooks/patch.yml --limit web", when)

    assert schedule(root, "patch")["window"] == window
    assert any("its window is a cron expression" in note for note in adoption.lines[0].look_at)
    assert "enabled: false" in (root / "schedules/patch.yml").read_text()


def test_what_runs_too_often_for_a_window_needs_a_person(root: Path) -> None:
    (line,) = one(root, "cd {root} && ansible-playbook playbooks/patch.yml --limit web", "*/15 * * * *").lines

    assert line.outcome == "needs_person"
    assert line.reason.startswith("it runs 35136 times a year, and a window opens 1000 times at most.")


def test_windows_by_cron_that_are_there_already_are_no_trouble(root: Path) -> None:
    (root / "schedules").mkdir()
    (root / "schedules/windows.yml").write_text(
        'windows: {night: {cron: "0 2,14 * * *", duration: 1h, timezone: UTC}}\n'
    )

    assert adopt(root).notes == ()


def test_the_settings_name_inventories_an_owner_and_the_zone_of_this_machine(root: Path) -> None:
    adopt(root)

    settings = yaml.safe_load((root / "wellkept.yml").read_text())
    assert settings["inventories"] == {
        "production": {"source": "inventories/production"},
        "lab": {"source": "inventories/lab.ini"},
    }
    assert settings["defaults"] == {"inventory": "production", "owner": "team-ana", "timezone": "Europe/Berlin"}
    assert settings["teams"] == {"team-ana": {"members": ["ana"]}}


def test_a_dry_run_shows_the_files_and_writes_nothing(root: Path) -> None:
    before = tree(root)

    adoption = adopt(root, dry_run=True)

    assert tree(root) == before
    assert not adoption.written
    assert [file.path for file in adoption.files][-1] == "wellkept.yml"


@pytest.mark.parametrize("there", ["wellkept.yml", "schedules/patch.yml"])
def test_a_file_that_is_there_is_never_overwritten(root: Path, there: str) -> None:
    (root / there).parent.mkdir(exist_ok=True)
    (root / there).write_text("# mine\n")
    before = tree(root)

    adoption = adopt(root)

    assert adoption.there_already == (there,)
    assert tree(root) == before


def test_playbooks_that_no_line_runs_are_told(root: Path) -> None:
    assert adopt(root).without_schedule == ("playbooks/spare.yml",)


def test_without_a_crontab_the_settings_are_written_all_the_same(root: Path) -> None:
    adoption = adopt(root, "")

    assert [file.path for file in adoption.files] == ["wellkept.yml"]
    assert "no crontab" in adoption.summary
    assert check(root, environ=environ(root), sources=Calendars())[0] is not None
    assert "write a schedule below schedules/" in list(next_steps(adoption))


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        ("cd {root} && ansible-playbook playbooks/patch.yml --check", "for real"),
        ("cd {root} && ansible-playbook playbooks/db.yml --limit db1", "called in one go"),
        ("ansible-playbook {root}/playbooks/gone.yml", "there is no"),
        ("ansible-playbook {root}/playbooks/patch.yml -i {root}/inventories/gone", "there is no"),
        (
            "cd {root} && ansible-playbook playbooks/patch.yml --limit nobody",
            "no host of inventory 'production' matches 'nobody'",
        ),
        ("ansible-playbook {root}/playbooks/patch.yml", "does not cd into this repository"),
        ("cd {root}/playbooks && ansible-playbook patch.yml", "does not cd into this repository"),
        ("/usr/local/bin/no-such-script.sh", "cannot be read"),
        ("wrap ansible-playbook {root}/playbooks/patch.yml", "its first word is 'wrap'"),
        ("cd {root} && PGPASSWORD=x ansible-playbook playbooks/patch.yml", "in plain text"),
    ],
)
def test_a_line_that_cannot_be_said_is_left_to_a_person(root: Path, command: str, reason: str) -> None:
    adoption = one(root, command)

    assert [line.outcome for line in adoption.lines] == ["needs_person"]
    assert reason in adoption.lines[0].reason
    assert check(root, environ=environ(root), sources=Calendars())[0] is not None


def test_a_secret_in_a_line_is_repeated_nowhere(root: Path) -> None:
    adoption = one(root, "cd {root} && ansible-playbook playbooks/patch.yml -e db_password=hunter2")

    assert "hunter2" not in (root / "wellkept.yml").read_text() + str(adoption)


def test_a_limit_narrower_than_the_play_is_kept_and_vouched_for(root: Path) -> None:
    one(root, "cd {root} && ansible-playbook playbooks/certs.yml -l web1 --vault-password-file {root}/README.md")

    found = schedule(root, "certs")
    assert (found["hosts"], found["split_is_safe"]) == ("web:&web1", True)
    assert yaml.safe_load((root / "wellkept.yml").read_text())["secrets"] == {
        "vault": {"default": {"file": "README.md"}}
    }


def test_a_zone_of_the_crontab_is_kept_and_doubted(root: Path) -> None:
    adoption = adopt(
        root,
        "CRON_TZ=America/New_York\n0 3 * * 1 cd {root} && ansible-playbook playbooks/patch.yml\n",
        with_users=False,
    )

    assert schedule(root, "patch")["window"] == {
        "day": "monday",
        "timezone": "America/New_York",
        "start": "03:00",
        "duration": "2h",
    }
    assert any("Debian" in note for note in adoption.lines[0].look_at)


def test_a_copy_of_the_folder_that_cron_works_in_can_be_adopted(root: Path) -> None:
    adoption = one(root, "cd /srv/not-on-this-machine && ansible-playbook playbooks/patch.yml")

    assert schedule(root, "patch")["playbook"] == "playbooks/patch.yml"
    assert any("is not on this machine" in note for note in adoption.lines[0].look_at)


def test_two_lines_with_one_playbook_get_two_names(root: Path) -> None:
    line = "0 {hour} * * * cd {{root}} && ansible-playbook playbooks/patch.yml -l {limit}\n"
    adoption = adopt(
        root,
        line.format(hour=1, limit="web") + line.format(hour=2, limit="db") + line.format(hour=3, limit="db"),
        with_users=False,
    )

    assert [each.schedule for each in adoption.lines] == ["patch", "patch-db", "patch-db-2"]


@pytest.mark.parametrize(
    "value", ["yes", "12", "a: b", "#x", "é\n", {"a": [1, None, "no"]}, ("sat", "sun"), "web:&db", "1e3", "=x"]
)
def test_any_value_is_written_so_that_yaml_reads_the_same(value: object) -> None:
    plain = list(value) if isinstance(value, tuple) else value

    assert yaml.safe_load(f"key: {as_yaml(value)}") == {"key": plain}


def test_a_folder_with_its_own_configuration_is_to_be_adopted_by_itself(root: Path) -> None:
    (root / "playbooks/ansible.cfg").write_text("[defaults]\n")

    adoption = one(root, "cd {root}/playbooks && ansible-playbook -i ../inventories/lab.ini patch.yml")

    assert "which has an ansible.cfg of its own" in adoption.lines[0].reason


def test_a_line_that_works_elsewhere_did_not_read_our_configuration(root: Path) -> None:
    adoption = one(root, "ansible-playbook -i {root}/inventories/lab.ini {root}/playbooks/patch.yml")

    assert schedule(root, "patch")["inventory"] == "lab"
    assert any("did not work in this folder" in note for note in adoption.lines[0].look_at)


def test_the_home_folder_and_the_path_of_a_crontab_count(root: Path) -> None:
    program = root.parent / "venv/bin/ansible-playbook"
    program.parent.mkdir(parents=True)
    program.touch()
    lines = f"HOME={root.parent}\nPATH={program.parent}:/usr/bin\n0 3 * * 0 cd ~/ansible && ansible-playbook $HOME/ansible/playbooks/patch.yml\n"

    adopt(root, lines, with_users=False)

    assert schedule(root, "patch")["playbook"] == "playbooks/patch.yml"
    assert yaml.safe_load((root / "wellkept.yml").read_text())["ansible"] == {"bin": str(program.parent)}


def test_files_of_somebody_else_below_schedules_are_told(root: Path) -> None:
    (root / "schedules").mkdir()
    (root / "schedules/ours.yml").write_text("lessons: [maths]\n")

    adoption = adopt(root, dry_run=True)

    assert any(note.startswith("schedules/ours.yml: ") for note in adoption.notes)
    assert adoption.summary.startswith("4 of 5 lines")


def test_hosts_are_asked_for_also_when_another_line_is_refused(root: Path) -> None:
    lines = "0 6 31 2 * cd {root} && ansible-playbook playbooks/patch.yml\n0 7 * * * cd {root} && ansible-playbook -i a,b, playbooks/patch.yml -l web\n"

    adoption = adopt(root, lines, with_users=False)

    assert [line.reason.split(": ")[1] for line in adoption.lines] == ["day", "hosts"]
    assert "listed" not in adoption.inventories, "nothing names it any more"
    problems = validate_files(
        root, environ=environ(root), inventories=AnsibleInventory(environ=environ(root)), sources=Calendars()
    )
    assert [str(problem) for problem in problems if problem.severity == "error"] == []


def test_a_file_that_is_no_inventory_is_left_out_and_told(root: Path) -> None:
    (root / "inventories/notes.txt").write_text("[web\n")
    (root / "inventories/empty.ini").write_text("")

    adoption = adopt(root, "")

    assert list(adoption.inventories) == ["production", "lab"]
    assert [note.partition(" was left out")[0] for note in adoption.notes] == [
        "inventories/empty.ini",
        "inventories/notes.txt",
    ]
    assert (
        validate_files(
            root, environ=environ(root), inventories=AnsibleInventory(environ=environ(root)), sources=Calendars()
        )
        == []
    )
