"""The room on a disk, as the system tells it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from runner.adapters.disk import free_bytes

MIB = 1024**2


def test_the_room_is_what_others_say_it_is(tmp_path: Path) -> None:
    assert abs(free_bytes(tmp_path) - shutil.disk_usage(tmp_path).free) < 1024 * MIB


def test_the_fullest_of_several_disks_counts(tmp_path: Path) -> None:
    smallest = min(free_bytes(Path("/proc")), free_bytes(tmp_path))

    assert free_bytes(tmp_path, Path("/proc")) == smallest == 0


@pytest.mark.parametrize("folders", [(), ("nowhere",)])
def test_where_nothing_can_be_looked_at_there_is_no_room(tmp_path: Path, folders: tuple[str, ...]) -> None:
    assert free_bytes(*(tmp_path / name for name in folders)) == 0
