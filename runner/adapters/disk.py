"""How much room is left on disks."""

from __future__ import annotations

import os
from pathlib import Path


def free_bytes(*folders: Path) -> int:
    """The room that is left for us where there is least of it, in bytes; a folder that cannot be looked at has none."""
    return min((free_in(folder) for folder in folders), default=0)


def free_in(folder: Path) -> int:
    """The room for us on one folder's file system, in bytes."""
    try:
        space = os.statvfs(folder)
    except OSError:
        return 0
    return space.f_bavail * space.f_frsize
