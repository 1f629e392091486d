from __future__ import annotations

import pytest
from hypothesis import settings

from tests import fences

settings.register_profile(
    "usual", deadline=None, max_examples=50
)  # how long an example takes depends on what else the machine does
settings.register_profile("few", deadline=None, max_examples=20)  # for the other Python: the rules are the same there


def pytest_configure(config: pytest.Config) -> None:
    """Before anything is imported that looks for the home folder."""
    config.add_cleanup(fences.put_up())
    if not config.getoption("--hypothesis-profile"):
        settings.load_profile("usual")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes long begins first, so that no worker is left with it at the end; the order within a file stays."""
    items.sort(key=lambda item: not takes_long(item))


def takes_long(item: pytest.Item) -> bool:
    """Whether a test needs real hosts, a browser, or a whole installation."""
    return "acceptance" in item.path.parts or any(
        item.get_closest_marker(name) for name in ("lab", "browser", "container")
    )
