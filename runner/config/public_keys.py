"""Public keys of OpenSSH: whether a line is a whole one that can sign."""

from __future__ import annotations

import base64
import re

_LINE = re.compile(r"(ssh-|ecdsa-|sk-)\S+ \S")
_LENGTH = 4  # bytes of a part's length in the encoded key (RFC 4251, 5)


def problem_of_key(line: str) -> str:
    """What is wrong with a public key, and the way out; nothing when it can be used."""
    if not _LINE.match(line):
        return "is no public key of OpenSSH. Write it in one line: ssh-ed25519 AAAA…"
    kind, encoded, *_ = line.split()
    if "-cert-" in kind or kind == "ssh-dss":
        return f"a key of type {kind} signs no approvals. Write one of type Ed25519, ECDSA, RSA or a security key's"
    if kind_in(encoded) != kind:
        return f"is no whole public key of type {kind}. Copy the whole line from the .pub file, or from ssh-add -L"
    return ""


def kind_in(encoded: str) -> str:
    """The type that an encoded key itself names (RFC 4253, 6.6); nothing when a part of the key is missing."""
    try:
        rest = base64.b64decode(encoded, validate=True)
    except ValueError:
        return ""
    parts: list[bytes] = []
    while rest:
        length = int.from_bytes(rest[:_LENGTH], "big")
        if len(rest) < _LENGTH + length:
            return ""
        parts.append(rest[_LENGTH : _LENGTH + length])
        rest = rest[_LENGTH + length :]
    return parts[0].decode("ascii", "replace") if len(parts) > 1 else ""
