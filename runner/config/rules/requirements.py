"""Requirements files: what ansible-galaxy could not read, and what would not be the same from day to day."""

from __future__ import annotations

from collections.abc import Iterator

from runner.config.ground import Ground
from runner.errors import Problem


def problems(ground: Ground) -> Iterator[Problem]:
    """What is wrong with requirements files; nothing when they are left to the user everywhere."""
    yield from ground.requirements.problems
