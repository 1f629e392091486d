"""Identifiers that sort by the time at which they were made."""

from __future__ import annotations

import secrets
import time
import uuid


def new_id() -> str:
    """A new UUID of version 7 as text (RFC 9562, section 5.7; the 12 bits after the version hold the part of the millisecond, method 3)."""
    milliseconds, rest = divmod(time.time_ns(), 1_000_000)
    fraction = (rest << 12) // 1_000_000
    random = secrets.randbits(62)
    return str(uuid.UUID(int=milliseconds << 80 | 0x7 << 76 | fraction << 64 | 0b10 << 62 | random))
