"""The parts of JSON answers, written from the values that they are made of."""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Union, get_args, get_origin, get_type_hints, is_typeddict

from runner.domain.health import Finding
from runner.operations.adoption.adopt_repository import Adoption
from runner.operations.describe_hosts import HostLine, HostShown
from runner.operations.examined import Examined
from runner.operations.execution.approval_shown import ApprovalShown
from runner.operations.execution.list_runs import RunLine
from runner.operations.execution.show_run import RunShown
from runner.operations.explain_host import HostExplained
from runner.operations.record.show_record import EntryShown
from runner.operations.record.verify_record import RecordReport
from runner.operations.status_values import Status
from runner.operations.tickets.show_ticket import TicketLine, TicketShown
from runner.operations.time.find_rare_upgrades import RareUpgrade
from runner.operations.time.list_cadences import Cadence
from runner.operations.time.list_openings import Occurrence
from runner.operations.time.look_at_hosts import Collision, UncoveredHost

HEAD = """\
## JSON

Each answer is one object with `version` (1; it grows when a part changes its meaning or goes, not when one is added) and the parts named here. Instants are
ISO 8601 with an offset. A listing with `--limit` also has `more`: whether there is more than was asked for.
"""
ANSWERS: Mapping[str, Mapping[str, Any]] = {  # command -> part -> what it is
    "adopt": {"adoption": Adoption, "summary": str},
    "calendar": {"occurrences": list[Occurrence], "cadences": list[Cadence]},
    "calendar --hosts": {
        "occurrences": list[Occurrence],
        "cadences": list[Cadence],
        "collisions": list[Collision],
        "uncovered_hosts": list[UncoveredHost],
        "rare_upgrades": list[RareUpgrade],
        "unread": list[str],
    },
    "run": {"run": RunShown},
    "health": {"condition": str, "findings": list[Finding]},
    "status": {"status": Status},
    "why": {"why": HostExplained},
    "runs list": {"runs": list[RunLine]},
    "runs show": {"run": RunShown},
    "runs watch": {"run": RunShown},
    "runs approve": {"approval": ApprovalShown},
    "runs approve --revoke": {"revoked": list[ApprovalShown]},
    "hosts list": {"hosts": list[HostLine]},
    "hosts show": {"host": HostShown},
    "tickets list": {"tickets": list[TicketLine]},
    "tickets show": {"ticket": TicketShown},
    "record show": {"entries": list[EntryShown]},
    "record verify": {"whole": bool, "report": RecordReport},
    "doctor": {"examined": list[Examined]},
}
WORDS: Mapping[object, str] = {
    int: "number",
    float: "number",
    str: "text",
    bool: "true or false",
    datetime: "instant",
    type(None): "null",
    object: "anything",
    Any: "anything",
}


def answers() -> str:
    """Every answer, then every kind of value in them."""
    kinds: dict[str, Any] = {}
    lines = [HEAD]
    for command, parts in ANSWERS.items():
        told = "; ".join(f"`{part}`: {in_words(kind, kinds)}" for part, kind in parts.items())
        lines.append(f"- `wellkept {command} --format json`: {told}")
    lines.append("")
    described: set[str] = set()
    while left := [name for name in kinds if name not in described]:
        described.add(left[0])
        lines += described_kind(left[0], kinds[left[0]], kinds)
    return "\n".join(lines)


def described_kind(name: str, kind: Any, kinds: dict[str, Any]) -> Iterator[str]:  # noqa: ANN401  any value's class
    """One kind of value: what it says about itself, and its fields."""
    yield f"### {name}\n"
    yield " ".join((kind.__doc__ or "").split()) + "\n"
    for field, annotation in get_type_hints(kind).items():
        yield f"- `{field}`: {in_words(annotation, kinds)}"
    yield ""


def in_words(annotation: Any, kinds: dict[str, Any]) -> str:  # noqa: ANN401  any annotation
    """A type in words; values with fields are collected in `kinds`, to be described by themselves."""
    inside = get_args(annotation)
    origin = get_origin(annotation)
    if origin in {Union, types.UnionType}:
        return " or ".join(in_words(each, kinds) for each in inside)
    if origin in {list, tuple, set, frozenset}:
        return f"list of {in_words(inside[0], kinds)}"
    if inside:
        return f"object of {in_words(inside[-1], kinds)}"
    if dataclasses.is_dataclass(annotation) or is_typeddict(annotation):
        if kinds.setdefault(annotation.__name__, annotation) is not annotation:
            raise ValueError(f"two kinds of values are called {annotation.__name__}")
        return f"[{annotation.__name__}](#{annotation.__name__.lower()})"
    return WORDS.get(annotation, "text")
