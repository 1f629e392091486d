"""Finding the maintenance repository: the folder with a wellkept.yml."""

from __future__ import annotations

from pathlib import Path

from runner.config.files import SETTINGS
from runner.errors import UsageError


def find_root(start: Path, *, chosen: Path | None, environ_value: str | None) -> Path:
    """The maintenance repository: `-C DIR`, else WELLKEPT_ROOT, else the nearest folder upwards from `start`.

    Raises UsageError when there is none.
    """
    if chosen is not None:
        return _must_be_root(start / chosen, named_by="-C")
    if environ_value:
        return _must_be_root(start / environ_value, named_by="WELLKEPT_ROOT")
    here = start.resolve()
    for folder in (here, *here.parents):
        if (folder / SETTINGS).is_file():
            return folder
    raise UsageError(
        f"No {SETTINGS} here or above. Go to a maintenance repository, or name it with -C DIR; "
        "`wellkept init DIR` makes one."
    )


def _must_be_root(folder: Path, *, named_by: str) -> Path:
    """A folder that was named must be one."""
    if not folder.is_dir():
        raise UsageError(f"{named_by}: there is no folder {folder}. Check the path; `wellkept init DIR` makes one.")
    if not (folder / SETTINGS).is_file():
        raise UsageError(f"{named_by}: no {SETTINGS} in {folder}. `wellkept init DIR` makes a maintenance repository.")
    return folder.resolve()
