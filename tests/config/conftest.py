"""A small maintenance repository in a temporary folder, to which each test adds its own files."""

from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path

import pytest

from runner.adapters.calendars import Calendars
from runner.config import check
from runner.domain.settings import Definitions
from runner.errors import Problem

Files = Mapping[str, str | bytes]
TODAY = date(2026, 1, 15)

SETTINGS = """\
format: 1
organisation: Example Ltd
defaults: {inventory: production, owner: ana, timezone: Europe/Berlin}
inventories:
  production: {source: inventories/production.yml}
people:
  ana: {mail: ana@example.com}
services:
  web-shop: {title: the web shop, hosts: web}
"""
WINDOWS = """\
windows:
  prod-patch: {day: saturday, start: "22:00", duration: 4h}
"""
SCHEDULE = """\
playbook: playbooks/patch.yml
why: It keeps the shop running.
hosts: web
window: prod-patch
"""
PLAYBOOK = """\
- name: Install updates
  hosts: all
  tasks:
    - ansible.builtin.ping:
"""
USUAL: Files = {
    "wellkept.yml": SETTINGS,
    "inventories/production.yml": "all: {hosts: {web-01: }}\n",
    "playbooks/patch.yml": PLAYBOOK,
    "schedules/windows.yml": WINDOWS,
    "schedules/patch-web.yml": SCHEDULE,
}


@pytest.fixture
def repository(tmp_path: Path) -> Callable[[Files], Path]:
    """Write the usual files, changed and added to by the given ones; empty bytes leave a file out."""

    def write(files: Files) -> Path:
        for name, content in {**USUAL, **files}.items():
            if content != b"":
                path = tmp_path / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return tmp_path

    return write


@pytest.fixture
def checked(repository: Callable[[Files], Path]) -> Callable[..., tuple[Definitions | None, list[str]]]:
    """Check the usual files with the given ones; the definitions, and the problems as text."""

    def run(files: Files, **environ: str) -> tuple[Definitions | None, list[str]]:
        definitions, problems = check(repository(files), environ=environ, today=TODAY, sources=Calendars())
        return definitions, list(map(str, problems))

    return run


@pytest.fixture
def found(repository: Callable[[Files], Path]) -> Callable[..., list[Problem]]:
    """The problems of the usual files with the given ones."""

    def run(files: Files, **environ: str) -> list[Problem]:
        return check(repository(files), environ=environ, today=TODAY, sources=Calendars())[1]

    return run
