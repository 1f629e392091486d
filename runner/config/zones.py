"""Zones by their IANA names; abbreviations and offsets are refused, because they know no summer time or the wrong one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path
from zoneinfo import ZoneInfo, available_timezones

_USUAL = {
    **dict.fromkeys(("CET", "CEST", "MET", "MEZ", "MESZ"), "Europe/Berlin"),
    **dict.fromkeys(("WET", "WEST"), "Europe/Lisbon"),
    **dict.fromkeys(("EET", "EEST"), "Europe/Helsinki"),
    **dict.fromkeys(("GMT", "BST", "GB"), "Europe/London"),
    **dict.fromkeys(("EST", "EDT", "ET", "EST5EDT"), "America/New_York"),
    **dict.fromkeys(("CST", "CDT", "CT", "CST6CDT"), "America/Chicago"),
    **dict.fromkeys(("MST", "MDT", "MT", "MST7MDT"), "America/Denver"),
    **dict.fromkeys(("PST", "PDT", "PT", "PST8PDT"), "America/Los_Angeles"),
    **dict.fromkeys(("HST", "HDT"), "Pacific/Honolulu"),
    **dict.fromkeys(("JST",), "Asia/Tokyo"),
    **dict.fromkeys(("IST",), "Asia/Kolkata"),
    **dict.fromkeys(("AEST", "AEDT"), "Australia/Sydney"),
    **dict.fromkeys(("Z", "UCT", "Zulu", "utc"), "UTC"),
}
_OFFSET = re.compile(r"(UTC|GMT|Etc/GMT)?\s*[+-]\s*\d{1,2}(:?\d\d)?", re.ASCII | re.IGNORECASE)
_NOT_PLACES = ("Etc/", "posix/", "right/", "SystemV/")


@lru_cache(maxsize=1024)
def check_zone(name: str) -> str:
    """Give back an IANA name (or UTC) that this machine knows; raises ValueError with the nearest one."""
    if _OFFSET.fullmatch(name):
        raise ValueError(
            f"{name} is an offset, which knows no summer time. Name a place, such as Europe/Berlin, or UTC"
        )
    if name == "UTC" or ("/" in name and not name.startswith(_NOT_PLACES) and _is_known(name)):
        return name
    if name in _USUAL:
        raise ValueError(f"{name} is an abbreviation, not a place. Write {_USUAL[name]}, or the place you mean")
    nearest = _nearest(name)
    way_out = f"Did you mean {nearest}?" if nearest else "Write an IANA name, such as Europe/Berlin"
    raise ValueError(f"there is no zone {name[:40]!r}. {way_out}")


def system_zone(environ: Mapping[str, str], *, etc: Path = Path("/etc")) -> str:
    """The zone of this machine, from TZ, /etc/timezone or /etc/localtime; UTC when none of them names a place."""
    named = [environ.get("TZ", "").removeprefix(":")]
    with suppress(OSError, UnicodeDecodeError):
        named.append((etc / "timezone").read_text(encoding="utf-8").strip())
    with suppress(OSError, RuntimeError):
        named.append(str((etc / "localtime").resolve()).partition("zoneinfo/")[2])
    for name in named:
        try:
            return check_zone(name)
        except ValueError:
            continue
    return "UTC"


def _is_known(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (LookupError, ValueError, OSError):
        return False
    return True


def _nearest(name: str) -> str | None:
    """The IANA name that was meant: the same but for case, the place alone, or a slip of the pen."""
    places = sorted(zone for zone in available_timezones() if "/" in zone and not zone.startswith(_NOT_PLACES))
    folded = {zone.casefold(): zone for zone in places}
    by_place = {zone.rpartition("/")[2].casefold(): zone for zone in places}
    wanted = name[:80].strip().replace(" ", "_").casefold()
    if found := folded.get(wanted) or by_place.get(wanted):
        return found
    close = get_close_matches(wanted, folded, n=1, cutoff=0.75) or get_close_matches(wanted, by_place, n=1, cutoff=0.75)
    return folded.get(close[0]) or by_place.get(close[0]) if close else None
