"""A report as JSON, the source of truth, and as a page that is rendered from that JSON and nothing else."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict
from functools import cache
from typing import Any

from runner.reporting import spoken
from runner.reporting.values import AuditReport
from runner.templating import page

Document = Mapping[str, Any]

SECTIONS: Mapping[int, tuple[str, str]] = {  # number -> (anchor, title)
    1: ("summary", "Summary"),
    2: ("schedule", "Schedule adherence"),
    3: ("changes", "Changes"),
    4: ("hosts", "Hosts"),
    5: ("tickets", "Failures and tickets"),
    7: ("overrides", "Overrides and pauses"),
    11: ("evidence", "Evidence index"),
    12: ("limitations", "Limitations"),
}
SPOKEN: Mapping[str, Callable[..., str]] = {
    name: getattr(spoken, name)
    for name in (
        "local_time",
        "local_span",
        "utc_time",
        "utc_span",
        "length",
        "size",
        "percentage",
        "short_id",
        "brief",
    )
}
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
UNSEEN = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]"
)  # what no page may hold, and marks that turn text around so that it reads as something else


def to_json(report: AuditReport) -> bytes:
    """The report as JSON text in UTF-8, members in their order, one to a line."""
    text = json.dumps(asdict(report), indent=2, ensure_ascii=False, allow_nan=False)
    return f"{text}\n".encode("utf-8", "backslashreplace")


def to_html(json_text: bytes) -> bytes:
    """The report as one self-contained page, from its JSON."""
    report = printable(json.loads(json_text))
    values = {
        "report": report,
        "sections": SECTIONS,
        "style_digest": style_digest("audit.css"),
        "bar": bar(report["summary"]["parts"]),
        **SPOKEN,
    }
    return f"{page('audit.html', values)}\n".encode("utf-8", "replace")


def printable(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """The same values with unseen marks made visible in every text."""
    match value:
        case str():
            return UNSEEN.sub(REPLACEMENT, value)
        case dict():
            return {UNSEEN.sub(REPLACEMENT, key): printable(item) for key, item in value.items()}
        case list():
            return [printable(item) for item in value]
    return value


def bar(parts: list[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Where each part of the adherence bar begins and how wide it is, in percent."""
    placed, start = [], 0.0
    for part in parts:
        placed.append(
            {"start": round(start, 1), "width": part["percent"], "tone": part["status"]["tone"], "count": part["count"]}
        )
        start += part["percent"]
    return placed


@cache
def style_digest(name: str) -> str:
    """The SHA-256 of a page's only style sheet, as its content security policy wants it."""
    return base64.b64encode(hashlib.sha256(page(name, {}).encode()).digest()).decode()
