"""Durations as people write them: `45m`, `4h`, `14d`, `2w`, `6mo`, also `1h30m`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta

_PARTS = re.compile(
    r"(?:(?P<months>\d+)mo)?(?:(?P<weeks>\d+)w)?(?:(?P<days>\d+)d)?"
    r"(?:(?P<hours>\d+)h)?(?:(?P<minutes>\d+)m)?(?:(?P<seconds>\d+)s)?",
    re.ASCII,
)
_WORDS = {"months": "mo", "month": "mo", "weeks": "w", "week": "w", "days": "d", "day": "d", "hours": "h", "hour": "h"}
_WORDS |= {"hrs": "h", "hr": "h", "minutes": "m", "minute": "m", "mins": "m", "min": "m"}
_WORDS |= {"seconds": "s", "second": "s", "secs": "s", "sec": "s"}
_LONGEST_TEXT = 40
_LONGEST = timedelta(days=3660)
_DAYS_OF_MONTH = 31


@dataclass(frozen=True, slots=True)
class Duration:
    """A length of time: months and days are nominal (the same wall clock on a later day), `elapsed` is exact.

    The split follows RFC 5545, 3.3.6: `1d` over a change of the clocks may last 23 or 25 hours, `24h` never does.
    """

    months: int = 0
    days: int = 0
    elapsed: timedelta = timedelta(0)

    def as_timedelta(self) -> timedelta:
        """Count a day as 24 hours elapsed; raises ValueError for months, which have no fixed length."""
        if self.months:
            raise ValueError("months have no fixed length here. Write it in days or weeks, such as 30d")
        return timedelta(days=self.days) + self.elapsed


def parse_duration(text: str) -> Duration:
    """Read a duration such as `1h30m`; raises ValueError with the way out."""
    found = _PARTS.fullmatch(text) if len(text) <= _LONGEST_TEXT else None
    if found is None or not text:
        raise ValueError(f"{text[:_LONGEST_TEXT]!r} is not a duration. {_way_out(text)}")
    number = {unit: min(int(digits or 0), 10**9) for unit, digits in found.groupdict().items()}
    duration = Duration(
        months=number["months"],
        days=7 * number["weeks"] + number["days"],
        elapsed=timedelta(hours=number["hours"], minutes=number["minutes"], seconds=number["seconds"]),
    )
    if duration.months * _DAYS_OF_MONTH + duration.days > _LONGEST.days or duration.elapsed > _LONGEST:
        raise ValueError(f"{text!r} is longer than ten years")
    return duration


def parse_timedelta(text: str) -> timedelta:
    """Read a duration of fixed length, a day counting 24 hours; raises ValueError with the way out."""
    return parse_duration(text).as_timedelta()


def describe(span: timedelta) -> str:
    """Write a span as people do, the largest units first: `1h30m`; parts below a second are left out."""
    seconds = int(span.total_seconds())
    if seconds < 0:
        return f"-{describe(-span)}"
    parts = []
    for unit, size in (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)):
        whole, seconds = divmod(seconds, size)
        parts += [f"{whole}{unit}"] if whole else []
    return "".join(parts) or "0m"


def _way_out(text: str) -> str:
    """Guess what was meant by words and spaces (`4 hours`); otherwise show the grammar."""
    short = re.sub(r"[a-z]+", lambda word: _WORDS.get(word[0], word[0]), re.sub(r"[\s,]+", "", text.lower()))
    if len(text) <= _LONGEST_TEXT and short and _PARTS.fullmatch(short):
        return f"Write {short}"
    if clock := re.fullmatch(r"(\d{1,2}):(\d\d)", text, re.ASCII):
        return f"Write {int(clock[1])}h{int(clock[2])}m"
    if re.fullmatch(r"\d+", text, re.ASCII):
        return f"Add its unit: {text}m or {text}h" if len(text) <= len("9999") else "Add its unit"
    return "Write it as 45m, 4h, 14d, 2w, 6mo or 1h30m"
