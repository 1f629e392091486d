"""What pydantic found, said for people: the key, what is wrong with it, and the way out."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from runner.config import not_yet
from runner.config.models.health import PROBES
from runner.config.models.shape import Shape
from runner.config.nearest import listed, nearest
from runner.config.source import Mark, Path

_NEEDS_QUOTES = re.compile(r"^[\d:.+-]+$|^[-?:,\[\]{}#&*!|>'\"%@`(]|: |[:#]$|\{\{")
NOT_YET = "is not supported yet"
_ELSEWHERE = {
    **dict.fromkeys(("windows", "freezes", "calendars"), "a file of windows, such as schedules/windows.yml"),
    **dict.fromkeys(("health", "depends"), "a file of health checks, such as schedules/health.yml"),
    **dict.fromkeys(("schedule", "playbook", "hosts"), "a file of its own, such as schedules/patch.yml"),
    "causes": "a file of causes, such as schedules/causes.yml",
    "report": "a file of its own, such as reports/monthly.yml",
    **dict.fromkeys(("inventories", "people", "teams", "services", "secrets", "database"), "wellkept.yml"),
}
_EITHER_OR = {
    ("FreezeEveryYear", "from"): "a freeze has either every_year, or from and to. Remove one",
    ("FreezeEveryYear", "to"): "a freeze has either every_year, or from and to. Remove one",
    ("FreezeEveryYear", "ics"): "a freeze has either every_year or ics. Remove one",
    ("FreezeEveryYear", "holidays"): "a freeze has either every_year or holidays. Remove one",
    ("FreezeByEvents", "holidays"): "a freeze has either ics or holidays. Remove one",
    ("FreezeOnHolidays", "from"): "a freeze has either holidays, or from and to. Remove one",
    ("FreezeOnHolidays", "to"): "a freeze has either holidays, or from and to. Remove one",
    ("FreezeByEvents", "from"): "a freeze has either ics, or from and to. Remove one",
    ("FreezeByEvents", "to"): "a freeze has either ics, or from and to. Remove one",
    ("FreezeBetween", "timezone"): "the instants of from and to carry their offset. Remove the timezone",
}
_SHAPES = {
    "map": "a mapping",
    "seq": "a list",
    "str": "text",
    "bool": "yes or no",
    "int": "a number",
    "float": "a number",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One error of pydantic at its place: the key, how the value is written, and the model that it belongs to."""

    key: str
    mark: Mark
    raw: object
    model: type[Shape]
    error: Mapping[str, Any]
    path: Path

    @property
    def context(self) -> Mapping[str, Any]:
        """What pydantic says about its limits."""
        context: Mapping[str, Any] = self.error.get("ctx", {})
        return context

    @property
    def example(self) -> str:
        """An example of the key, ready to copy; empty when there is none."""
        field = next((f for n, f in self.model.model_fields.items() if (f.alias or n) == self.key), None)
        return f"{self.key}: {as_yaml(field.examples[0])}" if field and field.examples else ""


def sentence(finding: Finding) -> str:
    """Say what is wrong and what to do."""
    return f"{finding.key}: {SENTENCES.get(finding.error['type'], _otherwise)(finding)}"


def unknown_key(key: str, model: type[Shape]) -> str:
    """Say that a key is not known here, or not yet, or belongs elsewhere; with the nearest one."""
    if key in not_yet.KEYS.get(model.__name__, ()):
        return f"{NOT_YET} by this version. Remove it, or wait for a version that has it"
    if (model.__name__, key) in _EITHER_OR:
        return _EITHER_OR[(model.__name__, key)]
    known = keys_of(model)
    if close := nearest(key, [*known, *not_yet.KEYS.get(model.__name__, ())]):
        return f"unknown key. Did you mean {close}?"
    if key in _ELSEWHERE:
        return f"does not belong here. Put it into {_ELSEWHERE[key]}"
    return f"unknown key. Known here: {listed(known, most=30)}"


def keys_of(model: type[BaseModel]) -> list[str]:
    """The keys that a mapping of this model has."""
    return [field.alias or name for name, field in model.model_fields.items()]


def as_yaml(value: object) -> str:
    """A small value as it is written in YAML, on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {as_yaml(part)}" for key, part in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(as_yaml, value)) + "]"
    if isinstance(value, str) and _NEEDS_QUOTES.search(value):
        return f"'{value}'" if "\\" in value else f'"{value}"'
    return str(value)


def what_stands_there(finding: Finding) -> str:
    """Say what was found where text was wanted, with YAML's surprises explained."""
    raw, tag = finding.mark.raw, finding.mark.tag
    if tag in {"int", "float"} and ":" in raw:
        return f"{finding.raw} is a number; YAML reads an unquoted {raw} that way."
    if tag in {"int", "float"}:
        return f"{raw} is a number."
    if tag == "bool":
        return f"YAML reads an unquoted {raw} as {str(finding.raw).lower()}."
    return f"{_SHAPES.get(tag, 'something else')} stands here."


def _text_wanted(finding: Finding) -> str:
    """Text was wanted: quote it, when that helps."""
    if finding.mark.tag in {"int", "float", "bool"}:
        return f'{what_stands_there(finding)} Quote it: {finding.key}: "{finding.mark.raw}"'
    return f"{what_stands_there(finding)} Write text{_such_as(finding)}"


def _wanted(finding: Finding) -> str:
    """A value with a grammar of its own was wanted: quote times, give durations their unit."""
    what, raw, tag = finding.context["what"], finding.mark.raw, finding.mark.tag
    found = what_stands_there(finding)
    if what == "a duration" and tag in {"int", "float"}:
        hours, colon, minutes = raw.partition(":")
        unit = "s" if finding.example.endswith("s") else "m"
        way_out = f"{hours}h{minutes}m" if colon else f"{raw}{unit}"
        return f"{found} A duration needs its unit: {finding.key}: {way_out}"
    if what == "a time of day" and tag in {"int", "float"}:
        clock = ":".join(part.zfill(2) for part in raw.split(":")[:2]) if ":" in raw else "22:00"
        return f'{found} Quote it: {finding.key}: "{clock}"'
    if tag == "int" and what in _FROM_NUMBER:
        return f"{found} Write {finding.key}: {_FROM_NUMBER[what].format(raw)}"
    if tag in {"int", "float", "bool"} and what != "a number of hosts or a percentage":
        return f'{found} Quote it: {finding.key}: "{raw}"'
    return f"{found} {what[0].upper()}{what[1:]} is wanted{_such_as(finding)}"


_FROM_NUMBER = {"a day": "day {}", "a comparison": '"> {}"'}


def _missing(finding: Finding) -> str:
    return f"is missing. Add it{_such_as(finding)}"


def _such_as(finding: Finding) -> str:
    return f", such as {finding.example}" if finding.example else ""


def _literal(finding: Finding) -> str:
    """One of a few words was wanted."""
    allowed = str(finding.context["expected"]).replace(" or ", ", ").replace("'", "").split(", ")
    value = finding.mark.raw
    field = next((part for part in reversed(finding.path) if isinstance(part, str)), "")
    if value in not_yet.VALUES.get((finding.model.__name__, field), ()):
        return f"{value} {NOT_YET} by this version. Write {listed(allowed)}"
    if finding.mark.tag == "bool":
        return f"{what_stands_there(finding)} Write one of {', '.join(allowed)}"
    close = nearest(value, allowed)
    way_out = f"Did you mean {close}?" if close and len(allowed) > 1 else f"Write {listed(allowed)}"
    return f"{value or 'this'} is not known here. {way_out}"


def _boolean(finding: Finding) -> str:
    return f"{what_stands_there(finding)} Write true or false, without quotes"


def _whole_number(finding: Finding) -> str:
    found = what_stands_there(finding)
    return f"{found} Write a whole number{' without quotes' if finding.mark.raw.isdigit() else ''}{_such_as(finding)}"


def _list(finding: Finding) -> str:
    if finding.mark.tag == "str" and finding.mark.raw:
        return f"text stands where a list is wanted. Write {finding.key}: [{finding.mark.raw[:60]}]"
    return f"{what_stands_there(finding)} A list is wanted{_such_as(finding)}"


def _mapping(finding: Finding) -> str:
    return f"{_SHAPES.get(finding.mark.tag, 'something else')} stands where a mapping is wanted{_such_as(finding)}"


def _pattern(finding: Finding) -> str:
    value, pattern = finding.mark.raw, finding.context["pattern"]
    if "https?" in pattern:
        return f"{value[:60]} is no address. Begin it with https:// or http://"
    if "@" in pattern and pattern.startswith(r"^\S"):
        return f"{value[:60]} is no address. Write it such as ana@example.com"
    name = str(finding.path[-1]) if finding.error["loc"][-1] == "[key]" else value
    return f"{name[:60]!r} is no name. Write letters, digits and . _ - @, beginning with a letter or digit"


def _limits(finding: Finding) -> str:
    limit = next((f"{words} {finding.context[sign]}" for sign, words in _LIMITS.items() if sign in finding.context), "")
    return f"{finding.mark.raw or 'this'} is out of range. Write {limit}"


_LIMITS = {"ge": "at least", "le": "at most", "gt": "more than", "lt": "less than"}


def _empty(finding: Finding) -> str:
    return f"is empty. Give it a value, or remove the line{_such_as(finding)}"


def _too_long(finding: Finding) -> str:
    return f"is longer than {finding.context.get('max_length')} characters. Shorten it"


def _unknown_probe(finding: Finding) -> str:
    probe = finding.raw.get("probe") if isinstance(finding.raw, dict) else None
    later = not_yet.VALUES[("HealthFile", "probe")]
    if not isinstance(finding.raw, dict):
        return _mapping(finding)
    if probe is None:
        return f"probe is missing. Add it, such as probe: tcp (known: {listed(PROBES)})"
    if probe in later:
        return f"probe: {probe} {NOT_YET} by this version. Write {listed(PROBES)}"
    close = nearest(str(probe), [*PROBES, *later])
    return f"probe: {str(probe)[:40]} is not known. {f'Did you mean {close}?' if close else f'Write {listed(PROBES)}'}"


def _secret(_: Finding) -> str:
    return "secrets are given by reference, never written down. Write {env: NAME}, {file: PATH}, {command: LINE} or {keyring: SERVICE/USER}"


def _otherwise(finding: Finding) -> str:
    return f"{finding.error['msg']}{_such_as(finding)}"


SENTENCES: dict[str, Callable[[Finding], str]] = {
    "extra_forbidden": lambda finding: unknown_key(finding.key, finding.model),
    "missing": _missing,
    "wanted": _wanted,
    "string_type": _text_wanted,
    "literal_error": _literal,
    "bool_type": _boolean,
    "int_type": _whole_number,
    "int_from_float": _whole_number,
    "list_type": _list,
    "dict_type": _mapping,
    "model_type": _mapping,
    "model_attributes_type": _mapping,
    "string_pattern_mismatch": _pattern,
    "greater_than_equal": _limits,
    "less_than_equal": _limits,
    "string_too_short": _empty,
    "too_short": _empty,
    "string_too_long": _too_long,
    "union_tag_not_found": _unknown_probe,
    "secret_itself": _secret,
    "value_error": lambda finding: str(finding.context["error"]),
}
