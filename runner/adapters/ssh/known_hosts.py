"""Which keys a known_hosts file holds for a host; the format of sshd(8), SSH_KNOWN_HOSTS FILE FORMAT."""

from __future__ import annotations

import base64
import binascii
import fnmatch
import hashlib
import hmac
from collections.abc import Iterator
from dataclasses import dataclass

_FIELDS = 3
_SSH_PORT = 22


@dataclass(frozen=True, slots=True)
class KnownKey:
    """A key that a host may show, or with a marker, an authority that may sign for it (or a key that is revoked)."""

    kind: str
    key: str
    marker: str = ""


def known_keys(text: str, *, host: str, port: int) -> tuple[KnownKey, ...]:
    """The keys for `host` at `port`; when there is none for a port other than 22, those for the plain name, as OpenSSH does it."""
    name = host.lower()
    first = name if port == _SSH_PORT else f"[{name}]:{port}"
    return tuple(_matching(text, first)) or tuple(_matching(text, name))


def _matching(text: str, name: str) -> Iterator[KnownKey]:
    for line in text.splitlines():
        fields = line.split()
        marker = fields.pop(0) if fields and fields[0].startswith("@") else ""
        if len(fields) >= _FIELDS and not fields[0].startswith("#") and _is_named(name, fields[0]):
            yield KnownKey(fields[1], fields[2], marker)


def _is_named(name: str, patterns: str) -> bool:
    if patterns.startswith("|1|"):
        return _is_hashed(name, patterns)
    listed = [pattern.lower() for pattern in patterns.split(",")]
    if any(pattern.startswith("!") and _fits(name, pattern[1:]) for pattern in listed):
        return False
    return any(_fits(name, pattern) for pattern in listed if not pattern.startswith("!"))


def _fits(name: str, pattern: str) -> bool:
    """Only `*` and `?` are special here; brackets are part of `[name]:port`."""
    return fnmatch.fnmatchcase(name, pattern.replace("[", "[[]"))


def _is_hashed(name: str, hashed: str) -> bool:
    try:
        _, _, salt, digest = hashed.split("|")
        made = hmac.digest(base64.b64decode(salt), name.encode(), hashlib.sha1)
        return hmac.compare_digest(made, base64.b64decode(digest))
    except (ValueError, binascii.Error):
        return False
