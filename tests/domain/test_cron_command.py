"""What a command of a crontab does about Ansible, told without running it."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.domain.adoption.cron_command import PlaybookCommand, ScriptCommand, read_command
from runner.domain.adoption.crontab import DayTest, Unsayable
from runner.domain.adoption.shell_words import Unreadable


def read(text: str, **variables: str) -> PlaybookCommand:
    found = read_command(text, variables=variables)
    assert isinstance(found, PlaybookCommand)
    return found


def test_a_line_as_people_write_it() -> None:
    found = read(
        "cd /srv/ansible && ansible-playbook -i inventories/production playbooks/patch.yml --limit web "
        "-e reboot=true -e '{\"hosts\": 3}' -t a,b --tags c >> /var/log/patch.log 2>&1"
    )

    assert (found.call.playbook, found.call.inventory, found.call.limit) == (
        "playbooks/patch.yml",
        "inventories/production",
        "web",
    )
    assert found.call.extra_vars == {"reboot": "true", "hosts": 3}
    assert found.call.tags == ("a", "b", "c")
    assert (found.around.folder, found.around.logs, found.around.left_out) == (
        "/srv/ansible",
        ("/var/log/patch.log",),
        (),
    )


def test_wrappers_are_taken_off_and_told() -> None:
    found = read(
        "flock -w 5 /run/x.lock nice -n 10 timeout -k 30 3h sudo -u ansible -H /opt/venv/bin/ansible-playbook site.yml"
    )

    assert (found.program, found.around.user, found.around.timeout) == (
        "/opt/venv/bin/ansible-playbook",
        "ansible",
        "3h",
    )
    assert any("flock" in note for note in found.around.left_out)


@pytest.mark.parametrize(
    "text",
    [
        "bash -lc 'cd /srv && ansible-playbook site.yml'",
        "sudo -u ansible sh -c 'cd /srv; ansible-playbook site.yml'",
        "su - ansible -c 'cd /srv && ansible-playbook site.yml'",
        "flock -n /run/x -c 'cd /srv && ansible-playbook site.yml'",
        "cd /srv && env -i X=1 ansible-playbook site.yml",
        "cd /srv && set -e; ansible-playbook site.yml | tee -a /var/log/x.log",
    ],
)
def test_a_shell_in_a_shell_is_read_too(text: str) -> None:
    found = read(text)

    assert (found.call.playbook, found.around.folder) == ("site.yml", "/srv")


def test_what_is_done_besides_is_told_and_not_kept() -> None:
    found = read(
        ". /opt/venv/bin/activate && cd /srv && git pull -q && ANSIBLE_NOCOLOR=1 ansible-playbook -b -f 20 site.yml || mail -s x root"
    )

    assert found.around.activated == "/opt/venv/bin"
    told = " ".join((*found.around.left_out, *found.call.left_out))
    assert all(word in told for word in ("`git pull`", "ANSIBLE_NOCOLOR", "--become", "--forks 20", "`mail -s`"))


def test_variables_of_a_script_are_filled_in() -> None:
    found = read('REPO=/srv/ansible\ncd "${REPO}"  # the repository\nansible-playbook \\\n  $WHAT.yml', WHAT="site")

    assert (found.around.folder, found.call.playbook) == ("/srv/ansible", "site.yml")


def test_the_usual_tests_of_the_date_are_understood() -> None:
    assert read('[ "$(date +%u)" = 7 ] && ansible-playbook a.yml').around.test == DayTest(weekdays=frozenset({6}))
    assert read("test `date +%w` -eq 0 && ansible-playbook a.yml").around.test == DayTest(weekdays=frozenset({6}))
    assert read('[ "$(date -d tomorrow +%d)" = 01 ] && ansible-playbook a.yml').around.test == DayTest(last_day=True)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("ansible all -m ping", "without a playbook"),
        ("ansible-playbook a.yml b.yml", "names 2 playbooks"),
        ("ansible-playbook a.yml && ansible-playbook b.yml", "runs 2 playbooks"),
        ("ansible-playbook --check a.yml", "for real, also with effect: read_only"),
        ("ansible-playbook a.yml -K", "nobody answers"),
        ("ansible-playbook a.yml --syntax-check", "only prints"),
        ("ansible-playbook a.yml -e @vars.yml", "reads a file"),
        ("ansible-playbook a.yml -e db_password=x", "plain text"),
        ("ansible-playbook a.yml -i a -i b", "2 inventories"),
        ("ansible-playbook a.yml -l @retry", "from a file"),
        ("ansible-playbook $PLAYBOOK", "known only when it runs"),
        ("ansible-playbook a.yml --limt web", "limt"),
    ],
)
def test_what_a_schedule_cannot_say_is_refused_with_the_reason(text: str, reason: str) -> None:
    with pytest.raises(Unsayable, match=reason):
        read_command(text, variables={})


@pytest.mark.parametrize(
    "text",
    [
        "if true; then ansible-playbook a.yml; fi",
        "(ansible-playbook a.yml)",
        "echo 'x",
        "cd $X && ansible-playbook a.yml",
    ],
)
def test_what_cannot_be_told_without_running_it_is_refused(text: str) -> None:
    with pytest.raises(Unreadable):
        read_command(text, variables={})


def test_a_script_and_what_is_not_about_ansible_are_told_apart() -> None:
    found = read_command("nice -n 5 /usr/local/bin/patch.sh >/dev/null", variables={})

    assert isinstance(found, ScriptCommand)
    assert (found.path, found.around.left_out) == ("/usr/local/bin/patch.sh", ())
    assert read_command("apt-get update", variables={}) is None


@given(st.text(alphabet="ansible-playbook .yml\"'$&|;<>()#\\\n=%", max_size=80))
def test_any_text_is_read_or_refused_in_words(text: str) -> None:
    with suppress(Unsayable, Unreadable):
        assert read_command(f"ansible-playbook {text}", variables={}) != ""
