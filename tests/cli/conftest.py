from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from runner.adapters import processes
from runner.cli.funnel import run
from runner.store.database import Store, create

SETTINGS = """\
format: 1
organisation: Example Ltd
database: sqlite:///var/wellkept.db
state_dir: var
defaults: {inventory: production, owner: ops, timezone: Europe/Berlin}
inventories:
  production: {source: hosts.ini}
people: {ana: {}}
teams: {ops: {members: [ana]}}
services: {shop: {title: the web shop, hosts: web, owner: ops}}
"""
WINDOWS = """\
windows:
  saturday-night: {day: saturday, start: "22:00", until: "04:00", cutoff: 45m}
"""
SCHEDULE = """\
schedule: patch
title: Updates of all servers
why: Closes known holes.
playbook: playbooks/patch.yml
hosts: all
window: saturday-night
"""
HEALTH = """\
health:
  answers: {probe: ssh, run: "true", hosts: web, every: 1m}
  load: {probe: ssh, run: "echo load 85", number: 'load (\\d+)', warn: "> 80", fail: "> 92", hosts: web1, every: 5m}
"""
INVENTORY = """\
[web]
web1 ansible_connection=local
web2 ansible_connection=local
[db]
db1 ansible_connection=local
"""
PLAYBOOK = "- {name: Patch, hosts: all, tasks: [{name: Upgrade, ansible.builtin.apt: {upgrade: dist}}]}\n"
FILES = {
    "wellkept.yml": SETTINGS,
    "hosts.ini": INVENTORY,
    "schedules/windows.yml": WINDOWS,
    "schedules/patch.yml": SCHEDULE,
    "schedules/health.yml": HEALTH,
    "playbooks/patch.yml": PLAYBOOK,
}


@dataclass(frozen=True)
class Answered:
    """What a command line said, and its exit code."""

    code: int
    out: str
    err: str

    def json(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self.out)
        assert document["version"] == 1
        return document


@dataclass(frozen=True)
class Repository:
    """A maintenance repository on disk, and a way to call `wellkept` in it."""

    root: Path
    capture: pytest.CaptureFixture[str]

    def __call__(self, *arguments: str) -> Answered:
        self.capture.readouterr()
        code = run(["-C", str(self.root), *arguments])
        said = self.capture.readouterr()
        assert "Traceback" not in said.out + said.err
        return Answered(code, said.out, said.err)

    def write(self, name: str, text: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    @property
    def url(self) -> str:
        return f"sqlite:///{self.root}/var/wellkept.db"

    @property
    def store(self) -> Store:
        return Store.open(self.url, state_dir=self.root / "var")


@pytest.fixture
def short_folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Folders for ssh's sockets, which need a short path, go away with the test."""
    with tempfile.TemporaryDirectory(prefix="wk-", dir="/tmp") as folder:
        monkeypatch.setattr(processes, "SHORT_PLACES", (folder,))
        yield


@pytest.fixture
def bare(tmp_path: Path, capsys: pytest.CaptureFixture[str], short_folder: None) -> Repository:
    """A maintenance repository without a database."""
    repository = Repository(tmp_path / "maintenance", capsys)
    for name, text in FILES.items():
        repository.write(name, text)
    return repository


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state folder with a database made once by the migrations."""
    folder = tmp_path_factory.mktemp("template")
    create(f"sqlite:///{folder}/wellkept.db", state_dir=folder, now=datetime.now(UTC))
    return folder


@pytest.fixture
def wellkept(bare: Repository, template: Path) -> Repository:
    """A maintenance repository with a fresh database."""
    shutil.copytree(template, bare.root / "var")
    return bare
