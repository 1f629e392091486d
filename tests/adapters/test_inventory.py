"""An inventory is read as Ansible itself reads it; the referee is the real `ansible`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from runner.adapters.inventory import VAULTED, AnsibleInventory
from runner.domain.execution.own_ansible import AnsibleSettings
from runner.domain.execution.requirements import Requirements, RequirementsFile
from runner.domain.settings import Inventory
from runner.errors import Unknown
from runner.ports import InventoryAnswer

BIN = Path(sys.executable).parent
FLAT = "solo\n[web]\nweb-02\nweb-01 ansible_port=2202 ansible_user=ops\n[db]\ndb-01\nweb-01\n"
NESTED = "[site:children]\neurope\nasia\n[europe:children]\nweb\n[web]\nw2\nw1\n[asia]\na1\n[empty]\n"


RACK = """\
from ansible.plugins.inventory import BaseInventoryPlugin

DOCUMENTATION = "{name: rack, short_description: one host, description: one host, options: {plugin: {description: its name}}}"


class InventoryModule(BaseInventoryPlugin):
    NAME = "acme.tools.rack"

    def parse(self, inventory, loader, path, cache=True):
        super().parse(inventory, loader, path, cache)
        inventory.add_host("rack-01")
"""


def environ_here(tmp_path: Path, **more: str) -> dict[str, str]:
    return {"PATH": f"{BIN}:{os.environ['PATH']}", "HOME": str(tmp_path), "LC_ALL": "C.UTF-8", **more}


def read(
    tmp_path: Path,
    source: str,
    *,
    ansible: AnsibleSettings | None = None,
    environ: Mapping[str, str] | None = None,
    **options,
) -> InventoryAnswer:
    reader = AnsibleInventory(environ=environ or environ_here(tmp_path), **options)
    return reader.read(Inventory("production", source, ansible=ansible or AnsibleSettings()), project=tmp_path)


def listed_by_ansible(tmp_path: Path, source: str, pattern: str = "all") -> list[str]:
    argv = [str(BIN / "ansible"), pattern, "-i", source, "--list-hosts"]
    return call(argv, tmp_path).split()[2:]


def call(argv: list[str], tmp_path: Path) -> str:
    """Call Ansible, which refuses a standard input that some ssh, killed by another test, left non-blocking."""
    environ, nothing = environ_here(tmp_path), subprocess.DEVNULL
    ran = subprocess.run(argv, cwd=tmp_path, env=environ, stdin=nothing, capture_output=True, text=True, check=True)
    return ran.stdout


def script(path: Path, text: str) -> None:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def test_hosts_come_in_the_order_in_which_ansible_lists_them(tmp_path: Path) -> None:
    (tmp_path / "hosts").write_text(FLAT)

    answer = read(tmp_path, "hosts")

    assert list(answer.hosts) == listed_by_ansible(tmp_path, "hosts") == ["solo", "web-02", "web-01", "db-01"]
    assert answer.errors == ()


def test_groups_hold_the_hosts_of_their_children(tmp_path: Path) -> None:
    (tmp_path / "hosts").write_text(NESTED)

    groups = read(tmp_path, "hosts").groups

    assert groups["site"] == ("a1", "w2", "w1")
    assert groups["europe"] == ("w2", "w1")
    assert groups["empty"] == ()
    assert set(groups["site"]) == set(listed_by_ansible(tmp_path, "hosts", "site"))


def test_groups_of_groups_come_in_the_same_order_every_time(tmp_path: Path) -> None:
    """Ansible itself gives such hosts in an order that differs from call to call."""
    (tmp_path / "hosts").write_text("".join(f"[{top}:children]\n{top}x\n[{top}x]\n{top}1\n" for top in "dcba"))

    orders = {tuple(read(tmp_path, "hosts").hosts) for _ in range(3)}

    assert orders == {("d1", "c1", "b1", "a1")}


def test_only_connection_variables_are_kept_and_never_a_password(tmp_path: Path) -> None:
    (tmp_path / "hosts").write_text(
        "web-01 ansible_host=10.0.0.1 ansible_ssh_user=ops ansible_password=hunter2 ansible_become_password=hunter3 token=hunter4 rack=r1\n"
    )

    answer = read(tmp_path, "hosts", keep=["rack"])

    assert answer.hosts["web-01"] == {"ansible_host": "10.0.0.1", "ansible_user": "ops", "rack": "r1"}
    assert "hunter" not in repr(answer)


def test_the_settings_of_ansible_cfg_stand_where_a_host_says_nothing(tmp_path: Path) -> None:
    (tmp_path / "hosts").write_text("web-01 ansible_user=ops\nweb-02\n")
    (tmp_path / "ansible.cfg").write_text(
        "[defaults]\nremote_user = deploy ; not root\n[ssh_connection]\nssh_common_args = -F ssh_config\n"
    )

    hosts = read(tmp_path, "hosts").hosts

    assert hosts["web-01"] == {"ansible_user": "ops", "ansible_ssh_common_args": "-F ssh_config"}
    assert hosts["web-02"]["ansible_user"] == "deploy"


def test_the_environment_wins_over_ansible_cfg(tmp_path: Path) -> None:
    (tmp_path / "hosts").write_text("web-01\n")
    (tmp_path / "ansible.cfg").write_text("[defaults]\nremote_user = deploy\n")

    hosts = read(tmp_path, "hosts", environ=environ_here(tmp_path, ANSIBLE_REMOTE_USER="night")).hosts

    assert hosts["web-01"]["ansible_user"] == "night"


def test_a_named_configuration_and_folder_of_programs_are_used(tmp_path: Path) -> None:
    (tmp_path / "hosts").write_text("web-01\n")
    (tmp_path / "other.cfg").write_text("[defaults]\nremote_user = other\n")
    bare = {**environ_here(tmp_path), "PATH": "/usr/bin:/bin"}

    answer = read(tmp_path, "hosts", ansible=AnsibleSettings(config="other.cfg", bin=str(BIN)), environ=bare)

    assert answer.hosts["web-01"]["ansible_user"] == "other"


def test_host_variables_that_are_templates_are_filled_where_that_is_possible(tmp_path: Path) -> None:
    (tmp_path / "hosts").write_text(
        "web-01 ip=10.0.0.7 ansible_host='{{ ip }}' ansible_user=\"{{ lookup('env', 'USER') }}\"\n"
    )

    host = read(tmp_path, "hosts").hosts["web-01"]

    assert host["ansible_host"] == "10.0.0.7"
    assert host["ansible_user"] == "{{ lookup('env', 'USER') }}"


def test_a_list_of_hosts_is_a_source_too(tmp_path: Path) -> None:
    assert list(read(tmp_path, "web-02,web-01,").hosts) == ["web-02", "web-01"]


def test_a_source_may_take_a_name_from_the_environment(tmp_path: Path) -> None:
    (tmp_path / "hosts").write_text("web-01\n")

    there = read(tmp_path, "${WHERE}/hosts", environ=environ_here(tmp_path, WHERE=str(tmp_path)))
    missing = read(tmp_path, "${WHERE}/hosts")

    assert list(there.hosts) == ["web-01"]
    assert missing.errors == (
        "inventory production: '${WHERE}/hosts' needs WHERE from the environment, and it is not set there.",
    )


def test_broken_yaml_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "hosts.yml").write_text("all:\n  hosts:\n   a: {\n  b\n")

    answer = read(tmp_path, "hosts.yml")

    assert answer.hosts == {}
    assert any("YAML parsing failed" in error for error in answer.errors)
    assert any(f"Unable to parse {tmp_path}/hosts.yml" in error for error in answer.errors)


def test_one_broken_source_among_good_ones_is_an_error_and_the_others_are_given(tmp_path: Path) -> None:
    (tmp_path / "inventory").mkdir()
    (tmp_path / "inventory" / "a.ini").write_text("web-01\n")
    (tmp_path / "inventory" / "b.yml").write_text("all: {")

    answer = read(tmp_path, "inventory")

    assert list(answer.hosts) == ["web-01"]
    assert any("inventory/b.yml as an inventory source" in error for error in answer.errors)


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    answer = read(tmp_path, "nowhere.ini")

    assert any("nowhere.ini as an inventory source" in error for error in answer.errors)


def test_an_inventory_that_gives_nothing_is_an_error_also_when_ansible_is_told_to_keep_silent(tmp_path: Path) -> None:
    (tmp_path / "inventory").mkdir()
    environ = environ_here(tmp_path, ANSIBLE_INVENTORY_UNPARSED_WARNING="False")

    answer = read(tmp_path, "inventory", environ=environ)

    assert any("No inventory was parsed" in error for error in answer.errors)


def test_verbose_or_coloured_ansible_is_understood(tmp_path: Path) -> None:
    (tmp_path / "hosts").write_text("web-01\n")
    (tmp_path / "ansible.cfg").write_text("[defaults]\nverbosity = 3\nforce_color = true\n[inventory]\nexport = true\n")

    answer = read(tmp_path, "hosts", environ=environ_here(tmp_path, ANSIBLE_FORCE_COLOR="1"))

    assert (list(answer.hosts), answer.errors) == (["web-01"], ())


def test_a_script_that_fails_is_an_error_with_its_own_words(tmp_path: Path) -> None:
    script(tmp_path / "cloud.sh", "echo the cloud is away >&2; exit 3")

    answer = read(tmp_path, "cloud.sh")

    assert any("exit code 3" in error and "the cloud is away" in error for error in answer.errors)


def test_a_source_that_warns_is_an_error_though_it_gives_hosts(tmp_path: Path) -> None:
    hosts = json.dumps({"web": {"hosts": ["web-01"]}, "_meta": {"hostvars": {}}})
    script(tmp_path / "cloud.sh", f"echo half of the regions did not answer >&2; echo '{hosts}'")

    answer = read(tmp_path, "cloud.sh")

    assert list(answer.hosts) == ["web-01"]
    assert answer.errors == ("inventory production: half of the regions did not answer",)


def test_an_inventory_plugin_that_warns_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "inventory_plugins").mkdir()
    (tmp_path / "inventory_plugins" / "halfway.py").write_text(
        "DOCUMENTATION = 'name: halfway\\nshort_description: x\\noptions: {plugin: {required: true}}'\n"
        "from ansible.plugins.inventory import BaseInventoryPlugin\n"
        "class InventoryModule(BaseInventoryPlugin):\n"
        "    NAME = 'halfway'\n"
        "    def parse(self, inventory, loader, path, cache=True):\n"
        "        super().parse(inventory, loader, path, cache)\n"
        "        inventory.add_host('web-01')\n"
        "        self.display.warning('region eu-west-1 timed out')\n"
    )
    (tmp_path / "hosts.yml").write_text("plugin: halfway\n")
    environ = environ_here(tmp_path, ANSIBLE_INVENTORY_PLUGINS=str(tmp_path / "inventory_plugins"))

    answer = read(tmp_path, "hosts.yml", environ=environ)

    assert answer.errors == ("inventory production: region eu-west-1 timed out",)


def test_warnings_that_leave_nobody_out_are_no_errors(tmp_path: Path) -> None:
    (tmp_path / "hosts").write_text("[web-servers]\nweb\n[web]\nweb\nlocalhost\n127.0.0.1\n")

    assert read(tmp_path, "hosts").errors == ()


def test_a_source_that_hangs_is_given_up(tmp_path: Path) -> None:
    script(tmp_path / "cloud.sh", "sleep 60 & sleep 60")

    answer = read(tmp_path, "cloud.sh", time_limit=2.0)

    assert answer.errors == ("inventory production: ansible-inventory: it did not end within 2 s",)


def test_a_missing_program_is_an_error_with_the_way_out(tmp_path: Path) -> None:
    answer = read(tmp_path, "hosts", environ={"PATH": "/nowhere"})

    assert "there is no ansible-inventory on PATH" in answer.errors[0]
    assert "ansible: bin:" in answer.errors[0]


def encrypted(tmp_path: Path, text: str) -> None:
    (tmp_path / "hosts").write_text("[web]\nweb-01\n")
    (tmp_path / "group_vars").mkdir()
    (tmp_path / "password").write_text("open sesame")
    (tmp_path / "group_vars" / "web.yml").write_text(text)
    argv = [str(BIN / "ansible-vault"), "encrypt", "--vault-password-file", "password", "group_vars/web.yml"]
    call(argv, tmp_path)


def test_encrypted_group_variables_are_read_with_the_password_that_is_given(tmp_path: Path) -> None:
    encrypted(tmp_path, "ansible_user: ops\n")

    answer = read(tmp_path, "hosts", vault_passwords=lambda: {"default": "open sesame"})

    assert answer.hosts == {"web-01": {"ansible_user": "ops"}}
    assert answer.errors == ()


@pytest.mark.parametrize("passwords", [{}, {"default": "wrong"}])
def test_encrypted_group_variables_without_the_right_password_are_a_clear_error(
    tmp_path: Path, passwords: dict[str, str]
) -> None:
    encrypted(tmp_path, "ansible_user: ops\n")

    answer = read(tmp_path, "hosts", vault_passwords=lambda: passwords)

    assert any("name its password under secrets: vault:" in error for error in answer.errors)


def test_a_password_that_cannot_be_had_is_an_error_in_the_answer(tmp_path: Path) -> None:
    def away() -> dict[str, str]:
        raise Unknown("vault default: the password store is locked")

    (tmp_path / "hosts").write_text("web-01\n")

    assert read(tmp_path, "hosts", vault_passwords=away).errors == (
        "inventory production: vault default: the password store is locked",
    )


def test_a_single_encrypted_value_breaks_nothing_and_its_content_is_not_given(tmp_path: Path) -> None:
    encrypted(tmp_path, "secret\n")
    vaulted = (tmp_path / "group_vars" / "web.yml").read_text().replace("\n", "\n  ").rstrip()
    (tmp_path / "group_vars" / "web.yml").write_text(f"ansible_user: !vault |\n  {vaulted}\nansible_port: 2222\n")

    answer = read(tmp_path, "hosts")

    assert answer.hosts["web-01"] == {"ansible_user": {VAULTED: ""}, "ansible_port": 2222}
    assert answer.errors == ()


def may_change(project: Path, source: str) -> bool:
    return AnsibleInventory(environ={"HOME": str(project)}).may_change(Inventory("production", source), project=project)


def test_an_inventory_that_lies_whole_in_the_project_always_says_the_same(tmp_path: Path) -> None:
    folder = tmp_path / "inventories"
    folder.mkdir()
    (folder / "hosts").write_text(FLAT)
    (folder / "more.yml").write_text("all: {hosts: {plugin-01: {plugin: none}}}\n")
    (tmp_path / "link").symlink_to("inventories/hosts")

    assert not any(may_change(tmp_path, source) for source in ("inventories", "inventories/hosts", "link", "a,b,"))


@pytest.mark.parametrize("text", ["plugin: amazon.aws.aws_ec2\nregions: [x]\n", '---\n"plugin": constructed\n'])
def test_a_file_that_names_a_plugin_may_say_something_else_later(tmp_path: Path, text: str) -> None:
    (tmp_path / "cloud.yml").write_text(text)

    assert may_change(tmp_path, "cloud.yml")


def test_a_program_may_say_something_else_later_also_in_a_folder(tmp_path: Path) -> None:
    (tmp_path / "inventories").mkdir()
    script(tmp_path / "inventories" / "cloud", "echo '{}'")

    assert may_change(tmp_path, "inventories/cloud")
    assert may_change(tmp_path, "inventories")


def test_what_lies_outside_the_project_may_be_edited_at_any_time(tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    (tmp_path / "hosts").write_text(FLAT)
    (project / "link").symlink_to(tmp_path / "hosts")

    assert all(may_change(project, source) for source in ("../hosts", str(tmp_path / "hosts"), "link", "${UNSET}/x"))


def test_variables_that_schedules_ask_for_are_given_as_they_stand(tmp_path: Path) -> None:
    (tmp_path / "hosts.yml").write_text(
        "all:\n  vars: {site: b}\n  hosts:\n    web-01: {rack: a, token: x}\n    web-02: {rack: '{{ site }}'}\n    web-03: {rack: [a, b]}\n    web-04: {}\n"
    )
    inventory = Inventory("production", "hosts.yml", variables=("rack",))

    answer = AnsibleInventory(environ=environ_here(tmp_path)).read(inventory, project=tmp_path)

    assert [answer.hosts[host].get("rack") for host in answer.hosts] == ["a", "{{ site }}", ["a", "b"], None]
    assert "token" not in answer.hosts["web-01"]


def test_a_plugin_of_a_collection_that_requirements_name_is_found(tmp_path: Path) -> None:
    plugins = tmp_path / "installed/collections/ansible_collections/acme/tools/plugins/inventory"
    plugins.mkdir(parents=True)
    (plugins / "rack.py").write_text(RACK)
    (tmp_path / "rack.yml").write_text("plugin: acme.tools.rack\n")
    wanted = Requirements((RequirementsFile("requirements.yml", roles=False, collections=True),), (), "digest")
    inventory = Inventory("rack", "rack.yml", requirements=wanted)
    environ = environ_here(tmp_path)

    without = AnsibleInventory(environ=environ).read(inventory, project=tmp_path)
    found = AnsibleInventory(environ=environ, installed=lambda asked, _: tmp_path / "installed" if asked else None)

    assert without.errors
    answer = found.read(inventory, project=tmp_path)
    assert (tuple(answer.hosts), answer.errors) == (("rack-01",), ())
