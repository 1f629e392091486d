"""The versions that are recorded with every run."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from zoneinfo import TZPATH

from runner import __version__


def versions() -> dict[str, str]:
    """Versions of ourselves, Python, ansible-core, ansible-runner and the time zone data."""
    return {
        "wellkept": __version__,
        "python": platform.python_version(),
        "ansible_core": installed("ansible-core"),
        "ansible_runner": installed("ansible-runner"),
        "tzdata": tzdata_version(),
    }


def installed(distribution: str) -> str:
    """The version of an installed distribution, or nothing."""
    try:
        return version(distribution)
    except PackageNotFoundError:
        return ""


def tzdata_version() -> str:
    """The release of the time zone data that zoneinfo uses: the system's, else the package's."""
    for folder in TZPATH:
        for name in ("+VERSION", "tzdata.zi"):
            path = Path(folder, name)
            if path.is_file():
                with path.open(encoding="ascii", errors="replace") as text:
                    return text.readline().removeprefix("# version ").strip()
    return installed("tzdata")
