"""YAML text into plain values with places: bounded, without duplicate keys, and without YAML's surprises.

PyYAML composes the nodes; the values are built here, because only the nodes know how a scalar was written (`22:00` arrives as 1320).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, cast

import yaml
from yaml.constructor import SafeConstructor

from runner.config.source import Mark, Path, Source
from runner.errors import Problem

LARGEST_FILE = 4_000_000
MOST_VALUES = 200_000
DEEPEST = 60
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TAG = "tag:yaml.org,2002:"
_MERGE = f"{_TAG}merge"
_NUMBERS = ("int", "float")
_AS_WRITTEN = ("str", "timestamp", "value", "merge")
_ADVICE = (
    ("cannot start any token", "A value that begins with @, % or ` needs quotes"),
    ("mapping values are not allowed", "A value that contains a colon needs quotes, or this line is indented too far"),
    (
        "could not find expected ':'",
        "A key on the line before lacks its colon, or a text of several lines needs quotes",
    ),
    ("expected a single document", "One file holds one document. Remove the line ---"),
    ("undefined alias", "No value above bears this anchor"),
    ("unexpected end of stream", "A quote is never closed"),
    ("expected ',' or ']'", "A list is never closed with ], or lacks a comma"),
    ("expected ',' or '}'", "A mapping is never closed with }, or lacks a comma"),
    ("did not find expected", "Check the indentation: keys that belong together begin in the same column"),
    ("expected <block end>", "Check the indentation: keys that belong together begin in the same column"),
)


class _TooMuchError(Exception):
    """A file unfolds beyond the bounds; the message says which."""


@dataclass(slots=True)
class _Builder:
    """Builds the values of one file; `tolerant` reads what Ansible reads (custom tags, repeated keys, empty values)."""

    file: str
    tolerant: bool
    free: frozenset[str]  # top-level keys below which values may be empty
    keys: dict[Path, Mark] = field(default_factory=dict)
    values: dict[Path, Mark] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    scalars: SafeConstructor = field(default_factory=SafeConstructor)

    def build(self, node: yaml.Node, path: Path = ()) -> object:
        """The plain value of a node, its places noted under `path`."""
        if len(path) > DEEPEST or len(self.values) > MOST_VALUES:
            raise _TooMuchError(
                f"more than {DEEPEST} levels" if len(path) > DEEPEST else f"more than {MOST_VALUES} values"
            )
        self.values[path] = _mark(node)
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return self._sequence(node, path)
        return self._scalar(cast(yaml.ScalarNode, node), path)

    def _mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, object]:
        self._refuse_tag(node, "map", path)
        built: dict[str, object] = {}
        for key_node, value_node in self._pairs(node):
            key = self._key(key_node, path)
            if key is None:
                continue
            self.keys[(*path, key)] = _mark(key_node)
            value = self.build(value_node, (*path, key))
            if value is None and self._must_not_be_empty(path):
                self._complain(key_node, f"{key}: has no value. Give it one, or remove the line")
            else:
                built[key] = value
        return built

    def _pairs(self, node: yaml.MappingNode) -> Iterator[tuple[yaml.Node, yaml.Node]]:
        """The key and value nodes, each key once: merged ones (`<<`) unless the mapping has the key itself."""
        own: dict[str, yaml.Node] = {}
        merged: list[tuple[yaml.Node, yaml.Node]] = []
        for key_node, value_node in node.value:
            if key_node.tag == _MERGE:
                merged += self._merged(value_node)
                continue
            written = key_node.value if isinstance(key_node, yaml.ScalarNode) else repr(key_node.start_mark)
            if written in own and not self.tolerant:
                line = own[written].start_mark.line + 1
                self._complain(key_node, f"duplicate key {written!r}, which stands in line {line} already. Remove one")
                continue
            own[written] = key_node
            yield key_node, value_node
        seen = set(own)
        for key_node, value_node in merged:
            if isinstance(key_node, yaml.ScalarNode) and key_node.value not in seen:
                seen.add(key_node.value)
                yield key_node, value_node

    def _merged(self, node: yaml.Node, depth: int = 0) -> list[tuple[yaml.Node, yaml.Node]]:
        """The pairs that `<<` brings in, from one mapping or a list of them, nearest first."""
        parts = node.value if isinstance(node, yaml.SequenceNode) else [node]
        if depth > DEEPEST:
            raise _TooMuchError(f"more than {DEEPEST} merged mappings")
        found: list[tuple[yaml.Node, yaml.Node]] = []
        for part in parts:
            if not isinstance(part, yaml.MappingNode):
                self._complain(part, "<<: merges mappings only. Name an anchor (*name) of a mapping")
                continue
            found += [pair for pair in part.value if pair[0].tag != _MERGE]
            for further in [value for key, value in part.value if key.tag == _MERGE]:
                found += self._merged(further, depth + 1)
            if len(found) > MOST_VALUES:
                raise _TooMuchError(f"more than {MOST_VALUES} values")
        return found

    def _sequence(self, node: yaml.SequenceNode, path: Path) -> list[object]:
        self._refuse_tag(node, "seq", path)
        built: list[object] = []
        for item in node.value:
            value = self.build(item, (*path, len(built)))
            if value is None and self._must_not_be_empty(path):
                self._complain(item, "an item of this list has no value. Give it one, or remove the line")
            else:
                built.append(value)
        return built

    def _scalar(self, node: yaml.ScalarNode, path: Path) -> object:
        tag, text = node.tag.removeprefix(_TAG), node.value
        if tag in _AS_WRITTEN:
            return text
        if tag == "null":
            return None
        if tag == "bool" and text.lower() in SafeConstructor.bool_values:
            return SafeConstructor.bool_values[text.lower()]
        if tag in _NUMBERS:
            return self._number(node, tag)
        if not self.tolerant:
            self._complain(node, f"{_name(path)}the tag {_short(node.tag)} has no meaning here. Remove it")
        return text

    def _number(self, node: yaml.ScalarNode, tag: str) -> object:
        """Read a number as Ansible would, also `0644` and `0x1f`."""
        try:
            return self.scalars.construct_yaml_int(node) if tag == "int" else self.scalars.construct_yaml_float(node)
        except (ValueError, OverflowError, IndexError):
            self._complain(node, f"{node.value[:40]} is no number that can be read. Quote it if it is text")
            return node.value

    def _key(self, node: yaml.Node, path: Path) -> str | None:
        """A key's text; None, with a problem, for what YAML does not take for text."""
        if not isinstance(node, yaml.ScalarNode):
            self._complain(node, "a list or mapping stands where a key belongs. Check the brackets and the indentation")
            return None
        tag = node.tag.removeprefix(_TAG)
        if self.tolerant or tag in _AS_WRITTEN:
            return str(node.value)
        taken = {"bool": "yes or no", "null": "nothing"}.get(tag, "a number" if tag in _NUMBERS else _short(node.tag))
        self._complain(node, f'YAML takes the key {node.value} for {taken}. Quote it: "{node.value or "name"}":')
        return None

    def _refuse_tag(self, node: yaml.Node, usual: str, path: Path) -> None:
        if node.tag != f"{_TAG}{usual}" and not self.tolerant:
            self._complain(node, f"{_name(path)}the tag {_short(node.tag)} has no meaning here. Remove it")

    def _must_not_be_empty(self, path: Path) -> bool:
        return not self.tolerant and path[:1] not in {(name,) for name in self.free}

    def _complain(self, node: yaml.Node, message: str) -> None:
        mark = _mark(node)
        self.problems.append(Problem(self.file, mark.line, mark.column, message))


def load(
    content: bytes, file: str, *, tolerant: bool = False, free: frozenset[str] = frozenset()
) -> tuple[Source | None, list[Problem]]:
    """Read one file's content; the values with their places (None when there are none to be had), and its problems.

    `tolerant` reads what Ansible reads: custom tags, repeated keys and empty values are no problem.
    """
    if len(content) > LARGEST_FILE:
        return None, [
            Problem(file, 0, 0, f"has {len(content)} bytes; no file of definitions is larger than {LARGEST_FILE}")
        ]
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return None, [_not_utf8(content, file, error)]
    try:
        _bound(text)
        node = yaml.compose(text, Loader=_LOADER)
        if node is None:
            return None, [Problem(file, 1, 1, "is empty. Write a definition, or remove the file")]
        builder = _Builder(file, tolerant=tolerant, free=free)
        value = builder.build(node)
    except yaml.MarkedYAMLError as error:
        return None, [_syntax(file, text, error)]
    except yaml.reader.ReaderError as error:
        return None, [_unreadable(file, text, error)]
    except _TooMuchError as error:
        return None, [Problem(file, 1, 1, f"unfolds to {error}; an anchor may contain itself. Write it plainly")]
    return Source(file, value, builder.keys, builder.values), builder.problems


def _bound(text: str) -> None:
    """Refuse, before anything is built, what is nested too deep for a recursive reader."""
    depth = 0
    for number, event in enumerate(_events(text)):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > DEEPEST or number > MOST_VALUES:
            raise _TooMuchError(f"more than {DEEPEST} levels" if depth > DEEPEST else f"more than {MOST_VALUES} values")


def _events(text: str) -> Iterator[yaml.Event]:
    """The reader's events; newer readers have a bound of their own, and meet it before they tell of the first level."""
    try:
        yield from yaml.parse(text, Loader=_LOADER)
    except yaml.MarkedYAMLError as error:
        if "nesting depth" in str(error.problem):
            raise _TooMuchError(f"more than {DEEPEST} levels") from error
        raise


def _syntax(file: str, text: str, error: yaml.MarkedYAMLError) -> Problem:
    """What the YAML reader stumbled over, with the usual cause."""
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line, mark.column) if mark else (0, 0)
    said = error.problem or error.context or "cannot be read"
    advice = next((words for sign, words in _ADVICE if sign in f"{error.context} {said}"), _ADVICE[-1][1])
    if text.split("\n")[line : line + 1] and text.split("\n")[line][column : column + 1] == "\t":
        said, advice = "a tab stands where YAML wants spaces", "Replace it"
    return Problem(file, line + 1, column + 1, f"not YAML: {said}. {advice}")


def _unreadable(file: str, text: str, error: yaml.reader.ReaderError) -> Problem:
    """A character that YAML does not allow, such as NUL."""
    before = text[: error.position]
    line, column = before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1
    return Problem(file, line, column, "a control character stands here, which YAML does not allow. Remove it")


def _not_utf8(content: bytes, file: str, error: UnicodeDecodeError) -> Problem:
    before = content[: error.start]
    line, column = before.count(b"\n") + 1, error.start - (before.rfind(b"\n") + 1) + 1
    return Problem(file, line, column, f"is not UTF-8 (byte 0x{content[error.start]:02x} here). Save the file as UTF-8")


def _mark(node: yaml.Node) -> Mark:
    raw = node.value if isinstance(node, yaml.ScalarNode) else ""
    return Mark(node.start_mark.line + 1, node.start_mark.column + 1, raw, node.tag.removeprefix(_TAG))


def _name(path: Path) -> str:
    return f"{path[-1]}: " if path and isinstance(path[-1], str) else ""


def _short(tag: str) -> str:
    return f"!!{tag.removeprefix(_TAG)}" if tag.startswith(_TAG) else tag
