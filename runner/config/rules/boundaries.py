"""Boundaries: the windows that they name, which stand in other files than they do."""

from __future__ import annotations

from collections.abc import Iterator

from runner.config.ground import Ground
from runner.config.names import WINDOW
from runner.errors import Problem


def problems(ground: Ground) -> Iterator[Problem]:
    """Windows that nothing declares."""
    settings = ground.declared.settings
    listed = settings.source.at(("boundaries", "never")) if settings else None
    for number in range(len(listed) if isinstance(listed, list) else 0):
        assert settings  # noqa: S101  the list stands there
        yield from ground.names.check(settings, WINDOW, "boundaries", "never", number, "during")
