"""What an examination is of, and what it finds: each thing is well, worth a look, or a problem with its way out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from runner.domain.settings import Definitions, Settings
from runner.ports import Clock, Galaxy, InventoryReader, Machinery, Signer
from runner.store.database import Store


class Standing(StrEnum):
    """How one thing stands."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Examined:
    """One thing that was looked at: what was found, and the way out when it is not well."""

    what: str
    standing: Standing
    found: str
    way_out: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patient:
    """What is examined; everything that may be broken is asked for only when its turn comes."""

    root: Path
    settings: Callable[[], Settings]
    definitions: Callable[[], Definitions]
    store: Callable[[], Store]
    signer: Callable[[], Signer]
    inventories: Callable[[], InventoryReader]
    machine: Machinery
    galaxy: Galaxy
    clock: Clock
