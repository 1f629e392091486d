from collections.abc import Callable
from pathlib import Path

import pytest

from runner.config import plays_of
from runner.config.playbooks import read_playbook
from runner.domain.settings import Definitions
from runner.errors import FilesInvalid

Checked = Callable[..., tuple[Definitions | None, list[str]]]
PATCH = "schedules/patch-web.yml"
SCHEDULE = "playbook: playbooks/patch.yml\nwhy: x\nhosts: web\nwindow: prod-patch\n"
OBSTACLES = {
    "run_once": "- hosts: all\n  tasks:\n    - ansible.builtin.ping:\n      run_once: true\n",
    "run_once of a template": "- hosts: all\n  tasks:\n    - ansible.builtin.ping:\n      run_once: '{{ one }}'\n",
    "run_once in a block": "- hosts: all\n  tasks:\n    - block:\n        - rescue:\n            - ping:\n              run_once: yes\n",
    "serial": "- hosts: all\n  serial: 1\n",
    "max_fail_percentage": "- hosts: all\n  max_fail_percentage: 0\n",
    "any_errors_fatal": "- hosts: all\n  any_errors_fatal: true\n",
    "add_host": "- hosts: all\n  handlers:\n    - ansible.builtin.add_host: {name: x}\n",
    "add_host as an action": "- hosts: all\n  pre_tasks:\n    - action: add_host name=x\n",
    "hosts: localhost": "- hosts: all\n- hosts: localhost\n",
    "hosts: web,127.0.0.1": "- hosts: [web, 127.0.0.1]\n",
    "import_playbook: ns.collection.site": "- ansible.builtin.import_playbook: ns.collection.site\n",
    "import_playbook: {{ which }}.yml": "- import_playbook: '{{ which }}.yml'\n",
}


def playbook(tmp_path: Path, text: str, name: str = "site.yml") -> Path:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("what", OBSTACLES)
def test_a_playbook_that_orchestrates_cannot_be_split(checked: Checked, what: str) -> None:
    files = {"playbooks/patch.yml": OBSTACLES[what], PATCH: SCHEDULE}

    definitions, problems = checked(files)

    assert definitions is None
    assert len(problems) == 1
    assert problems[0].startswith(f"{PATCH}:1:11: playbook: the play ")
    assert f"because of {what.partition(' of a ')[0].partition(' in a ')[0].partition(' as an ')[0]}" in problems[0]
    assert problems[0].endswith("Write split: whole, or split_is_safe: true if you know that it does no harm")


@pytest.mark.parametrize("what", OBSTACLES)
@pytest.mark.parametrize("way_out", ["split: whole", "split_is_safe: true"])
def test_the_way_out_of_a_split_is_taken(checked: Checked, what: str, way_out: str) -> None:
    files = {"playbooks/patch.yml": OBSTACLES[what], PATCH: f"{SCHEDULE}{way_out}\n"}

    definitions, problems = checked(files)

    assert definitions is not None, problems


def test_the_error_names_playbook_play_and_line(checked: Checked) -> None:
    text = "- name: First\n  hosts: all\n- name: Second\n  hosts: all\n  serial: 2\n  tasks:\n    - ping:\n      run_once: true\n"

    _, problems = checked({"playbooks/patch.yml": text, PATCH: SCHEDULE})

    assert problems == [
        (
            f"{PATCH}:1:11: playbook: the play 'Second' (playbooks/patch.yml:3) cannot be called once per batch of hosts, because of "
            "serial (playbooks/patch.yml:5), run_once (playbooks/patch.yml:8). "
            "Write split: whole, or split_is_safe: true if you know that it does no harm"
        )
    ]


@pytest.mark.parametrize(
    "text",
    [
        "- hosts: all\n  tasks:\n    - ping:\n      run_once: false\n",
        "- hosts: all\n  any_errors_fatal: no\n",
        "- hosts: all\n  tasks:\n    - ping:\n      delegate_to: localhost\n",
        "- hosts: localhosts\n",
        "- hosts: all\n  vars: {serial: 5, run_once: true}\n",
    ],
)
def test_what_only_looks_like_an_obstacle_is_none(checked: Checked, text: str) -> None:
    definitions, problems = checked({"playbooks/patch.yml": text, PATCH: SCHEDULE})

    assert definitions is not None, problems


def test_a_play_on_localhost_fits_a_schedule_for_localhost(checked: Checked) -> None:
    files = {
        "playbooks/patch.yml": "- hosts: localhost\n",
        PATCH: SCHEDULE.replace("hosts: web", "hosts: localhost"),
    }

    definitions, problems = checked(files)

    assert definitions is not None, problems


def test_pre_and_post_checks_are_split_too(checked: Checked) -> None:
    files = {"playbooks/ready.yml": "- hosts: all\n  serial: 1\n", PATCH: f"{SCHEDULE}before: [playbooks/ready.yml]\n"}

    _, problems = checked(files)

    assert [problem.partition(": the play")[0] for problem in problems] == [f"{PATCH}:5:10: before"]


def test_imported_playbooks_are_followed(checked: Checked) -> None:
    files = {
        "playbooks/patch.yml": "- import_playbook: parts/one.yml\n",
        "playbooks/parts/one.yml": "- import_playbook: two.yml\n- name: One\n  hosts: all\n- import_playbook: ../patch.yml\n",
        "playbooks/parts/two.yml": "- name: Two\n  hosts: all\n  serial: 1\n",
        PATCH: SCHEDULE,
    }

    _, problems = checked(files)

    assert len(problems) == 1
    assert "the play 'Two' (playbooks/parts/two.yml:1) cannot be called once per batch" in problems[0]


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ("", "needs target, and nobody answers in a window. Add extra_vars: {target: …}"),
        ("extra_vars: {target: web}\n", None),
    ],
)
def test_a_templated_pattern_needs_its_value(checked: Checked, given: str, problem: str | None) -> None:
    files = {"playbooks/patch.yml": "- hosts: '{{ target }}:&linux'\n", PATCH: SCHEDULE + given}

    _, problems = checked(files)

    assert [text.partition(") ")[2] for text in problems] == ([problem] if problem else [])


def test_a_templated_pattern_with_a_default_needs_nothing(checked: Checked) -> None:
    files = {"playbooks/patch.yml": "- hosts: \"{{ target | default('web') }}\"\n", PATCH: SCHEDULE}

    assert checked(files)[1] == []


def test_what_a_play_asks_a_person_for_must_be_answered(checked: Checked) -> None:
    asking = "- hosts: all\n  vars_prompt:\n    - name: version\n      prompt: Which?\n    - {name: reason}\n"
    files = {"playbooks/patch.yml": asking, PATCH: f"{SCHEDULE}extra_vars: {{reason: none}}\n"}

    _, problems = checked(files)

    assert len(problems) == 1
    assert "asks a person for version, and nobody answers in a window. Add extra_vars: {version: …}" in problems[0]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("hosts: all\n", "playbooks/patch.yml:1:1: a playbook is a list of plays. Begin the play with a dash: - hosts: all"),
        ("- tasks: []\n", "playbooks/patch.yml:1:3: this play has no hosts. Add them, such as hosts: all"),
        ("- all\n", "playbooks/patch.yml:1:3: a play is a mapping with hosts: and tasks. Check the indentation"),
        (
            "- import_playbook: gone.yml\n",
            ("playbooks/patch.yml:1:3: there is no playbook playbooks/gone.yml to import. "
            "Check the path, which is relative to this file"),
        ),
        (
            "$ANSIBLE_VAULT;1.1;AES256\n3132\n",
            "playbooks/patch.yml:1:1: is encrypted as a whole, so that its plays cannot be seen. Encrypt its variables instead",
        ),
        (
            "- hosts: all\n\ttasks: []\n",
            "playbooks/patch.yml:2:1: not YAML: a tab stands where YAML wants spaces. Replace it",
        ),
    ],
)  # fmt: skip
def test_a_playbook_that_cannot_be_understood_is_told_once(checked: Checked, text: str, problem: str) -> None:
    twice = {"playbooks/patch.yml": text, PATCH: SCHEDULE, "schedules/again.yml": SCHEDULE}

    assert checked(twice)[1] == [problem]


def test_playbooks_may_hold_whatever_ansible_reads(tmp_path: Path) -> None:
    text = (
        "- name: Odd\n  hosts: all\n  vars:\n    secret: !vault |\n      $ANSIBLE_VAULT;1.1;AES256\n      31\n    raw: !unsafe '{{ x }}'\n"
        "    empty:\n    on: 1\n    5: x\n    twice: 1\n    twice: 2\n  tasks:\n"
    )

    found = read_playbook(playbook(tmp_path, text), root=tmp_path)

    assert found.problems == ()
    assert [(play.name, play.hosts, play.line) for play in found.plays] == [("Odd", "all", 1)]


def test_plays_are_listed_with_name_pattern_and_line(tmp_path: Path) -> None:
    site = playbook(tmp_path, "- name: Web\n  hosts: [web, db]\n- import_playbook: more.yml\n- hosts: db\n")
    playbook(tmp_path, "\n- name: More\n  hosts: '{{ target }}'\n", "more.yml")

    plays = plays_of(site)

    assert [(play.name, play.hosts, play.file, play.line) for play in plays] == [
        ("Web", "web,db", "site.yml", 1),
        ("More", "{{ target }}", "more.yml", 2),
        ("db", "db", "site.yml", 4),
    ]
    assert plays[1].variables == ("target",)


def test_plays_of_a_broken_playbook_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FilesInvalid, match="a playbook is a list of plays"):
        plays_of(playbook(tmp_path, "hosts: all\n"))


def test_a_rollback_is_called_for_some_hosts_whatever_the_schedule_is_split_by(checked: Checked) -> None:
    back = "- name: Back\n  hosts: web\n  tasks:\n    - ping:\n      run_once: true\n"
    schedule = f"{SCHEDULE}split: whole\non_failure: {{rollback: playbooks/back.yml}}\n"

    _, problems = checked({PATCH: schedule, "playbooks/back.yml": back})

    assert problems == [
        (
            f"{PATCH}:6:24: rollback: the play 'Back' (playbooks/back.yml:1) is called for the hosts that failed only, which it cannot be "
            "because of run_once (playbooks/back.yml:5). Change it, or write split_is_safe: true if you know that it does no harm"
        )
    ]
