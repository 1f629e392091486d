from __future__ import annotations

import pytest

from tests import fences


def pytest_configure(config: pytest.Config) -> None:
    """Before anything is imported that looks for the home folder."""
    config.add_cleanup(fences.put_up())
