"""A workshop per test, in a folder of its own; nothing is left running behind it."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from runner.adapters.ansible import AnsibleExecutor
from runner.adapters.ansible.processes import boottime
from tests.adapters.ansible.pieces import Workshop, marked
from tests.lab.fixtures import fresh_lab, lab

__all__ = ["fresh_lab", "lab"]


@pytest.fixture
def began() -> float:
    """When the test began, in seconds since boot."""
    return boottime()


@pytest.fixture
def workshop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workshop]:
    """A project with two local hosts; the control path is short because unix sockets must be."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("ANSIBLE_REMOTE_TEMP", str(tmp_path / "remote"))
    (tmp_path / "project").mkdir()
    short = Path(tempfile.mkdtemp(prefix="wk"))
    workshop = Workshop(tmp_path, short / "cp")
    yield workshop
    left = [process for order in workshop.orders for process in marked(order).items()]
    shutil.rmtree(short, ignore_errors=True)
    assert not left


@pytest.fixture
def executor(workshop: Workshop) -> Iterator[AnsibleExecutor]:
    """An executor whose runs are finished when the test is over."""
    executor = AnsibleExecutor(home=workshop.folder)
    yield executor
    for run in {order.run for order in workshop.orders}:
        executor.finish_run(run, workshop.control_path)
