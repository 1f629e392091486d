"""Known secrets are replaced in every text that leaves the executor, however they are spelled."""

from __future__ import annotations

import base64
import html
import json
import re
import shlex
import urllib.parse
from collections.abc import Iterable, Iterator, Mapping

HIDDEN = "********"
SHORT = 4  # a spelling with fewer characters is hidden only where it stands as a word of its own
SHORTEST_INSIDE = 6  # characters of base64 that are hidden though they stand inside other base64


class Redactor:
    """Replaces known secret values, however they are spelled, by asterisks."""

    def __init__(self, values: Iterable[str]) -> None:
        """Learn the values; their escaped, quoted and encoded spellings are learned too."""
        words = {spelling for value in values for spelling in spellings(value)}
        self._words = sorted(words, key=lambda word: (-len(word), word))

    def text(self, text: str) -> str:
        """The text without the secrets; the longest spellings go first, since they may hold shorter ones."""
        present = [pattern_of(word) for word in self._words if word in text]  # far faster than one large expression
        return re.sub("|".join(present), HIDDEN, text) if present else text

    def record(self, record: Mapping[str, object]) -> dict[str, object]:
        """The record without the secrets in its texts."""
        return {key: self.text(value) if isinstance(value, str) else value for key, value in record.items()}

    def everywhere(self, value: object) -> object:
        """The same value without the secrets in any of its texts, however deep; names of fields stay."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {key: self.everywhere(each) for key, each in value.items()}
        return [self.everywhere(each) for each in value] if isinstance(value, (list, tuple)) else value

    def event(self, event: Mapping[str, object]) -> Mapping[str, object]:
        """An event of ansible-runner without the secrets in what was said: before anything is cut to length, or the rest of a cut secret would stay."""
        if not self._words:
            return event
        content = event.get("event_data")
        said: dict[str, object] = {"stdout": self.everywhere(event.get("stdout"))}
        if isinstance(content, Mapping) and "res" in content:
            said["event_data"] = {**content, "res": self.everywhere(content["res"])}
        return {**event, **said}


def pattern_of(word: str) -> str:
    """A regular expression for one spelling."""
    return re.escape(word) if len(word) >= SHORT else rf"(?<!\w){re.escape(word)}(?!\w)"


def spellings(value: str) -> Iterator[str]:
    """A secret and each of its lines, as they are and as programs print them: JSON, URL, HTML, shell, hex, base64."""
    for plain in {value, *(line.strip() for line in value.splitlines())} - {""}:
        yield plain
        yield repr(plain)[1:-1]
        yield html.escape(plain)
        yield shlex.quote(plain).strip("'")
        yield plain.encode("utf-8", "replace").hex() if len(plain) >= SHORT else plain
        yield from in_json(plain)
        yield from in_urls(plain)
        yield from in_base64(plain)


def in_json(plain: str) -> Iterator[str]:
    """As a text in JSON, and in JSON that is itself a text in JSON."""
    for ascii_only in (True, False):
        once = json.dumps(plain, ensure_ascii=ascii_only)[1:-1]
        yield once
        yield json.dumps(once, ensure_ascii=ascii_only)[1:-1]


def in_urls(plain: str) -> Iterator[str]:
    """As a part of an address, in the ways in which programs differ."""
    for quoted in (
        urllib.parse.quote(plain, safe="", errors="replace"),
        urllib.parse.quote_plus(plain, errors="replace"),
    ):
        yield quoted
        yield re.sub("%[0-9A-F]{2}", lambda found: found[0].lower(), quoted)
    yield urllib.parse.quote(plain, errors="replace")


def in_base64(plain: str) -> Iterator[str]:
    """In base64 by itself, and in the middle of something longer, such as `user:password`, where it may begin at any of three places."""
    octets = plain.encode("utf-8", "replace")
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        yield encode(octets).decode().rstrip("=")
        for before in range(3):
            inside = encode(bytes(before) + octets).decode()[-(-before * 8 // 6) : (before + len(octets)) * 8 // 6]
            if len(inside) >= SHORTEST_INSIDE:
                yield inside
