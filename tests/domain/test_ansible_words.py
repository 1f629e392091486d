"""What Ansible says when it refuses a playbook, in one line; the texts were copied from ansible-core 2.16 and 2.19."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from runner.domain.execution.ansible_words import Refusal, refusal_in

HERE = "/srv/wellkept"
NEW = f"""\
[WARNING]: Could not match supplied host pattern, ignoring: web
[ERROR]: the role 'nothere' was not found in {HERE}/playbooks/roles:/root/.ansible/roles:{HERE}
Origin: {HERE}/playbooks/play.yml:3:11

1 - name: No role
2   hosts: all
3   roles: [nothere]
            ^ column 11
"""
OLD = f"""\
ERROR! the role 'nothere' was not found in {HERE}/playbooks/roles:{HERE}/roles

The error appears to be in '{HERE}/playbooks/play.yml': line 3, column 7, but may
be elsewhere in the file depending on the exact syntax problem.
"""


def test_words_and_place_are_told_relative_to_the_repository() -> None:
    assert refusal_in(NEW, project=HERE) == Refusal(
        "the role 'nothere' was not found in playbooks/roles:/root/.ansible/roles:.", "playbooks/play.yml", 3, 11
    )


def test_an_older_ansible_is_understood() -> None:
    assert refusal_in(OLD, project=HERE) == Refusal(
        "the role 'nothere' was not found in playbooks/roles:roles", "playbooks/play.yml", 3, 7
    )


def test_for_people_the_place_stands_behind_the_words() -> None:
    assert str(Refusal("it is wrong", "playbooks/play.yml", 3, 7)) == "it is wrong (playbooks/play.yml:3:7)"
    assert str(Refusal("it is wrong")) == "it is wrong"


def test_a_place_outside_of_the_repository_is_left_out() -> None:
    said = "[ERROR]: it is wrong\nOrigin: /usr/share/ansible/roles/web/tasks/main.yml:1:1\n"

    assert refusal_in(said, project=HERE) == Refusal("it is wrong")


def test_an_error_of_several_lines_is_one_line() -> None:
    assert refusal_in("ERROR! one\n  and two\n", project=HERE) == Refusal("one and two")


def test_words_of_no_known_form_are_none() -> None:
    assert refusal_in("Segmentation fault\n", project=HERE) is None


@given(st.text())
def test_no_text_is_too_odd(said: str) -> None:
    found = refusal_in(said, project=HERE)

    assert found is None or "\n" not in str(found)
