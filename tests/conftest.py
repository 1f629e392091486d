from __future__ import annotations

import pytest

from tests import fences


def pytest_configure(config: pytest.Config) -> None:
    """Before anything is imported that looks for the home folder."""
    config.add_cleanup(fences.put_up())


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes long begins first, so that no worker is left with it at the end; the order within a file stays."""
    items.sort(key=lambda item: not any(item.get_closest_marker(name) for name in ("lab", "browser")))
