"""Public holidays by the package `holidays`, which is an extra: wellkept[holidays]."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from datetime import date
from difflib import get_close_matches
from functools import lru_cache
from typing import TYPE_CHECKING

from runner.domain.time.workdays import DateSource

if TYPE_CHECKING:
    from holidays import HolidayBase

INSTALL = f"the package holidays is not installed here. Install it: {sys.executable} -m pip install 'wellkept[holidays]'; or list the days with dates:"


def read_holidays(country: str, subdivision: str | None) -> DateSource:
    """The holidays of a country, or of a part of it; raises ValueError with the way out."""
    _check(country, subdivision)

    def between(first: date, last: date) -> Iterable[date]:
        return [day for year in range(first.year, last.year + 1) for day in _of_year(country, subdivision, year) if first <= day <= last]  # fmt: skip

    return between


def _check(country: str, subdivision: str | None) -> None:
    """Look whether the package is there and knows both names."""
    try:
        import holidays
    except ImportError:
        raise ValueError(INSTALL) from None
    known = holidays.list_supported_countries()
    if country not in known:
        raise ValueError(f"the package holidays knows no country {country[:40]!r}. {_nearest(country, known)}")
    if subdivision is not None and subdivision not in known[country]:
        raise ValueError(f"the package holidays knows no part {subdivision[:40]!r} of {country}. {_nearest(subdivision, known[country])}")  # fmt: skip


def _nearest(name: str, known: Iterable[str]) -> str:
    """The name that was probably meant, or what there is."""
    names = sorted(known)
    close = [each for each in names if each == name.upper()] or get_close_matches(name.upper(), names, n=1)
    if close:
        return f"Did you mean {close[0]}?"
    several = ", ".join(names[:12]) + (" …" if len(names) > 12 else "")  # noqa: PLR2004  what fits on a line
    return f"It knows {several}" if names else "It knows no parts of it. Remove subdivision"


@lru_cache(maxsize=1024)
def _of_year(country: str, subdivision: str | None, year: int) -> frozenset[date]:
    """The holidays of one year, observed ones included."""
    import holidays

    found: HolidayBase = holidays.country_holidays(country, subdiv=subdivision, years=year)
    return frozenset(found)
