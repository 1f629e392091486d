"""Wellkept adds to the user's own Ansible and never overrides it, but for the control path."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from runner.adapters.ansible.settings import (
    CALLBACKS,
    UserSettings,
    additions,
    found_behind,
    what_is_added,
    with_masters,
    without_control,
)

OURS = str(CALLBACKS)


def environment(
    project: Path, *, passwords: bool = False, config: str | None = None, programs: str | None = None, **environ: str
) -> dict[str, str]:
    own = {"HOME": str(project / "home"), "PATH": "/usr/bin", **environ}
    found = additions(
        own, project=project, config=config, programs=programs, control_path=Path("/run/cp"), passwords=passwords
    )
    return {key: value for addition in found for key, value in addition.environment.items()}


def configure(project: Path, text: str) -> None:
    (project / "ansible.cfg").write_text(text)


def test_our_callback_folder_comes_behind_the_defaults(tmp_path: Path) -> None:
    added = environment(tmp_path)

    own, ours = added["ANSIBLE_CALLBACK_PLUGINS"].rsplit(":", 1)
    assert ours == OURS
    assert own == f"{tmp_path}/home/.ansible/plugins/callback:/usr/share/ansible/plugins/callback"


def test_our_callback_folder_comes_behind_the_ones_of_ansible_cfg(tmp_path: Path) -> None:
    configure(tmp_path, "[defaults]\ncallback_plugins = plugins/callback:/opt/more ; mine\n")

    added = environment(tmp_path)

    assert added["ANSIBLE_CALLBACK_PLUGINS"] == f"{tmp_path}/plugins/callback:/opt/more:{OURS}"


def test_the_environment_wins_over_ansible_cfg(tmp_path: Path) -> None:
    configure(tmp_path, "[defaults]\ncallback_plugins = plugins/callback\n")

    added = environment(tmp_path, ANSIBLE_CALLBACK_PLUGINS="/from/environment")

    assert added["ANSIBLE_CALLBACK_PLUGINS"] == f"/from/environment:{OURS}"


def test_a_configuration_that_was_named_is_read_instead_of_the_projects(tmp_path: Path) -> None:
    configure(tmp_path, "[defaults]\ncallback_plugins = wrong\n")
    other = tmp_path / "other.cfg"
    other.write_text("[defaults]\ncallback_plugins = /right\n")

    added = environment(tmp_path, config=str(other))

    assert added["ANSIBLE_CONFIG"] == str(other)
    assert added["ANSIBLE_CALLBACK_PLUGINS"] == f"/right:{OURS}"


def test_a_configuration_that_cannot_be_read_is_left_for_ansible_to_complain_about(tmp_path: Path) -> None:
    configure(tmp_path, "no section = here\n")

    assert OURS in environment(tmp_path)["ANSIBLE_CALLBACK_PLUGINS"]


def test_the_users_programs_come_first_and_ours_last(tmp_path: Path) -> None:
    added = environment(tmp_path, programs="/opt/ansible-2.16/bin")

    assert added["PATH"].split(os.pathsep) == ["/opt/ansible-2.16/bin", "/usr/bin", str(Path(sys.executable).parent)]


def test_host_key_checking_is_never_touched(tmp_path: Path) -> None:
    assert not [name for name in environment(tmp_path, passwords=True) if "HOST_KEY" in name]


def test_default_ssh_settings_stay_as_they_are(tmp_path: Path) -> None:
    added = environment(tmp_path)

    assert added["ANSIBLE_SSH_CONTROL_PATH_DIR"] == "/run/cp"
    assert not {
        "ANSIBLE_SSH_ARGS",
        "ANSIBLE_SSH_COMMON_ARGS",
        "ANSIBLE_SSH_EXTRA_ARGS",
        "ANSIBLE_SSH_CONTROL_PATH",
    } & set(added)


def test_a_control_path_of_the_user_gives_way_to_the_runs(tmp_path: Path) -> None:
    configure(
        tmp_path,
        "[ssh_connection]\ncontrol_path = /tmp/ssh-%%h\nssh_common_args = -o ControlPath=~/.ssh/cm-%C -o ProxyJump=gate\n",
    )

    added = environment(tmp_path)

    assert added["ANSIBLE_SSH_CONTROL_PATH"] == ""
    assert added["ANSIBLE_SSH_COMMON_ARGS"] == "-o ProxyJump=gate"


@pytest.mark.parametrize(
    ("own", "used"),
    [
        ("-C -o ControlMaster=auto -o ControlPersist=60s", "-C -o ControlMaster=auto -o ControlPersist=60s"),
        (
            "-o ControlMaster=auto -o ControlPersist=30m -o ControlPath=/tmp/x",
            "-o ControlPersist=30m -o ControlMaster=auto",
        ),
        ("-o ForwardAgent=yes", "-o ForwardAgent=yes -o ControlMaster=auto -o ControlPersist=60s"),
        ("-o ControlMaster=no -o ControlPersist=no", "-o ControlMaster=no -o ControlPersist=no"),
        ("-oControlPath=/tmp/x -S /tmp/y -M -v", "-v -o ControlMaster=auto -o ControlPersist=60s"),
        ("-o 'controlpath /tmp/x'", "-o ControlMaster=auto -o ControlPersist=60s"),
        ("", "-o ControlMaster=auto -o ControlPersist=60s"),
    ],
)
def test_ssh_masters_are_shared_as_the_user_has_it_or_for_a_minute(own: str, used: str) -> None:
    assert with_masters(own) == used


def test_what_has_no_control_options_stays_as_it_was_written() -> None:
    own = """-o ProxyCommand="ssh -W %h:%p gate"   -o User=ops"""

    assert without_control(own) == own


def test_the_yaml_inventory_plugin_is_added_only_where_it_is_missing_and_needed(tmp_path: Path) -> None:
    configure(tmp_path, "[inventory]\nenable_plugins = ini, community.general.proxmox\n")

    assert environment(tmp_path, passwords=True)["ANSIBLE_INVENTORY_ENABLED"] == "ini, community.general.proxmox,yaml"
    assert "ANSIBLE_INVENTORY_ENABLED" not in environment(tmp_path)


def test_every_addition_is_told_in_words(tmp_path: Path) -> None:
    words = what_is_added({"PATH": "/usr/bin"}, project=tmp_path, config="/etc/a.cfg", programs=None)

    assert any("/etc/a.cfg" in line for line in words)
    assert any("control path" in line for line in words)
    assert any("callback plugin" in line for line in words)


def test_installed_roles_and_collections_come_behind_the_defaults(tmp_path: Path) -> None:
    own = {"HOME": "/home/ana"}

    added = found_behind(UserSettings(own, project=tmp_path), own, Path("/state/abc"))

    assert added == {
        "ANSIBLE_ROLES_PATH": "/home/ana/.ansible/roles:/usr/share/ansible/roles:/etc/ansible/roles:/state/abc/roles",
        "ANSIBLE_COLLECTIONS_PATH": "/home/ana/.ansible/collections:/usr/share/ansible/collections:/state/abc/collections",
    }


@pytest.mark.parametrize("key", ["collections_path", "collections_paths"])
def test_installed_roles_and_collections_come_behind_the_ones_of_ansible_cfg(tmp_path: Path, key: str) -> None:
    configure(tmp_path, f"[defaults]\nroles_path = roles:/opt/roles\n{key} = collections:{{{{CWD}}}}/more\n")

    added = found_behind(UserSettings({}, project=tmp_path), {}, Path("/state/abc"))

    assert added["ANSIBLE_ROLES_PATH"] == f"{tmp_path}/roles:/opt/roles:/state/abc/roles"
    assert added["ANSIBLE_COLLECTIONS_PATH"] == f"{tmp_path}/collections:{{{{CWD}}}}/more:/state/abc/collections"


def test_a_role_of_the_users_own_that_is_found_before_the_installed_one_is_named(tmp_path: Path) -> None:
    configure(tmp_path, "[defaults]\nroles_path = roles\n")
    for folder in ("roles/web", "installed/roles/web", "installed/roles/db", "installed/collections"):
        (tmp_path / folder).mkdir(parents=True)

    words = what_is_added({}, project=tmp_path, config=None, programs=None, requirements=tmp_path / "installed")

    said = next(line for line in words if "requirements files" in line)
    assert said.endswith(f"in {tmp_path}/installed; found before, among your own: {tmp_path}/roles/web")
