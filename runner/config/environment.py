"""`${NAME}` in settings, taken from the environment that was handed over."""

from __future__ import annotations

import re
from collections.abc import Mapping

_REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


def references(text: str) -> tuple[str, ...]:
    """The names of the variables that a text refers to."""
    return tuple(dict.fromkeys(_REFERENCE.findall(text)))


def missing(text: str, environ: Mapping[str, str]) -> tuple[str, ...]:
    """The variables that a text refers to and that are not set, or empty."""
    return tuple(name for name in references(text) if not environ.get(name))


def expand(text: str, environ: Mapping[str, str]) -> str:
    """The text with the values of its variables; one that is not set becomes nothing."""
    return _REFERENCE.sub(lambda found: environ.get(found[1], ""), text)
