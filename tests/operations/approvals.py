"""Changes that need approval, and people who may give it, for tests."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from runner.adapters.seals import AgentSeals
from runner.domain.execution.approval import Approval
from runner.domain.who import Actor
from runner.operations.execution.approve_change import ByHand, approve, offer_by_hand, offer_slot
from runner.operations.execution.choose_slot import SlotNamed
from runner.operations.execution.plan_occurrence import Asking, Plan, plan_occurrence
from tests.operations.a_site import SCHEDULE, SETTINGS, Bench

NORMAL = SCHEDULE + "owner: ana\nchange: {type: normal}\n"
PEOPLE = SETTINGS.replace("teams:", "people: {ana: {}, bob: {}, cem: {}}\nteams:")


def as_(bench: Bench, name: str, **changes: object) -> Bench:
    """The same site, with another person at the keyboard."""
    return bench.but(actor=Actor(name), **changes)


def approved_by(name: str, bench: Bench, schedule: str = "patch", **changes: object) -> Approval:
    """Approve the next slot of a schedule."""
    site = as_(bench, name, **changes).site
    return approve(offer_slot(SlotNamed(schedule), site=site), site=site)


def approved_by_hand(name: str, bench: Bench, *, limit: str | None = None) -> Approval:
    """Approve a run by hand of the plan as it is now."""
    site = as_(bench, name).site
    digest = plan_now(bench, by_hand=True).digest
    return approve(offer_by_hand(ByHand("patch", digest, limit), site=site), site=site)


def plan_now(bench: Bench, *, by_hand: bool = False) -> Plan:
    """What the schedule would do now."""
    return plan_occurrence(
        "patch", Asking(bench.time.now, by_hand=by_hand), definitions=bench.site.current(), site=bench.site
    )


def holds_now(bench: Bench, *, by_hand: bool = False) -> list[str]:
    """What the approval guard says now."""
    return [hold.reason for hold in plan_now(bench, by_hand=by_hand).holds if hold.guard == "approval"]


@dataclass(frozen=True)
class KeyHolder:
    """Somebody's own ssh-agent with one key in it; the private half lies in no file."""

    public_key: str
    socket: str

    @property
    def seals(self) -> AgentSeals:
        return AgentSeals({**os.environ, "SSH_AUTH_SOCK": self.socket})


@contextmanager
def a_key_holder(folder: Path, *, name: str = "bob") -> Iterator[KeyHolder]:
    """A real ssh-agent that holds a new key."""
    folder.mkdir(parents=True, exist_ok=True)
    key, socket = folder / f"{name}-key", folder / f"{name}-agent"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", key], check=True)
    agent = subprocess.Popen(["ssh-agent", "-D", "-a", socket], stdout=subprocess.DEVNULL)
    try:
        while not socket.exists():
            assert agent.poll() is None, "ssh-agent did not start"
        subprocess.run(
            ["ssh-add", "-q", key],
            check=True,
            env={**os.environ, "SSH_AUTH_SOCK": str(socket)},
            stderr=subprocess.DEVNULL,
        )
        key.unlink()
        yield KeyHolder(key.with_name(f"{key.name}.pub").read_text().strip(), str(socket))
    finally:
        agent.terminate()
        agent.wait()
