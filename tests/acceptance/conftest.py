"""What the tests of whole runs share: real hosts, and maintenance repositories over them."""

from __future__ import annotations

import shutil
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.maintenance import WELLKEPT, Maintenance, New
from tests.acceptance.processes import end_all
from tests.lab.fixtures import lab
from tests.lab.lab import Lab

__all__ = ["lab"]


@pytest.fixture(scope="session")
def laid_out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository as `wellkept init` lays it out, with its database; copies of it save each test a few seconds."""
    folder = tmp_path_factory.mktemp("init") / "maintenance"
    subprocess.run([str(WELLKEPT), "init", str(folder)], check=True, capture_output=True, timeout=120)
    return folder


@pytest.fixture(scope="session")
def new(lab: Lab, laid_out: Path) -> New:
    """Makes a maintenance repository over the lab's hosts, in a folder that is not there yet."""

    def make(root: Path) -> Maintenance:
        shutil.copytree(laid_out, root)
        made = Maintenance(root, lab, mark=f"wk-{uuid.uuid4().hex[:8]}")
        made.lay_out()
        return made

    return make


@pytest.fixture
def site(new: New, tmp_path: Path) -> Iterator[Maintenance]:
    """A maintenance repository of this test's own; nothing of it is left running afterwards."""
    made = new(tmp_path / "maintenance")
    yield made
    end_all(made.root)
    for process in made.started:
        process.wait(10)
