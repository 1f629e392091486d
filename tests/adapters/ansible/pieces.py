"""Orders, playbooks and looks at the process table for the tests of this folder."""

from __future__ import annotations

import json
import os
import sys
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from runner.adapters.ansible.processes import read_processes
from runner.domain.execution.outcome import Event, EventKind
from runner.ports import PieceEnd, PieceOrder, RunningPiece


@dataclass
class Workshop:
    """A project folder with local hosts, and orders for it."""

    folder: Path
    control_path: Path
    inventory: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ("h1", "h2")
    variables: str = f"ansible_connection=local ansible_python_interpreter={sys.executable}"
    orders: list[PieceOrder] = field(default_factory=list)

    @property
    def project(self) -> Path:
        return self.folder / "project"

    def write(self, name: str, text: str) -> Path:
        path = self.project / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def order(self, playbook: str | Path, **more: object) -> PieceOrder:
        if not self.inventory:
            lines = ["[web]", *(f"{host} {self.variables}" for host in self.hosts)]
            self.inventory = (str(self.write("hosts", "\n".join([*lines, ""]))),)
        path = playbook if isinstance(playbook, Path) else self.write(f"{uuid.uuid4().hex}.yml", playbook)
        piece = str(uuid.uuid4())
        values: dict[str, object] = {
            "run": "run-1",
            "piece": piece,
            "fence": 1,
            "folder": self.folder / piece,
            "control_path": self.control_path,
            "project": self.project,
            "playbook": path,
            "inventory": self.inventory,
            "limit": None,
            **more,
        }
        order = PieceOrder(**values)  # type: ignore[arg-type]
        self.orders.append(order)
        return order


def play(*tasks: str, hosts: str = "web", head: str = "") -> str:
    """A playbook of one play; every task is one line of YAML."""
    lines = [f"- hosts: {hosts}", "  gather_facts: false"]
    lines += [f"  {line}" for line in head.splitlines()] + ["  tasks:"]
    return "\n".join([*lines, *(f"    - {task}" for task in tasks), ""])


def follow(piece: RunningPiece, *, limit: float = 90.0) -> tuple[list[Event], PieceEnd]:
    """Feed a piece and collect its events until its end."""
    events: list[Event] = []
    until = time.monotonic() + limit
    while time.monotonic() < until:
        piece.feed(15)
        events += piece.events(wait=0.5)
        if (end := piece.end()) is not None:
            return events, end
    raise AssertionError(f"the piece did not end within {limit} s; heard {[event.kind for event in events]}")


def follow_until(piece: RunningPiece, wanted: Callable[[Event], bool], *, limit: float = 60.0) -> list[Event]:
    """Feed a piece and collect its events until one is as wanted."""
    events: list[Event] = []
    until = time.monotonic() + limit
    while time.monotonic() < until:
        piece.feed(15)
        events += piece.events(wait=0.2)
        if any(wanted(event) for event in events):
            return events
        assert piece.end() is None, (piece.end(), events)
    raise AssertionError(f"not heard within {limit} s; heard {[event.kind for event in events]}")


def of_kind(events: Sequence[Event], kind: EventKind) -> list[Event]:
    return [event for event in events if event.kind is kind]


def wait_for(what: Callable[[], object], *, limit: float = 30.0) -> None:
    """Wait until something is true."""
    until = time.monotonic() + limit
    while not what():
        assert time.monotonic() < until, f"not so within {limit} s"
        time.sleep(0.05)


def is_here(folder: Path) -> bool:
    """Whether a process is this machine's own, and not one of a lab host's."""
    try:
        return (folder / "ns" / "pid").readlink() == Path("/proc/self/ns/pid").readlink()
    except OSError:
        return False


def marked(order: PieceOrder) -> dict[int, str]:
    """Living processes that carry the piece's mark: pid -> command line."""
    mark = f"WELLKEPT_PIECE={order.piece}:{order.fence}".encode()
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if is_here(folder) and mark in (folder / "environ").read_bytes().split(b"\0"):
                found[int(folder.name)] = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
    return found


def with_words(words: str) -> dict[int, str]:
    """Living processes whose command line contains these words: pid -> command line."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            line = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if words in line and int(folder.name) != os.getpid() and is_here(folder):
            found[int(folder.name)] = line
    return found


def zombies_born_since(instant: float) -> list[int]:
    """Our dead children that nobody has waited for; `instant` in seconds since boot, for we adopt what other tests leave behind."""
    found = []
    for process in read_processes().values():
        is_young = int(process.start) >= instant * os.sysconf("SC_CLK_TCK")
        if process.state == "Z" and process.parent == os.getpid() and is_young:
            found.append(process.pid)
    return found


def owner_order(path: Path, order: PieceOrder) -> Path:
    """An order as a file, for an owner in a process of its own."""
    plain = {
        "run": order.run,
        "piece": order.piece,
        "fence": order.fence,
        "folder": str(order.folder),
        "control_path": str(order.control_path),
        "project": str(order.project),
        "playbook": str(order.playbook),
        "inventory": list(order.inventory),
        "image": order.ansible.image,
    }
    path.write_text(json.dumps(plain))
    return path
