"""Pipelining for single hosts: never against the user's own word, and really without a terminal."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from runner.adapters.ansible import AnsibleExecutor
from runner.adapters.ansible.pipelining import says_nothing, source_for
from runner.domain.execution.outcome import EventKind
from runner.domain.execution.own_ansible import AnsibleSettings
from tests.adapters.ansible.pieces import Workshop, follow, of_kind, play
from tests.lab import Lab

TERMINAL = '{name: Terminal, shell: "awk \'{print \\"tty=\\" $7}\' /proc/$PPID/stat"}'


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "playbooks").mkdir()
    (tmp_path / "playbooks" / "patch.yml").write_text("- {hosts: all, tasks: []}\n")
    return tmp_path


def silent(project: Path, config: str | None = None, **environ: str) -> bool:
    return says_nothing(environ, project=project, playbook=project / "playbooks" / "patch.yml", config=config)


def test_a_user_who_says_nothing_about_it_leaves_it_open(project: Path) -> None:
    (project / "ansible.cfg").write_text("[defaults]\nforks = 20\n")
    (project / "group_vars").mkdir()
    (project / "group_vars" / "all.yml").write_text("shop: open\n")

    assert silent(project)


@pytest.mark.parametrize("section", ["defaults", "connection", "ssh_connection"])
@pytest.mark.parametrize("value", ["true", "false"])
def test_whatever_ansible_cfg_says_about_it_is_the_last_word(project: Path, section: str, value: str) -> None:
    (project / "ansible.cfg").write_text(f"[{section}]\npipelining = {value}\n")

    assert not silent(project)


@pytest.mark.parametrize("variable", ["ANSIBLE_PIPELINING", "ANSIBLE_SSH_PIPELINING"])
def test_whatever_the_environment_says_about_it_is_the_last_word(project: Path, variable: str) -> None:
    assert not silent(project, **{variable: "0"})


def test_a_configuration_that_was_named_is_the_one_that_counts(project: Path) -> None:
    (project / "other.cfg").write_text("[connection]\npipelining = true\n")

    assert silent(project)
    assert not silent(project, config=str(project / "other.cfg"))


@pytest.mark.parametrize(
    "place",
    [
        "group_vars/all.yml",
        "group_vars/web/ssh.yml",
        "host_vars/web-01",
        "playbooks/group_vars/all.yml",
        "playbooks/host_vars/web-01.yml",
        "roles/base/defaults/main.yml",
    ],
)
@pytest.mark.parametrize("text", ["ansible_pipelining: false\n", "$ANSIBLE_VAULT;1.1;AES256\n6162\n"])
def test_whatever_variables_beside_a_playbook_say_or_may_say_is_the_last_word(
    project: Path, place: str, text: str
) -> None:
    (project / place).parent.mkdir(parents=True, exist_ok=True)
    (project / place).write_text(text)

    assert not silent(project)


def test_where_ansible_would_not_read_our_source_nothing_is_added(project: Path) -> None:
    assert not silent(project, ANSIBLE_INVENTORY_ENABLED="ini,yaml")
    assert silent(project, ANSIBLE_INVENTORY_ENABLED="ini,ansible.builtin.auto")


def listed(folder: Path, text: str, hosts: list[str]) -> dict[str, object]:
    """What Ansible makes of an inventory with our source behind it: host -> its ansible_pipelining."""
    import json

    (folder / "hosts.yml").write_text(text)
    (folder / "ours.yml").write_text(source_for(hosts))
    program = Path(sys.executable).with_name("ansible-inventory")
    argv = [str(program), "-i", str(folder / "hosts.yml"), "-i", str(folder / "ours.yml"), "--list"]
    found = json.loads(subprocess.run(argv, check=True, capture_output=True, text=True, cwd=folder).stdout)
    return {name: each.get("ansible_pipelining") for name, each in found["_meta"]["hostvars"].items()}


def test_our_source_names_no_host_and_overrides_nothing(tmp_path: Path) -> None:
    (tmp_path / "group_vars").mkdir()
    (tmp_path / "group_vars" / "db.yml").write_text("ansible_ssh_pipelining: false\n")
    text = (
        "all: {children: {web: {hosts: {web-01: {x: 1}, web-02: {ansible_pipelining: false}, web-03: {x: 1}}}, "
        "db: {hosts: {db-01: {x: 1}}}}}\n"
    )

    found = listed(tmp_path, text, ["web-01", "web-02", "db-01", "gone-09"])

    assert found == {"web-01": True, "web-02": False, "web-03": None, "db-01": None}


def test_a_host_with_an_odd_name_is_left_alone() -> None:
    assert "web-01" in source_for(["web-01", "a'b {{ x }}"])
    assert "{{" not in source_for(["web-01", "a'b {{ x }}"])


def test_the_version_of_ansible_is_told_where_nothing_is_said(executor: AnsibleExecutor, project: Path) -> None:
    settings = AnsibleSettings()

    version = executor.pipelining_by(project=project, playbook=None, ansible=settings)
    (project / "ansible.cfg").write_text("[defaults]\npipelining = true\n")

    assert version is not None
    assert version.startswith("2.")
    assert executor.pipelining_by(project=project, playbook=None, ansible=settings) is None


def test_for_any_other_host_the_expression_fails_in_every_ansible() -> None:
    """Before 2.19 an `if` without `else` is an empty text, which would take the place of what the user says."""
    assert source_for(["web-01"]).rstrip().endswith('else dict())[inventory_hostname]"')


@pytest.mark.lab
def test_a_host_with_a_proof_has_no_terminal_and_no_other_host_is_changed(
    executor: AnsibleExecutor, workshop: Workshop, lab: Lab
) -> None:
    workshop.inventory = (str(lab.inventory),)

    events, end = follow(executor.start(workshop.order(play(TERMINAL, hosts="web"), pipelined=("web-01",))))

    told = {event.host: event.text + event.output for event in of_kind(events, EventKind.HOST_OK)}
    assert end.complete
    assert "tty=0" in told["web-01"]
    assert all("tty=0" not in told[host] for host in ("web-02", "web-03"))


@pytest.mark.lab
def test_the_proof_itself_is_made_by_pipelining(executor: AnsibleExecutor, workshop: Workshop, lab: Lab) -> None:
    workshop.inventory = (str(lab.inventory),)
    playbook = executor.look_playbook.with_name("prove.yml")

    with_it, _ = follow(executor.start(workshop.order(playbook, limit=("web-01",), pipelined=("web-01",))))
    without, _ = follow(executor.start(workshop.order(playbook, limit=("web-01",))))

    assert not of_kind(with_it, EventKind.HOST_FAILED)
    assert "says something else about pipelining" in of_kind(without, EventKind.HOST_FAILED)[0].text
