"""The files that Ansible and ssh need to reach the hosts: inventory.yml and known_hosts."""

import json
from pathlib import Path

from tests.lab.plan import LabPlan, Mode
from tests.lab.ports import ADDRESS
from tests.lab.sshd import HOST_KEY


def ssh_options(folder: Path) -> list[str]:
    """Options for ssh: the lab's own known_hosts and key, keys checked, and nothing from the user's configuration."""
    return [
        *("-F", "/dev/null"),
        *("-o", f"UserKnownHostsFile={folder}/known_hosts"),
        *("-o", "GlobalKnownHostsFile=/dev/null"),
        *("-o", "StrictHostKeyChecking=yes"),
        *("-o", "IdentitiesOnly=yes"),
    ]


def write_inventory(path: Path, plan: LabPlan) -> None:
    """Write the inventory of `plan` with its groups."""
    folder = path.parent
    variables: dict[str, object] = {
        "ansible_user": plan.login,
        "ansible_ssh_private_key_file": f"{folder}/id",
        "ansible_python_interpreter": "/usr/bin/python3",
        "ansible_host_key_checking": True,
        "ansible_ssh_common_args": " ".join(ssh_options(folder)),
        "lab_mode": plan.mode.value,
    }
    if plan.mode is not Mode.ROOT:
        # A plain user's sshd may not give a terminal to the session; the reboot module asks for one.
        variables["ansible_ssh_use_tty"] = False
    if plan.mode is Mode.USER:
        variables["ansible_become"] = False  # inside its namespaces the user is root already, and there is no sudo
    lines = [
        "all:",
        "  vars:",
        *(f"    {name}: {json.dumps(value)}" for name, value in variables.items()),
        "  children:",
    ]
    for group, names in plan.groups().items():
        lines += [f"    {group}:", "      hosts:"]
        lines += [
            f"        {name}: {{ansible_host: {ADDRESS}, ansible_port: {plan.host(name).port}}}" for name in names
        ]
    path.write_text("\n".join(lines) + "\n")


def write_known_hosts(path: Path, plan: LabPlan) -> None:
    """Write the real host key of every host, so that key checking stays on."""
    keys = {
        host.port: (path.parent / "hosts" / host.name / "ssh" / f"{HOST_KEY}.pub").read_text() for host in plan.hosts
    }
    path.write_text("".join(f"[{ADDRESS}]:{port} {' '.join(key.split()[:2])}\n" for port, key in keys.items()))
