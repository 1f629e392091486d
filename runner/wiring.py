"""The only place that knows which adapter is which; everything is made when it is first asked for."""

from __future__ import annotations

import os
import threading
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from runner.adapters.calendars import Calendars
from runner.adapters.zone import now

if TYPE_CHECKING:
    from runner.adapters.dispatch.inline import Inline
    from runner.adapters.secrets import Known
    from runner.domain.settings import Definitions, Settings
    from runner.domain.who import Actor
    from runner.operations.site import Site
    from runner.ports import Galaxy, InventoryReader, Machinery, Signer
    from runner.store.database import Store


class App:
    """One maintenance repository, opened for one command or one daemon."""

    def __init__(self, chosen: Path | None) -> None:
        """`chosen` is the folder named by -C; otherwise WELLKEPT_ROOT, or the nearest wellkept.yml above."""
        self.chosen = chosen
        self.environ, self.clock = os.environ, now
        self.stopping, self.sources = threading.Event(), Calendars()

    @cached_property
    def root(self) -> Path:
        """The maintenance repository's folder."""
        from runner.config import find_root

        return find_root(Path.cwd(), chosen=self.chosen, environ_value=self.environ.get("WELLKEPT_ROOT"))

    @cached_property
    def definitions(self) -> Definitions:
        """Everything that the files say; raises FilesInvalid with every problem."""
        from runner.config import read

        return read(self.root, environ=self.environ, sources=self.sources)

    @cached_property
    def settings(self) -> Settings:
        """What wellkept.yml says; it is known while other files are broken, too."""
        from runner.config.settings_alone import read_settings

        return read_settings(self.root, environ=self.environ)

    @cached_property
    def actor(self) -> Actor:
        """The login user behind this process."""
        from runner.adapters.processes import login_actor

        return login_actor(self.environ)

    @cached_property
    def store(self) -> Store:
        """The record."""
        from runner.store.database import Store

        return Store.open(self.settings.database, state_dir=self.settings.state_dir)

    @cached_property
    def signer(self) -> Signer:
        """The key that checkpoints are signed with; one is made in the state folder when the settings name none."""
        from runner.adapters.signing import signer

        return signer(self.settings.signing_key, state_dir=self.settings.state_dir, environ=self.environ)

    def verify_signature(self, message: bytes, signature: str, public_key: str, approver: str | None = None) -> bool:
        """Whether that key made the signature, as stock `ssh-keygen -Y verify` sees it: of the record, or of a person's approval."""
        from runner.adapters.signing import verify

        return verify(message, signature, public_key=public_key, environ=self.environ, approver=approver)

    @cached_property
    def inventories(self) -> InventoryReader:
        """Hosts as Ansible sees them; vault passwords are looked up only when they are needed."""
        return self.secrets.inventories(self.galaxy.folder_for)

    @cached_property
    def galaxy(self) -> Galaxy:
        """Roles and collections that requirements files name, as they are installed."""
        from runner.adapters.requirements import AnsibleGalaxy

        return AnsibleGalaxy(lambda: self.settings, self.environ, self.clock, redacted=self.secrets.redacted)

    @cached_property
    def secrets(self) -> Known:
        """Secrets by reference; nothing is looked up before it is needed."""
        from runner.adapters.secrets import Known

        return Known(lambda: self.settings, environ=self.environ, cwd=self.root)

    @cached_property
    def machine(self) -> Machinery:
        """The machine that we run on, and its ways to hosts."""
        from runner.adapters.machine import Machine

        return Machine(self.root, environ=self.environ, known=self.secrets)

    @cached_property
    def site(self) -> Site:
        """The maintenance repository at work."""
        from runner.adapters import alerts, disk, on_demand, processes, seals, snapshots, versions
        from runner.adapters.ansible import AnsibleExecutor, boottime
        from runner.operations.site import Site, Snapshotted
        from runner.operations.time import once_schedules, reload

        state, known, store = self.settings.state_dir, self.secrets, self.store
        environ, clock = self.environ, self.clock
        files = reload.InForce(self.root, environ=environ, first=self.definitions, sources=self.sources)
        return Site(
            root=self.root,
            state_dir=state,
            store=store,
            clock=clock,
            monotonic=boottime,
            executor=AnsibleExecutor(home=state, hidden=known.hidden),
            inventories=self.inventories,
            alerts=alerts.Alertmanagers(self.root, environ=environ),
            probe=on_demand.ProbeOnDemand(project=self.root, environ=environ, known=known),
            snapshots=snapshots.FileSnapshots(state, environ, clock, leave_out=store.files, secret=known.files),
            snapshotted=Snapshotted(state / "snapshots", environ, self.inventories, self.sources),
            galaxy=self.galaxy,
            signer=self.signer,
            seals=seals.AgentSeals(environ),
            owner=processes.this_process(),
            actor=self.actor,
            current=once_schedules.WithOnce(files, store=store, clock=clock).current,
            free_bytes=lambda: disk.free_bytes(state, *(file.parent for file in store.files)),
            is_gone=processes.is_gone,
            control_path=lambda run: processes.control_folder(state, run),
            versions=versions.versions(),
        )

    @cached_property
    def dispatcher(self) -> Inline:
        """Pieces are done in threads of this process."""
        from runner.adapters.dispatch.inline import Inline
        from runner.operations.execution.carry_out import carry_out

        return Inline(lambda one: carry_out(one, site=self.site, dispatcher=self.dispatcher, stopping=self.stopping))
