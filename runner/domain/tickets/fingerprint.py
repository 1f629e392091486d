"""What makes two failures the same: a message without what changes from time to time, and one short name for place and message."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping

FINGERPRINT_VERSION = 1
SIGNATURE_LINES = 3
SIGNATURE_LENGTH = 300
NOTHING = "<nothing>"

PROGRESS = re.compile(
    r"^(\(Reading database|Errors were encountered|Get:\d|Ign:\d|Hit:\d|Reading |Building |Calculating |Waiting for cache lock|Shared connection to )"
)
BLAMING = re.compile(
    r"^\s*(E:|dpkg: |error|fatal)|no space left|error processing|installed \S+ package \S+ script", re.IGNORECASE
)
TRACEBACK = re.compile(r"traceback \(most recent call last\)", re.IGNORECASE)

SUBSTITUTIONS: tuple[tuple[str, str], ...] = (
    (r"\x1b\[[0-9;]*[a-z]", ""),
    (r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", "<id>"),
    (r"\[?(?<![\w.])\d{1,3}(\.\d{1,3}){3}\]?(:\d+)?(?![\w.]*\w)", "<address>"),
    (r"\b\d{4}-\d\d-\d\d[t ]\d\d:\d\d(:\d\d)?([.,]\d+)?( ?(z|utc|[+-]\d\d:?\d\d))?(?![\w:])", "<time>"),
    (r"\b(mon|tue|wed|thu|fri|sat|sun),? \d{1,2} \w{3} \d{4} \d\d:\d\d:\d\d( ?(gmt|utc|[+-]\d{4}))?", "<time>"),
    (r"\b\d{4}-\d\d-\d\d\b", "<time>"),
    (r"(?<![\w:])\d+:\d\d(:\d\d)?([.,]\d+)?(?![\w:])", "<time>"),
    (
        r"(?<![\w:])([0-9a-f]{1,4}:){3,7}[0-9a-f]{0,4}(?![\w:])|(?<![\w:])([0-9a-f]{1,4}:)*:([0-9a-f]{1,4}:)*[0-9a-f]{1,4}(?![\w:])",
        "<address>",
    ),
    (r"(?<![^\s'\":,;=`(])/[^\s'\":,;`]*?(\.ansible/tmp|/ansible_)[^\s'\":,;`]*", "<temporary>"),
    (r"(?<![\w/])(/var)?/tmp/[^\s'\":,;]*", "<temporary>"),
    (r"\bansible-(tmp|local)-[\w.-]+", "<temporary>"),
    (r"\b0x[0-9a-f]+\b", "<hex>"),
    (r"\b(?=[a-f]*\d)[0-9a-f]{12,64}\b", "<hex>"),
    (r"\bsha256:[\w+/=]+", "<hex>"),
    (r"(?<![\w.])(\d+:)?\d+(\.\d+){2,}[\w.+~-]*", "<version>"),
    (r"(?<![\w.])(\d+:)?\d+(\.\d+)+[+~-][\w.+~-]+", "<version>"),
    (r"(?<=_)\d[\w.+~-]*(?=_(all|amd64|arm64|i386|armhf|riscv64|ppc64el|s390x)\b)", "<version>"),
    (
        r"(?<![\w.<-])-?\d+([.,]\d+)*( ?(%|seconds?|s|ms|minutes?|min|hours?|h|bytes?|[kmgt]i?b|[kmgt])\b)?(?![\w-])",
        "<number>",
    ),
)
COMPILED = tuple((re.compile(pattern, re.IGNORECASE), stand_in) for pattern, stand_in in SUBSTITUTIONS)


def normalise(text: str, host: str = "") -> str:
    """The signature of a message: what stays when host, numbers, times, addresses and temporary names are taken out of it.

    Normalising a signature again gives the same signature.
    """
    signature = substituted(text, host)
    while (
        again := substituted(signature, host)
    ) != signature:  # cutting it to length may have bared something to replace
        signature = again
    return signature


def substituted(text: str, host: str) -> str:
    """One pass of taking out what changes from time to time."""
    message = "\n".join(telling_lines(text.replace("\r", "\n")))
    for name in host_names(host):
        message = re.sub(rf"(?<![\w.<-]){re.escape(name)}(?![\w>-]|\.\w)", "<host>", message, flags=re.IGNORECASE)
    for pattern, stand_in in COMPILED:
        message = pattern.sub(stand_in, message)
    return " ".join(message.lower().split())[:SIGNATURE_LENGTH].rstrip() or NOTHING


def telling_lines(text: str) -> list[str]:
    """The lines that say what is wrong: the last one of a traceback, the blaming ones of a package tool, else the first few."""
    lines = [line.strip() for line in text.splitlines() if line.strip() and not PROGRESS.match(line.strip())]
    if any(TRACEBACK.search(line) for line in lines):
        return lines[-1:]
    blaming = [line for line in lines if BLAMING.search(line)]
    return (blaming or lines)[:SIGNATURE_LINES]


def host_names(host: str) -> list[str]:
    """The long and the short name of a host, the longer first; a bare number or a single letter is no name to look for."""
    short = host.partition(".")[0]
    return [name for name in dict.fromkeys((host, short)) if len(name) > 1 and not name.isdigit()]


def fingerprint(
    *,
    inventory: str,
    playbook: str = "",
    role: str = "",
    task: str = "",
    module: str = "",
    kind: str,
    signature: str = "",
    scope: str,
) -> str:
    """One short name for a failure: 32 hexadecimal digits over place, kind and signature; `scope` is a host, a group or a schedule."""
    parts: Mapping[str, str] = {
        "inventory": inventory,
        "playbook": playbook,
        "role": role,
        "task": task,
        "module": module.rpartition(".")[2],
        "kind": kind,
        "signature": signature,
        "scope": scope,
    }
    text = "\x1f".join([f"v{FINGERPRINT_VERSION}", *(f"{name}={value}" for name, value in parts.items())])
    return hashlib.sha256(text.encode()).hexdigest()[:32]
