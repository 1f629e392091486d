"""The door to Ansible: starts pieces below their run's leash, reads what they left, ends what nobody owns."""

from __future__ import annotations

import json
import logging
import os
import shutil
import sys
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path

from runner.adapters.ansible import processes
from runner.adapters.ansible.containers import removal
from runner.adapters.ansible.events import event_of
from runner.adapters.ansible.feeder import LeashLine, close_masters, disown
from runner.adapters.ansible.isolation import container_name, without_image
from runner.adapters.ansible.piece import LeashedPiece
from runner.adapters.ansible.pipelining import says_nothing
from runner.adapters.ansible.processes import Found
from runner.adapters.ansible.settings import what_is_added
from runner.adapters.ansible.spool import SPOOL, create_spool, read_whole
from runner.adapters.ansible.stray_containers import end_stray_containers, note_container, note_of
from runner.adapters.ansible.strays import end_strays
from runner.adapters.processes import make_private
from runner.adapters.programs import ansible_version
from runner.domain.execution.outcome import Event
from runner.domain.execution.own_ansible import PODMAN, AnsibleSettings
from runner.domain.settings import SecretSource
from runner.errors import InternalError, UsageError
from runner.ports import PieceOrder, Strays

LONGEST_SOCKET = 107  # bytes of a unix socket's path on Linux
SOCKET_NAME = 1 + 10 + 17  # a slash, Ansible's name for it, and what ssh appends while it opens it
STARTED_WITHIN = 10.0
BOOT = "import sys; sys.path.insert(0, sys.argv[1]); from runner.adapters.ansible.executor import main; sys.exit(main(sys.argv[2]))"
ROOT = Path(__file__).parents[3]

log = logging.getLogger(__name__)


class AnsibleExecutor:
    """A `PlaybookExecutor`; runs side by side are safe, pieces of one run come one after another."""

    look_playbook: Path = Path(__file__).parent / "look" / "look.yml"

    def __init__(
        self,
        *,
        python: str = sys.executable,
        home: Path | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        hidden: Callable[[], Collection[str]] = tuple,
    ) -> None:
        """`python` runs the executor and needs ansible-runner; the user's Ansible may live elsewhere.

        `home` is the folder below which this installation's pieces lie: strays are ended only there, since another installation
        on the same machine has live pieces that this one knows nothing of. `hidden` gives values that are to be kept out of every
        record beside the secrets of the order itself.
        """
        self._home, self._hidden = home, hidden
        self._python, self._monotonic = python, monotonic
        self._lines: dict[str, LeashLine] = {}
        self._lock = threading.Lock()

    def in_the_way(self, ansible: AnsibleSettings) -> str:
        """Why nothing could be started with this Ansible now, as the image that it lives in is not on this machine; empty when it could."""
        return without_image(ansible.engine or PODMAN, ansible.image) if ansible.image else ""

    def start(self, order: PieceOrder) -> LeashedPiece:
        """Start one piece below its run's leash (the leash is started with the run's first piece).

        Raises UsageError for a control path that is too long for ssh, and InternalError when the piece was started before, or
        another one of its run is still going on.
        """
        refuse_nonsense(order)
        self._refuse_two_at_once(order)
        spool = self._prepare(order)
        line = self._line_that_runs(order, spool)
        limit = None if order.time_limit is None else order.time_limit.total_seconds()
        note = note_of(self._home, piece=order.piece, fence=order.fence) if self._home else None
        return LeashedPiece(
            line=line, spool=spool, stop=stop_file(order), note=note, time_limit=limit, monotonic=self._monotonic
        )

    def _refuse_two_at_once(self, order: PieceOrder) -> None:
        with self._lock:
            line = self._lines.get(order.run)
        if line and line.is_busy:
            raise InternalError(
                f"run {order.run}: a piece is still going on; the pieces of a run come one after another"
            )

    def _prepare(self, order: PieceOrder) -> Path:
        make_private(order.folder)
        order.folder.chmod(0o700)
        spool = order.folder / SPOOL
        try:
            create_spool(spool)
        except FileExistsError:
            raise InternalError(
                f"{order.folder}: this piece was started before; every attempt needs a folder of its own"
            ) from None
        if order.limit is not None:
            write_private(order.folder / "limit", "".join(f"{host}\n" for host in order.limit))
        return spool

    def _write_order(self, order: PieceOrder) -> None:
        shutil.rmtree(private_folder(order), ignore_errors=True)
        private_folder(order).mkdir(mode=0o700)
        text = json.dumps(as_record(order, flush_cache=self._flushes(order), hidden=self._hidden()))
        write_private(private_folder(order) / "order.json", text)
        if order.ansible.image and self._home:
            note_container(self._home, piece=order.piece, fence=order.fence, argv=removal_of(order))

    def _flushes(self, order: PieceOrder) -> bool:
        return not order.check and order.playbook != self.look_playbook

    def _line_that_runs(self, order: PieceOrder, spool: Path) -> LeashLine:
        line = self._ordered(order)
        if line.is_over and line.heard.started is None and not spool.stat().st_size:
            log.warning(
                "the leash of run %s had just ended; a new one is started", order.run, extra={"action": "leash.renew"}
            )
            line = self._ordered(order)
        return line

    def _ordered(self, order: PieceOrder) -> LeashLine:
        line = self._line(order)
        self._write_order(order)
        line.run(self._command(order), marker=marker(order), private=private_folder(order), container=removal_of(order))
        until = self._monotonic() + STARTED_WITHIN
        while line.heard.started is None and not line.is_over and self._monotonic() < until:
            line.listen(0.2)
        return line

    def _line(self, order: PieceOrder) -> LeashLine:
        with self._lock:
            line = self._lines.get(order.run)
            if line:
                line.listen(0)
            if line is None or line.is_over:
                if line:
                    line.quit()
                line = LeashLine(control_path=order.control_path, monotonic=self._monotonic)
                self._lines[order.run] = line
            return line

    def _command(self, order: PieceOrder) -> dict[str, object]:
        private = private_folder(order)
        return {
            "argv": [self._python, "-P", "-c", BOOT, str(ROOT), str(private / "order.json")],
            "env": {"WELLKEPT_PIECE": marker(order), "WELLKEPT_PRIVATE": str(private)},
            "log": str(order.folder / "executor.log"),
            "private": str(private),
        }

    def drain(self, folder: Path, *, offset: int) -> Iterator[Event]:
        """The events that a piece left in its spool after `offset`, when its executor is gone; a torn last line is left out, and logged.

        Removes what may be left of the piece's private folder.
        """
        shutil.rmtree(folder / "private", ignore_errors=True)
        spool = folder / SPOOL
        if not spool.exists():
            return
        for line in read_whole(spool, offset=offset):
            if isinstance(line, str):
                log.warning("%s: %s", spool, line, extra={"action": "spool.torn"})
            else:
                yield event_of(line)

    def end_strays(self, *, live: Callable[[], Collection[tuple[str, int]]]) -> Strays:
        """End every process on this machine that is marked with a piece and fence that is not in `live`, ssh masters included."""
        strays = end_strays(live, home=self._home)
        left = tuple(end_stray_containers(live, home=self._home)) if self._home else ()
        return Strays(strays.ended, (*strays.left, *left))

    def finish_run(self, run: str, control_path: Path) -> bool:
        """Close the run's ssh masters and its leash; True when nothing of it is left."""
        with self._lock:
            line = self._lines.pop(run, None)
        return line.quit() if line else close_without_leash(control_path)

    def pipelining_by(self, *, project: Path, playbook: Path | None, ansible: AnsibleSettings) -> str | None:
        """The version of the Ansible that would be called; None where the user's own configuration says anything about pipelining."""
        if ansible.image or not says_nothing(os.environ, project=project, playbook=playbook, config=ansible.config):
            return None  # what the Ansible in an image says about it cannot be read from here
        return ansible_version(project=project, folder=ansible.bin, environ=os.environ) or None

    def what_is_added(
        self,
        *,
        project: Path,
        ansible: AnsibleSettings,
        environ: Mapping[str, str] | None = None,
        requirements: Path | None = None,
    ) -> tuple[str, ...]:
        """What Wellkept adds to the user's own Ansible, one sentence each, so that a plan can say it."""
        own = os.environ if environ is None else environ
        return what_is_added(
            own,
            project=project,
            config=ansible.config,
            programs=ansible.bin,
            requirements=requirements,
            image=ansible.image,
        )


def refuse_nonsense(order: PieceOrder) -> None:
    """Refuse an order that could do something else than it says."""
    if order.limit is not None and not order.limit:
        raise InternalError(f"piece {order.piece}: an empty limit; Ansible would take it for all hosts")
    if len(os.fsencode(order.control_path)) + SOCKET_NAME > LONGEST_SOCKET:
        raise UsageError(
            f"{order.control_path}: the path is too long for ssh's sockets by "
            f"{len(os.fsencode(order.control_path)) + SOCKET_NAME - LONGEST_SOCKET} bytes. Use a shorter folder (state_dir in wellkept.yml)."
        )


def removal_of(order: PieceOrder) -> list[str]:
    """How the piece's container is removed; nothing for a piece without one."""
    name = container_name(marker(order))
    return removal(order.ansible.engine or PODMAN, name) if order.ansible.image else []


def private_folder(order: PieceOrder) -> Path:
    """Where everything lies that may hold a secret; gone when the piece is."""
    return order.folder / "private"


def stop_file(order: PieceOrder) -> Path:
    """The file whose appearance stops the piece softly."""
    return order.folder / "stop"


def marker(order: PieceOrder) -> str:
    """What every process of the piece carries in its environment."""
    return f"{order.piece}:{order.fence}"


def as_record(order: PieceOrder, *, flush_cache: bool, hidden: Collection[str] = ()) -> dict[str, object]:
    """The order as the executor reads it; secrets stay references, but for `hidden`: what stands in no reference, and must not be recorded either."""
    return {
        "private": str(private_folder(order)),
        "spool": str(order.folder / SPOOL),
        "stop": str(stop_file(order)),
        "limit": None if order.limit is None else str(order.folder / "limit"),
        "control_path": str(order.control_path),
        "project": str(order.project),
        "playbook": str(order.playbook),
        "inventory": list(order.inventory),
        "extra_vars": dict(order.extra_vars),
        "tags": list(order.tags),
        "skip_tags": list(order.skip_tags),
        "forks": order.forks,
        "check": order.check,
        "diff": order.diff,
        "flush_cache": flush_cache,
        "config": order.ansible.config,
        "programs": order.ansible.bin,
        "image": order.ansible.image,
        "engine": order.ansible.engine or PODMAN,
        "mounts": list(order.ansible.mounts),
        "marker": marker(order),
        "requirements": str(order.requirements) if order.requirements else None,
        "vault": sources(order.secrets.vault),
        "become": sources(order.secrets.become),
        "become_hosts": {name: list(hosts) for name, hosts in order.become_hosts.items()},
        "login": sources(order.secrets.login),
        "login_hosts": {name: list(hosts) for name, hosts in order.login_hosts.items()},
        "hidden": list(hidden),
        "pipelined": list(order.pipelined),
    }


def sources(secrets: Mapping[str, SecretSource]) -> dict[str, dict[str, str | None]]:
    """References to secrets, for JSON; also those that no host of this piece needs, for a playbook may come upon them all the same."""
    return {name: asdict(source) for name, source in secrets.items()}


def write_private(path: Path, text: str) -> None:
    """Write a new file that only its owner can read."""
    path.touch(mode=0o600, exist_ok=False)
    path.write_text(text, encoding="utf-8")


def close_without_leash(control_path: Path) -> bool:
    """Close the masters of a run whose leash is not ours, or is gone already."""
    close_masters(control_path)

    def look(known: set[tuple[int, str]]) -> Found:
        table = processes.read_processes()
        found = {pid: each for pid, each in table.items() if processes.is_master(pid, str(control_path))}
        return processes.sort_out(found, table, known)

    swept = processes.sweep(look, between=lambda: None)
    disown(control_path)
    return not swept.left
