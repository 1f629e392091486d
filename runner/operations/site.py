"""The maintenance repository at work: its record, its clocks, and its hands in the outside."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from runner.config import read
from runner.domain.settings import Definitions
from runner.domain.who import Actor, Owner
from runner.errors import FilesInvalid
from runner.ports import (
    AlertSource,
    Clock,
    DateSources,
    Galaxy,
    HostProbe,
    InventoryAnswer,
    InventoryReader,
    Monotonic,
    PlaybookExecutor,
    Seals,
    Signer,
    Snapshots,
    SnapshotTaken,
)
from runner.store.database import Store

# Snapshots whose files are not read again: those of the present files, and of a run that began before an edit.
REMEMBERED = 2


@dataclass(slots=True)
class Snapshotted:
    """What the files in snapshots say, read once per snapshot: a run lives by the files as they were when it was claimed."""

    folder: Path
    environ: Mapping[str, str]
    inventories: InventoryReader
    sources: DateSources | None = None
    definitions: dict[str, Definitions] = field(default_factory=dict)
    answers: dict[tuple[str, str], InventoryAnswer] = field(default_factory=dict)
    good: tuple[Definitions, SnapshotTaken] | None = None

    def keep_good(self, definitions: Definitions, take: Callable[[], SnapshotTaken]) -> None:
        """Take a snapshot of the definitions in force, once, so that a broken edit afterwards stops no schedule."""
        if self.good is None or self.good[0] is not definitions:
            taken = take()
            self.of(taken.digest)
            self.good = (definitions, taken)

    def readable(self, taken: SnapshotTaken) -> SnapshotTaken:
        """The snapshot itself, or, when its files are broken, the last good one; raises FilesInvalid when there is none."""
        try:
            self.of(taken.digest)
        except FilesInvalid:
            if self.good is None:
                raise
            return self.good[1]
        return taken

    def path(self, digest: str) -> Path:
        """Where the snapshot lies."""
        return self.folder / digest

    def of(self, digest: str) -> Definitions:
        """The definitions in a snapshot; those read last are remembered, as thousands of schedules take their room."""
        found = self.definitions.get(digest)
        if found is None:
            found = read(self.path(digest), environ=self.environ, sources=self.sources)
            self.definitions[digest] = found
            for old in list(self.definitions)[:-REMEMBERED]:
                self.definitions.pop(old, None)
        return found

    def read_beside(self, digest: str, texts: Mapping[str, str]) -> Definitions:
        """The definitions in a snapshot together with texts that stand in no file; raises FilesInvalid."""
        return read(self.path(digest), environ=self.environ, beside=texts, sources=self.sources)

    def answer(self, digest: str, inventory: str) -> InventoryAnswer:
        """What an inventory of a snapshot says, asked once."""
        if (digest, inventory) not in self.answers:
            self.answers[digest, inventory] = self.ask(digest, inventory)
        return self.answers[digest, inventory]

    def ask(self, digest: str, inventory: str) -> InventoryAnswer:
        """What an inventory of a snapshot says now."""
        settings = self.of(digest).settings
        return self.inventories.read(settings.inventories[inventory], project=self.path(digest))

    def may_change(self, digest: str, inventory: str) -> bool:
        """Whether an inventory of a snapshot may say something else later, though no snapshot ever changes."""
        source = self.of(digest).settings.inventories[inventory]
        return self.inventories.may_change(source, project=self.path(digest))


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """What operations work with; `owner` is this process, `actor` the login user behind it, `current` the definitions in force now.

    `free_bytes` tells how much room the record has left.
    `is_gone` tells whether a process that owned work no longer exists: False too when that cannot be known from here.
    """

    root: Path
    state_dir: Path
    store: Store
    clock: Clock
    monotonic: Monotonic
    executor: PlaybookExecutor
    inventories: InventoryReader
    probe: HostProbe
    alerts: AlertSource
    snapshots: Snapshots
    snapshotted: Snapshotted
    galaxy: Galaxy
    signer: Signer
    seals: Seals
    owner: Owner
    actor: Actor
    current: Callable[[], Definitions]
    free_bytes: Callable[[], int]
    is_gone: Callable[[Owner], bool]
    control_path: Callable[[str], Path]
    versions: Mapping[str, str]
