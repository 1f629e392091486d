from __future__ import annotations

from pathlib import Path

import pytest

from runner.adapters.calendars import Calendars
from runner.config import read
from runner.config.settings_alone import read_settings
from runner.errors import FilesInvalid

WORKING = Path(__file__).parents[2] / "docs/reference/files/working"
ENVIRON = {"HOME": "/nowhere", "WELLKEPT_SIGNING_KEY": "/key"}
SETTINGS = "format: 1\norganisation: Example Ltd\ndatabase: sqlite:///var/wellkept.db\nstate_dir: var\n"


def test_it_says_the_same_as_reading_everything() -> None:
    assert read_settings(WORKING, environ=ENVIRON) == read(WORKING, environ=ENVIRON, sources=Calendars()).settings


def test_other_files_may_be_broken(tmp_path: Path) -> None:
    (tmp_path / "wellkept.yml").write_text(SETTINGS)
    (tmp_path / "schedules").mkdir()
    (tmp_path / "schedules/patch.yml").write_text("schedule: [\n")

    assert read_settings(tmp_path, environ={}).organisation == "Example Ltd"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("organisation: [\n", "wellkept.yml:"),
        (f"{SETTINGS}colour: blue\n", "wellkept.yml:5:1: colour"),
        (SETTINGS.replace("sqlite:///var/wellkept.db", "${NOT_SET}"), "NOT_SET is not set"),
    ],
)
def test_its_own_problems_are_told_with_their_place(tmp_path: Path, text: str, problem: str) -> None:
    (tmp_path / "wellkept.yml").write_text(text)

    with pytest.raises(FilesInvalid) as told:
        read_settings(tmp_path, environ={})

    assert problem in str(told.value)


def test_a_file_that_is_not_there_is_a_problem_not_a_crash(tmp_path: Path) -> None:
    with pytest.raises(FilesInvalid, match=r"wellkept\.yml"):
        read_settings(tmp_path, environ={})
