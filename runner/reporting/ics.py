"""A calendar as a file that calendar programs subscribe to (RFC 5545): same events, same bytes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

LONGEST = 75  # octets of a line, without its end (RFC 5545, 3.1)
END = "\r\n"
WRITTEN = "19700101T000000Z"  # no moment of writing: the time of the clock would make every answer differ
REFRESH = "PT6H"
_ESCAPED = str.maketrans({"\\": r"\\", ";": r"\;", ",": r"\,", "\n": r"\n"})


@dataclass(frozen=True, slots=True)
class CalendarEvent:
    """One event; `key` names it for good, so that one that moves is the same event at another time."""

    key: tuple[str, ...]
    starts: datetime
    ends: datetime
    summary: str
    description: str
    cancelled: bool = False


def calendar_file(name: str, events: Sequence[CalendarEvent]) -> bytes:
    """The whole file, in UTF-8."""
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Wellkept//Calendar//EN",
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
        f"NAME:{escaped(name)}",  # RFC 7986; the next one is its older name, which more programs read
        f"X-WR-CALNAME:{escaped(name)}",
        f"REFRESH-INTERVAL;VALUE=DURATION:{REFRESH}",
        f"X-PUBLISHED-TTL:{REFRESH}",
        *(line for event in events for line in _event(event)),
        "END:VCALENDAR",
    ]
    return "".join(f"{folded(line)}{END}" for line in lines).encode()


def _event(event: CalendarEvent) -> Iterator[str]:
    yield "BEGIN:VEVENT"
    yield f"UID:{escaped('.'.join(event.key))}@wellkept"
    yield f"DTSTAMP:{WRITTEN}"
    yield f"DTSTART:{_instant(event.starts)}"
    yield f"DTEND:{_instant(event.ends)}"
    yield f"SUMMARY:{escaped(event.summary)}"
    yield f"DESCRIPTION:{escaped(event.description)}"
    yield f"STATUS:{'CANCELLED' if event.cancelled else 'CONFIRMED'}"
    yield "TRANSP:TRANSPARENT"  # whoever subscribes is not made busy by it
    yield "END:VEVENT"


def _instant(instant: datetime) -> str:
    return f"{instant.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def escaped(text: str) -> str:
    """A text as a value; what cannot be printed, but for line ends, is shown as a question mark."""
    plain = "\n".join(text.splitlines())
    return "".join(each if each.isprintable() or each == "\n" else "?" for each in plain).translate(_ESCAPED)


def folded(line: str) -> str:
    """A long line in parts of at most 75 octets, each further one after a blank; no character is cut in two."""
    parts, size = [""], 0
    for character in line:
        octets = len(character.encode())
        if size + octets > LONGEST:
            parts.append(" ")
            size = 1
        parts[-1] += character
        size += octets
    return END.join(parts)
