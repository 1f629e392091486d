"""Four short texts for people who do not know how servers are kept, with places for names, and what may not stand in them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields

NAMES = ("host", "service", "package")
PLACE = re.compile(r"(?P<begins>\A|(?<=[.!?] ))?\{(?P<name>[^{}]*)\}")
NOT_FOR_EVERYBODY = re.compile(
    r"\b(playbook|package|repository|mirror|dns|ssh|sudo|apt|dpkg|kernel|daemon|module|template|variable|ansible|lock|reboot|boot"
    r"|host|key|signature|exit|code|stderr|inventory|privilege|cache|root|port|config)s?\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class PlainWords:
    """What happened, what it means, what was done, what is needed; `{host}`, `{service}` and `{package}` are places for names."""

    happened: str
    means: str
    done: str
    needed: str

    def __str__(self) -> str:
        return "\n".join(self.texts.values())

    @property
    def texts(self) -> dict[str, str]:
        """The four texts by name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def placed(self, names: Mapping[str, str]) -> PlainWords:
        """The same with names in their places."""
        return PlainWords(**{name: placed(text, names) for name, text in self.texts.items()})


def placed(text: str, names: Mapping[str, str]) -> str:
    """A text with names in its places. At the beginning of a sentence a name of several words gets a capital; one of a single word is written as it is."""

    def name_for(place: re.Match[str]) -> str:
        name = names.get(place["name"], place[0])
        return name[:1].upper() + name[1:] if place["begins"] is not None and " " in name else name

    return PLACE.sub(name_for, text)


def unknown_places(text: str) -> Iterator[str]:
    """Places of a text for which there is no name."""
    return (place["name"] for place in PLACE.finditer(text) if place["name"] not in NAMES)


def hard_words(text: str) -> list[str]:
    """Words of our trade, each once: whoever has to be told in plain words does not know them."""
    return list(dict.fromkeys(found[0].lower() for found in NOT_FOR_EVERYBODY.finditer(PLACE.sub("", text))))
