"""The name that was probably meant."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name nearest to the given one, or None when none is near."""
    names = {candidate.casefold(): candidate for candidate in known}
    close = get_close_matches(name[:80].casefold(), names, n=1, cutoff=0.6)
    return names[close[0]] if close else None


def listed(names: Iterable[str], *, most: int = 8) -> str:
    """Names in a row, cut short when there are many."""
    several = sorted(names)
    return ", ".join(several[:most]) + (" …" if len(several) > most else "")
