"""Which hosts are reached by pipelining: those where it was proved, as long as the user's own configuration says nothing about it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from runner.domain.execution.own_ansible import NEVER, AnsibleSettings
from runner.domain.execution.pipelining import Proof, Way, is_proved
from runner.errors import count
from runner.operations.site import Site
from runner.ports import InventoryAnswer
from runner.store.record import observations

KIND = "pipelining"
SAYS = frozenset({"ansible_pipelining", "ansible_ssh_pipelining"})


def pipelined(
    hosts: Iterable[str], inventory: str, ansible: AnsibleSettings, playbook: Path, *, project: Path, site: Site
) -> tuple[str, ...]:
    """Those of the hosts that a call of this playbook may reach by pipelining; of hosts for which the inventory says nothing about it."""
    kept = site.store.read(lambda c: observations.latest(c, inventory, KIND))
    proofs = {host: proof_in(kept[host]) for host in hosts if host in kept}
    way = way_by(ansible, playbook, project=project, site=site) if proofs else None
    if way is None:
        return ()
    machines = site.store.read(lambda c: observations.machine_ids(c, inventory))
    now = site.clock()
    return tuple(
        host for host, proof in proofs.items() if is_proved(proof, machine_id=machines.get(host), way=way, now=now)
    )


def left_open(hosts: Iterable[str], answer: InventoryAnswer) -> tuple[str, ...]:
    """The hosts for which the inventory says nothing about pipelining, not even by a template that only a play can fill."""
    return tuple(host for host in hosts if SAYS.isdisjoint(answer.hosts.get(host, SAYS)))


def way_by(ansible: AnsibleSettings, playbook: Path | None, *, project: Path, site: Site) -> Way | None:
    """By which Ansible hosts would be reached; None where pipelining is switched off, or the user says something about it."""
    if ansible.pipelining == NEVER:
        return None
    version = site.executor.pipelining_by(project=project, playbook=playbook, ansible=ansible)
    return Way(version, ansible.config, ansible.bin) if version else None


def proof_in(seen: observations.Observation) -> Proof:
    """An observation as a proof."""
    value: dict[str, Any] = seen.value
    return Proof(bool(value["works"]), seen.at, seen.machine_id, Way(value["version"], value["config"], value["bin"]))


def as_value(*, works: bool, why: str, way: Way) -> dict[str, object]:
    """What is kept of a try."""
    return {"works": works, "why": why, "version": way.version, "config": way.config, "bin": way.bin}


def pipelining_in_words(hosts: Sequence[str], of: int) -> list[str]:
    """For a plan: where it is used; nothing where it is not."""
    if not hosts:
        return []
    told = f"pipelining on {len(hosts)} of {count(of, 'host')}, where `wellkept doctor HOST` proved it"
    return [f"{told} (ansible_pipelining, by an inventory source behind yours)"]
