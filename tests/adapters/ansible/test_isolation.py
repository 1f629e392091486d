"""What a piece finds in its container: the paths that it needs, as few as that, and never another Ansible's programs."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.adapters.ansible.containers import remove_container
from runner.adapters.ansible.isolation import environment_inside, isolation, with_inventories
from runner.adapters.ansible.settings import CALLBACKS, what_is_added


@pytest.fixture
def order(tmp_path: Path) -> dict[str, object]:
    """An order as the executor reads it; everything that it names is there."""
    for name in ("project", "piece/private", "cp", "state/abc", "look", "lab", "keys"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "lab/inventory").touch()
    return {
        "image": "registry.example.com/ee:1",
        "engine": "podman",
        "marker": "0192-ab:3",
        "config": None,
        "project": str(tmp_path / "project"),
        "private": str(tmp_path / "piece/private"),
        "control_path": str(tmp_path / "cp"),
        "requirements": str(tmp_path / "state/abc"),
        "playbook": str(tmp_path / "look/look.yml"),
        "inventory": [str(tmp_path / "lab/inventory"), "a,b,", str(tmp_path / "project/hosts")],
        "mounts": [str(tmp_path / "keys")],
    }


def test_a_piece_without_an_image_is_run_as_ever(order: dict[str, object]) -> None:
    assert isolation({**order, "image": None}, {}) == {}


def test_it_has_what_it_needs_at_the_same_paths_and_may_write_only_where_ssh_has_its_sockets(
    order: dict[str, object], tmp_path: Path
) -> None:
    told = isolation(order, {"HOME": str(tmp_path / "nobody")})["container_volume_mounts"]

    assert isinstance(told, list)
    below = [mount.removeprefix(f"{tmp_path}/").partition(":")[0] for mount in told if mount.startswith(str(tmp_path))]
    assert below == ["cp", "project", "piece", "state/abc", "look", "lab/inventory", "keys"]
    assert [mount for mount in told if not mount.endswith(":ro")] == [f"{tmp_path}/cp:{tmp_path}/cp:rw"]
    assert f"{CALLBACKS}:{CALLBACKS}:ro" in told


def test_what_links_of_the_copy_lead_to_is_there_too(order: dict[str, object], tmp_path: Path) -> None:
    (tmp_path / "vault-password").touch()
    (tmp_path / "project/vault").symlink_to(tmp_path / "vault-password")

    told = isolation(order, {})["container_volume_mounts"]

    assert isinstance(told, list)
    assert f"{tmp_path}/vault-password:{tmp_path}/vault-password:ro" in told


def test_a_configuration_outside_is_there_too_whoever_names_it(order: dict[str, object], tmp_path: Path) -> None:
    (tmp_path / "ansible.cfg").touch()
    config = str(tmp_path / "ansible.cfg")

    by_file = isolation({**order, "config": config}, {})["container_volume_mounts"]
    by_environment = isolation(order, {"ANSIBLE_CONFIG": config})["container_volume_mounts"]

    assert isinstance(by_file, list)
    assert isinstance(by_environment, list)
    assert f"{config}:{config}:ro" in by_file
    assert f"{config}:{config}:ro" in by_environment


def test_the_users_ssh_settings_and_agent_are_handed_on(order: dict[str, object], tmp_path: Path) -> None:
    (tmp_path / "home/.ssh").mkdir(parents=True)
    environ = {"HOME": str(tmp_path / "home"), "SSH_AUTH_SOCK": "/run/agent"}

    told = isolation(order, environ)["container_volume_mounts"]

    assert isinstance(told, list)
    assert f"{tmp_path}/home/.ssh:/root/.ssh:ro" in told
    assert "/run/agent:/run/agent:ro" in told
    assert environment_inside({}, environ) == {"SSH_AUTH_SOCK": "/run/agent"}


def test_nothing_is_fetched_and_the_container_can_be_found_by_its_piece(order: dict[str, object]) -> None:
    told = isolation(order, {})

    assert told["ident"] == "0192-ab-3"
    assert isinstance(told["container_options"], list)
    assert {"--pull=never", "--label=wellkept.piece=0192-ab:3"} <= set(told["container_options"])


def test_programs_and_secrets_of_this_machine_stay_outside() -> None:
    environ = {
        "PATH": "/usr/bin",
        "TOKEN": "secret",
        "ANSIBLE_GALAXY_SERVER_HUB_TOKEN": "secret",
        "ANSIBLE_TIMEOUT": "5",
        "WELLKEPT_PIECE": "p:1",
    }

    inside = environment_inside({"PATH": "/opt/ansible/bin", "ANSIBLE_NOCOLOR": "1"}, environ)

    assert inside == {"ANSIBLE_TIMEOUT": "5", "WELLKEPT_PIECE": "p:1", "ANSIBLE_NOCOLOR": "1"}


def test_our_inventories_stand_where_ansible_runner_names_its_own() -> None:
    command = ["podman", "run", "image", "ansible-playbook", "-i", "/runner/inventory", "--forks", "2", "play.yml"]

    assert with_inventories(command, ["a", "b"])[3:] == [
        "ansible-playbook",
        "-i",
        "a",
        "-i",
        "b",
        "--forks",
        "2",
        "play.yml",
    ]
    assert with_inventories(["ansible-playbook", "-i", "a"], ["a"]) == ["ansible-playbook", "-i", "a"]


def test_what_is_added_names_the_image_in_the_place_of_programs(tmp_path: Path) -> None:
    words = what_is_added({}, project=tmp_path, config=None, programs=None, image="ee:1")

    assert words[0].startswith("ansible-playbook is that of the image ee:1")
    assert not any("is taken from" in line for line in words)


def test_an_engine_that_is_gone_or_hangs_leaves_the_container_in_doubt() -> None:
    beats: list[None] = []

    assert remove_container([], between=lambda: None) == []
    assert remove_container(["/bin/true", "name"], between=lambda: beats.append(None)) == []
    [(pid, words)] = remove_container(["/nowhere/podman", "rm", "name"], between=lambda: None)
    assert (pid, words) == (0, "container name: /nowhere/podman cannot be started: No such file or directory")
    [(_, failed)] = remove_container(["/bin/false", "name"], between=lambda: None)
    assert failed == "container name: /bin/false rm ended with 1"
