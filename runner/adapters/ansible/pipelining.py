"""Hands pipelining to single hosts, and only where the user's own configuration says nothing about it.

It is given by an inventory source of ours that stands behind the user's: it names no host that is not there, and leaves out every host for which the inventory,
or the variables beside it, say something themselves.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from runner.adapters.ansible.settings import DEFAULT_INVENTORY_PLUGINS, UserSettings

SETTINGS = (
    ("ANSIBLE_PIPELINING", "defaults", "pipelining"),
    ("ANSIBLE_SSH_PIPELINING", "ssh_connection", "pipelining"),
    ("ANSIBLE_PIPELINING", "connection", "pipelining"),
)
VARIABLE = "pipelining"
ENCRYPTED = b"$ANSIBLE_VAULT"
BESIDE = ("group_vars/**/*", "host_vars/**/*", "group_vars", "host_vars", "roles/*/defaults/**/*")  # may be files, too
PLAIN_NAME = re.compile(r"[A-Za-z0-9_.:-]+")


def says_nothing(environ: Mapping[str, str], *, project: Path, playbook: Path | None, config: str | None) -> bool:
    """Whether the user says nothing about pipelining: in the environment, in ansible.cfg, in variables beside the playbook and in defaults of roles.

    Variable files that are encrypted as a whole may say something, and count as if they did. What plays, tasks and the inventory itself say wins anyhow.
    """
    user = UserSettings({**environ, **({"ANSIBLE_CONFIG": config} if config else {})}, project=project)
    if any(user.get(*setting) is not None for setting in SETTINGS) or not takes_our_source(user):
        return False
    return not any(map(may_say_something, files_beside(project, playbook)))


def takes_our_source(user: UserSettings) -> bool:
    """Whether Ansible would read our source: by the plugin `auto`, or by `constructed` itself."""
    own = user.get("ANSIBLE_INVENTORY_ENABLED", "inventory", "enable_plugins") or DEFAULT_INVENTORY_PLUGINS
    return bool({"auto", "constructed"} & {name.strip().rpartition(".")[2] for name in own.split(",")})


def files_beside(project: Path, playbook: Path | None) -> Iterator[Path]:
    """Files of variables that lie beside the playbook or at the root, and those of roles' defaults."""
    for base in {project, *([playbook.parent] if playbook else [])}:
        for pattern in BESIDE:
            yield from (path for path in base.glob(pattern) if path.is_file())


def may_say_something(path: Path) -> bool:
    """Whether a file of variables says something about pipelining, as far as that can be told."""
    try:
        content = path.read_bytes()
    except OSError:
        return True
    return content.startswith(ENCRYPTED) or VARIABLE.encode() in content


def source_for(hosts: Sequence[str]) -> str:
    """An inventory source by Ansible's plugin `constructed` that sets the variable for these hosts, unless it is set for them.

    For any other host the expression fails, and nothing is set: a name that is not in a mapping is an error to every Ansible, while an `if` without `else`
    is an empty text to those before 2.19, and would take the place of what the user says.
    """
    named = json.dumps({host: True for host in hosts if PLAIN_NAME.fullmatch(host)}).replace(": true", ": True")
    unsaid = "ansible_pipelining is not defined and ansible_ssh_pipelining is not defined"
    lines = [
        "plugin: ansible.builtin.constructed",
        "strict: false",
        "use_vars_plugins: true",
        "compose:",
        f"  ansible_pipelining: {json.dumps(f'({named} if {unsaid} else dict())[inventory_hostname]')}",
    ]
    return "\n".join([*lines, ""])
