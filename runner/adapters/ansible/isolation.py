"""What a piece that runs in a container finds there: the same paths as outside, and no more of this machine than it needs."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from runner.adapters.ansible.settings import CALLBACKS
from runner.adapters.programs import run_program

HOME_INSIDE = "/root"  # of the user that a container's processes have
OF_SSH = (
    "ssh_config",
    "ssh_config.d",
    "ssh_known_hosts",
)  # below /etc/ssh; the keys of this machine's own sshd are none of them
ASK_WITHIN = 20.0  # seconds
HANDED_ON = ("WELLKEPT_PIECE", "SSH_AUTH_SOCK")
INVENTORY_INSIDE = "/runner/inventory"  # what ansible-runner names there, whatever it was told

Order = Mapping[str, Any]


def isolation(order: Order, environ: Mapping[str, str]) -> dict[str, object]:
    """What ansible-runner must be told; nothing for a piece that runs on this machine itself."""
    if not order["image"]:
        return {}
    return {
        "process_isolation": True,
        "process_isolation_executable": order["engine"],
        "container_image": order["image"],
        "container_workdir": order["project"],
        "container_volume_mounts": list(mounts(order, environ)),
        "container_options": [
            "--pull=never",  # a piece fetches nothing
            "--network=host",  # hosts are reached as they are without a container
            "--security-opt=label=disable",  # what is mounted is not relabelled: it is the user's
            f"--label=wellkept.piece={order['marker']}",
        ],
        "ident": identity(order["marker"]),
    }


def identity(marker: str) -> str:
    """What ansible-runner names a piece's artefacts and container by."""
    return marker.replace(":", "-")


def container_name(marker: str) -> str:
    """The name that ansible-runner gives to the container of a piece."""
    return f"ansible_runner_{identity(marker)}"


def environment_inside(added: Mapping[str, str], environ: Mapping[str, str]) -> dict[str, str]:
    """What is added to Ansible's environment in a container: what the user has set for Ansible, and what we add, but for the programs of this machine."""
    own = {name: value for name, value in environ.items() if is_handed_on(name)}
    return {**own, **{name: value for name, value in added.items() if name != "PATH"}}


def is_handed_on(name: str) -> bool:
    """Whether a variable of our environment has a meaning for a playbook; tokens of Galaxy servers have none."""
    return name in HANDED_ON or (name.startswith("ANSIBLE_") and not name.startswith("ANSIBLE_GALAXY"))


def with_inventories(command: list[str], inventories: list[str]) -> list[str]:
    """ansible-runner's command with our inventories in the place of the one that it expects in the container."""
    if INVENTORY_INSIDE not in command:
        return command
    place = command.index(INVENTORY_INSIDE) - 1
    named = [word for inventory in inventories for word in ("-i", inventory)]
    return [*command[:place], *named, *command[place + 2 :]]


def mounts(order: Order, environ: Mapping[str, str]) -> Iterator[str]:
    """Folders and files that the container has at the same place, as `FROM:TO:HOW`; only the folder of ssh's sockets may be written to."""
    project = Path(order["project"])
    yield f"{order['control_path']}:{order['control_path']}:rw"
    for path in dict.fromkeys([*needed(order, environ), *links_out(project), *map(str, order["mounts"])]):
        if os.path.exists(path):  # noqa: PTH110
            yield f"{path}:{path}:ro"
    home = Path(environ.get("HOME", HOME_INSIDE), ".ssh")
    if home.is_dir():
        yield f"{home}:{HOME_INSIDE}/.ssh:ro"
    if agent := environ.get("SSH_AUTH_SOCK"):
        yield f"{agent}:{agent}:ro"


def needed(order: Order, environ: Mapping[str, str]) -> Iterator[str]:
    """What every piece needs: its files, its own folder, our callback, ssh's settings of this machine; configuration and inventory where they lie outside."""
    project = Path(order["project"])
    yield from (str(project), str(Path(order["private"]).parent), str(CALLBACKS))
    if order["requirements"]:
        yield order["requirements"]
    config = Path(order["config"] or environ.get("ANSIBLE_CONFIG") or ".")
    if config.is_absolute() and not config.is_relative_to(project):
        yield str(config)
    if not Path(order["playbook"]).is_relative_to(project):
        yield str(Path(order["playbook"]).parent)
    yield from (source for source in order["inventory"] if not Path(source).is_relative_to(project))
    yield from (f"/etc/ssh/{name}" for name in OF_SSH)


def links_out(project: Path) -> Iterator[str]:
    """What links of the copy lead to outside of it, such as files of passwords, which are never copied."""
    for where, folders, files in os.walk(project):
        for name in (*folders, *files):
            path = Path(where, name)
            if path.is_symlink() and (target := path.readlink()).is_absolute():
                yield str(target)


def without_image(engine: str, image: str) -> str:
    """What is wrong with running that image by that engine here; empty when it can be."""
    argv = [engine, "image", "inspect", "--format", "{{.Id}}", image]
    try:
        ran = run_program(argv, environ=os.environ, time_limit=ASK_WITHIN)
    except OSError as error:
        return f"{engine}, which is to run the image {image}, cannot be started: {error.strerror}"
    return "" if ran.succeeded else f"the image {image} cannot be run: {engine} says: {ran.words}"
