"""What Ansible would refuse is known before anything is run; Ansible is the real one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from runner.adapters.playbook_syntax import AnsibleSyntax, problem_in
from runner.adapters.programs import Ran
from runner.domain.execution.own_ansible import AnsibleSettings
from runner.domain.execution.requirements import Requirements, RequirementsFile
from runner.errors import Unknown
from runner.ports import PlaybookAsked

BIN = Path(sys.executable).parent
GOOD = "- {name: Good, hosts: web, tasks: [{name: Say, ansible.builtin.debug: {msg: good}}]}\n"
REQUIREMENTS = Requirements((RequirementsFile("requirements.yml", roles=True, collections=False),), (), "abc")


def environ_here(tmp_path: Path) -> dict[str, str]:
    return {"PATH": f"{BIN}:{os.environ['PATH']}", "HOME": str(tmp_path / "home"), "LC_ALL": "C.UTF-8"}


def said(tmp_path: Path, *names: str, options: dict[str, object] | None = None, **asked: object) -> list[str]:
    syntax = AnsibleSyntax(environ=environ_here(tmp_path), **(options or {}))
    wanted = [PlaybookAsked(name, AnsibleSettings(), **asked) for name in names or ["play.yml"]]
    return [str(problem) for problem in syntax.problems(wanted, project=tmp_path)]


def write(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).write_text(text)


def test_a_sound_playbook_has_no_problem_and_none_of_it_is_executed(tmp_path: Path) -> None:
    touch = f"- {{hosts: localhost, connection: local, tasks: [{{ansible.builtin.file: {{path: {tmp_path}/made, state: touch}}}}]}}\n"
    write(tmp_path, "play.yml", GOOD + touch)

    assert said(tmp_path) == []
    assert not (tmp_path / "made").exists()


def test_nothing_is_asked_about_no_playbook(tmp_path: Path) -> None:
    assert AnsibleSyntax(environ={}).problems([], project=tmp_path) == []


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("- hosts: all\n  roles:\n    - nothere\n", "play.yml:3:7", "the role 'nothere' was not found in "),
        ("- hosts: all\n  tasks:\n    - nowhere.nothing.do: {}\n", "play.yml:3:7", "couldn't resolve module/action"),
        ("- hosts: all\n  tasks:\n    - {command: ls, shell: ls}\n", "play.yml:3:7", "conflicting action statements"),
        ("- hosts: all\n  gather_fact: true\n", "play.yml:", "'gather_fact' is not a valid attribute for a Play"),
        ("- import_playbook: other.yml\n", "play.yml", "other.yml"),
        ("- hosts: all\n  tasks:\n    - import_tasks: other.yml\n", "play.yml", "other.yml"),
    ],
)
def test_what_ansible_refuses_is_told_with_its_place(tmp_path: Path, text: str, place: str, words: str) -> None:
    write(tmp_path, "play.yml", text)

    (problem,) = said(tmp_path)

    assert problem.startswith(place)
    assert "Ansible refuses it: " in problem
    assert words in problem
    assert str(tmp_path) not in problem


def test_a_mistake_in_a_role_is_told_where_it_stands(tmp_path: Path) -> None:
    write(tmp_path, "play.yml", "- {hosts: all, roles: [web]}\n")
    write(tmp_path, "roles/web/tasks/main.yml", "---\n- name: Wrong\n  ansible.builtin.copyy: {}\n")

    (problem,) = said(tmp_path)

    assert problem.startswith("roles/web/tasks/main.yml:")


def test_each_playbook_has_its_first_problem(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        write(tmp_path, f"{name}.yml", "- {hosts: all, roles: [one, two]}\n" if name != "b" else GOOD)

    found = said(tmp_path, "a.yml", "b.yml", "c.yml")

    assert [problem.partition(":")[0] for problem in found] == ["a.yml", "c.yml"]


def test_names_that_variables_of_the_schedule_make_are_found(tmp_path: Path) -> None:
    write(tmp_path, "play.yml", '- import_playbook: "{{ kind }}.yml"\n')
    write(tmp_path, "web.yml", GOOD)

    assert said(tmp_path, extra_vars={"kind": "web"}) == []
    assert said(tmp_path, extra_vars={"kind": "db"}) != []


def test_variables_of_a_schedule_stand_on_no_command_line(tmp_path: Path) -> None:
    write(tmp_path, "play.yml", GOOD)
    write(
        tmp_path,
        "bin/ansible-playbook",
        f'#!/bin/sh\necho "$@" > {tmp_path}/called\nfor file; do cat "${{file#@}}" 2> /dev/null; done > {tmp_path}/read\n',
    )
    (tmp_path / "bin/ansible-playbook").chmod(0o755)
    syntax = AnsibleSyntax(environ={"PATH": f"{tmp_path}/bin:/bin:/usr/bin"})

    syntax.problems([PlaybookAsked("play.yml", AnsibleSettings(), extra_vars={"a": "value"})], project=tmp_path)

    assert "value" not in (tmp_path / "called").read_text()
    assert '{"a": "value"}' in (tmp_path / "read").read_text()


def encrypted_role(tmp_path: Path) -> None:
    write(tmp_path, "play.yml", "- {hosts: all, roles: [web]}\n")
    write(tmp_path, "roles/web/tasks/main.yml", "- ansible.builtin.debug: {}\n")
    write(tmp_path, "password", "open sesame")
    argv = [str(BIN / "ansible-vault"), "encrypt", "--vault-password-file", "password", "roles/web/tasks/main.yml"]
    subprocess.run(
        argv, cwd=tmp_path, env=environ_here(tmp_path), stdin=subprocess.DEVNULL, check=True, capture_output=True
    )


def test_encrypted_tasks_are_read_with_the_password(tmp_path: Path) -> None:
    encrypted_role(tmp_path)

    assert said(tmp_path, options={"vault_passwords": lambda: {"default": "open sesame"}}) == []


def test_what_cannot_be_decrypted_here_is_a_warning(tmp_path: Path) -> None:
    encrypted_role(tmp_path)

    (problem,) = said(tmp_path)

    assert ": warning: " in problem


def test_a_password_that_cannot_be_had_is_a_warning(tmp_path: Path) -> None:
    def nobody() -> dict[str, str]:
        raise Unknown("the environment variable VAULT is not set.")

    found = said(tmp_path, options={"vault_passwords": nobody})

    assert found == [
        "wellkept.yml: warning: Ansible was not asked about playbooks: the environment variable VAULT is not set."
    ]


def test_without_their_requirements_playbooks_are_not_judged_and_that_is_told_once(tmp_path: Path) -> None:
    for name in ("one.yml", "two.yml"):
        write(tmp_path, name, "- {hosts: all, roles: [asked_for]}\n")

    found = said(tmp_path, "one.yml", "two.yml", requirements=REQUIREMENTS)

    (problem,) = found
    assert problem.startswith("requirements.yml: warning: Ansible was not asked about 2 playbooks: the roles and ")
    assert problem.endswith("are not installed yet. `wellkept plan` installs them.")


def test_installed_requirements_are_found(tmp_path: Path) -> None:
    write(tmp_path, "play.yml", "- {hosts: all, roles: [asked_for]}\n")
    write(tmp_path, "kept/roles/asked_for/tasks/main.yml", "[]\n")

    found = said(
        tmp_path, requirements=REQUIREMENTS, options={"installed": lambda _wanted, _ansible: tmp_path / "kept"}
    )

    assert found == []


def test_without_ansible_that_is_a_warning(tmp_path: Path) -> None:
    write(tmp_path, "play.yml", GOOD)

    (problem,) = AnsibleSyntax(environ={"PATH": str(tmp_path)}).problems(
        [PlaybookAsked("play.yml", AnsibleSettings())], project=tmp_path
    )

    assert "there is no ansible-playbook on PATH" in problem.message
    assert problem.severity == "warning"


OLDER = """\
ERROR! the role 'nothere' was not found in /srv/wellkept/playbooks/roles:/srv/wellkept/roles

The error appears to be in '/srv/wellkept/playbooks/play.yml': line 3, column 7, but may
be elsewhere in the file depending on the exact syntax problem.
"""


def test_an_older_ansible_is_understood(tmp_path: Path) -> None:
    problem = problem_in(Ran(4, "", OLDER), "playbooks/play.yml", project=Path("/srv/wellkept"))

    assert str(problem) == (
        "playbooks/play.yml:3:7: Ansible refuses it: the role 'nothere' was not found in playbooks/roles:roles"
    )


def test_words_of_no_known_form_are_told_as_they_are(tmp_path: Path) -> None:
    problem = problem_in(Ran(1, "", "Segmentation fault\n"), "play.yml", project=tmp_path)

    assert str(problem) == "play.yml: Ansible refuses it: Segmentation fault"


def test_an_ansible_that_takes_too_long_is_a_warning(tmp_path: Path) -> None:
    ran = Ran(-9, "", "", "it did not end within 120 seconds")

    assert str(problem_in(ran, "play.yml", project=tmp_path)).startswith("play.yml: warning: ")
