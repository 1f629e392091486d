"""Wellkept as a user installs it: a wheel, an empty virtual environment, and the first four commands."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def wellkept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command, installed from a wheel of this checkout into an empty virtual environment."""
    folder = tmp_path_factory.mktemp("installed")
    quiet = ("--quiet", "--disable-pip-version-check", "--no-input")
    python = folder / "venv" / "bin" / "python"
    run([sys.executable, "-m", "venv", str(folder / "venv")])
    run([str(python), "-m", "pip", "wheel", *quiet, "--no-deps", "--wheel-dir", str(folder), str(ROOT)])
    run([str(python), "-m", "pip", "install", *quiet, str(next(folder.glob("wellkept-*.whl")))])
    return python.with_name("wellkept")


def run(command: list[str], *, cwd: Path = Path("/")) -> str:
    """Run a program away from the checkout, as a user without our environment; gives what it said."""
    environment = {
        key: value for key, value in os.environ.items() if not key.startswith(("WELLKEPT", "PYTHON", "VIRTUAL"))
    }
    answer = subprocess.run(command, check=False, capture_output=True, text=True, cwd=cwd, env=environment, timeout=280)
    assert answer.returncode == 0, f"{command}:\n{answer.stdout}{answer.stderr}"
    return answer.stdout


def test_a_new_repository_is_valid_and_shows_its_calendar_from_every_folder_in_it(
    wellkept: Path, tmp_path: Path
) -> None:
    run([str(wellkept), "init", "maintenance"], cwd=tmp_path)
    repository = tmp_path / "maintenance"
    below = repository / "playbooks" / "health"
    calendar = [str(wellkept), "calendar", "--from", "2026-01-01", "--to", "2026-02-01", "--format", "json"]

    valid = run([str(wellkept), "validate"], cwd=repository)
    here, there = (run(calendar, cwd=folder) for folder in (repository, below))
    run([str(wellkept), "status"], cwd=below)

    assert "All files are valid." in valid
    assert here == there
    assert '"facts"' in here
    assert [path.relative_to(tmp_path) for path in tmp_path.rglob("wellkept.db")] == [
        Path("maintenance/var/wellkept.db")
    ]
