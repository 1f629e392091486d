"""Examines how one host would be reached: by which client and why, whether the login works, and what a look at it says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from runner.domain.execution.look import HostLook, UnreadableLookError, read_look
from runner.errors import BadResult, Unknown, count
from runner.operations.describe_hosts import Inventories, inventory_of
from runner.operations.examine import guarded
from runner.operations.examined import Examined, Standing
from runner.ports import InventoryAnswer, Machinery
from runner.store.database import Store

GIB = 1024**3


Prove = Callable[[str, str, str | None, InventoryAnswer], Iterator[Examined]]  # inventory, host, machine-id


def examine_host(
    host: str, *, inventory: str | None, among: Inventories, machine: Machinery, store: Store, prove: Prove
) -> Iterator[Examined]:
    """Reach the host as a run would, look at it, and prove what only a try can prove; raises NotFound for a host that no inventory has."""
    name = inventory_of(host, inventory, among=among, store=store)
    answer = among.read(name)
    if host not in answer.hosts:
        told = "; ".join(answer.errors) or "it is not there any more"
        yield Examined(f"inventory {name}", Standing.PROBLEM, told, "`wellkept hosts retire` takes it off the record.")
        return
    yield Examined(f"inventory {name}", Standing.OK, f"has {host}")
    looks: list[HostLook] = []
    yield from reach(host, answer.hosts[host], machine, looks)
    for look in looks:
        yield from guarded("pipelining", partial(prove, name, host, look.machine_id, answer))


def reach(host: str, variables: object, machine: Machinery, looks: list[HostLook]) -> Iterator[Examined]:
    """The way there, the login, and the look, which is added to `looks`."""
    known = variables if isinstance(variables, dict) else {}
    try:
        how, why = machine.way(host, known)
        yield Examined("way", Standing.OK, f"{how}: {why}")
        yield from looked(machine.look(host, known), looks)
    except (BadResult, Unknown) as error:
        yield Examined("login", Standing.PROBLEM, str(error), f"See what ssh says: ansible -m ping {host} -vvv")


def looked(text: str, looks: list[HostLook]) -> Iterator[Examined]:
    """The login worked; what the look says."""
    yield Examined("login", Standing.OK, "works")
    try:
        look = read_look(text)
    except UnreadableLookError as error:
        yield Examined(
            "look", Standing.PROBLEM, str(error), "The host needs a POSIX shell with awk, sed, grep and stat."
        )
        return
    looks.append(look)
    yield Examined("look", Standing.OK, in_words(look))
    if look.broken:
        way_out = "Mend them before the next run: dpkg --configure -a, apt-get -f install"
        yield Examined("packages", Standing.PROBLEM, f"not properly installed: {', '.join(look.broken)}", way_out)
    if look.busy:
        yield Examined("busy", Standing.WARNING, "; ".join(look.busy), "A run waits until that has ended.")
    if look.reboot_required:
        yield Examined(
            "reboot", Standing.WARNING, "a reboot is needed", "A schedule with effect: reboot does it in its window."
        )


def in_words(look: HostLook) -> str:
    """What the host is."""
    free = ", ".join(f"{size / GIB:.1f} GiB free on {place}" for place, size in look.free_bytes.items())
    told = [look.system, f"kernel {look.kernel}", count(len(look.packages), "package"), free]
    return ", ".join(part for part in told if part)
