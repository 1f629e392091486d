"""Pipelining: Ansible sends modules over a connection without writing files first, where that was proved to work."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

FRESH = timedelta(days=30)  # sudoers and shells change; what is older is to be proved anew


@dataclass(frozen=True, slots=True)
class Way:
    """By which Ansible a host is reached: its version, and the configuration and folder of programs that were named for it."""

    version: str
    config: str | None = None
    bin: str | None = None


@dataclass(frozen=True, slots=True)
class Proof:
    """What the last try at a host came to: at which machine, when, and by which Ansible."""

    works: bool
    at: datetime
    machine_id: str | None
    way: Way


def is_proved(proof: Proof | None, *, machine_id: str | None, way: Way, now: datetime) -> bool:
    """Whether pipelining is known to work: it did, lately, on this very machine, by this very Ansible."""
    if proof is None or not proof.works or not proof.machine_id:
        return False
    return proof.machine_id == machine_id and proof.way == way and timedelta(0) <= now - proof.at < FRESH
