"""Patterns of users, kept from hanging us: every repetition comes to an end, and the ways in which one can match are counted beforehand.

Python's regular expressions go back and try again, and one bad pattern over one long message may take years. So `*` and `+` reach as far as REACH
characters, only a single character or a [set] may be repeated, and what could match in too many ways is refused. The worst search that is left takes a
second or two, over a message made for it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

LONGEST = 300  # characters of a pattern
REACH = 100  # characters that `*` and `+` may take
MOST_WAYS = 60_000  # at each place of a message: two open repetitions and a short one
_TOKEN = re.compile(
    r"(?P<atom>\\.|\[\^?\]?(?:\\.|[^\]\\])*\])|(?P<opens>\((?:\?.?)?)|(?P<closes>\))|(?P<either>\|)"
    r"|(?P<times>[*+?]|\{\d+\}|\{\d*,\d*\})(?P<how>[?+]?)|(?P<other>.)",
    re.DOTALL,
)


@dataclass(slots=True)
class _Group:
    """One group while it is read: the ways of its finished branches, of the branch at hand, and whether a group stood last."""

    finished: int = 0
    ways: int = 1
    inner: int = 0  # the ways of the group that stood last; 0 when it was a single character

    @property
    def all_ways(self) -> int:
        return self.finished + self.ways


def bounded(pattern: str) -> str:
    """The pattern with an end to every repetition; raises ValueError, with the way out, for one that is wrong or could take too long."""
    if len(pattern) > LONGEST:
        raise ValueError(f"is longer than {LONGEST} characters. Shorten it: a few telling words are enough")
    try:
        re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(
            f"{pattern[:60]!r} is no regular expression: {error}. In YAML, put it in single quotes"
        ) from None
    groups, written = [_Group()], ""
    for token in _TOKEN.finditer(pattern):
        written += _read(token, groups)
    if groups[0].all_ways > MOST_WAYS:
        raise ValueError(
            f"could match in too many ways. At most two of * and +, each up to {REACH} characters; "
            "say of others how often, such as .{0,20} or \\d{1,5}"
        )
    return written


def _read(token: re.Match[str], groups: list[_Group]) -> str:
    """Take in one token; gives it as it is to be written."""
    here = groups[-1]
    if token["times"]:
        return _repeat(token, here)
    if token["opens"]:
        if token["opens"] not in {"(", "(?:"}:
            raise ValueError(f"{token['opens']} is not supported here. Use plain groups: (…) or (?:…)")
        groups.append(_Group())
    elif token["closes"]:
        inner = groups.pop()
        groups[-1].inner = inner.all_ways
        groups[-1].ways *= inner.all_ways
    elif token["either"]:
        here.finished, here.ways, here.inner = here.all_ways, 1, 0
    else:
        here.inner = 0
    return token[0]


def _repeat(token: re.Match[str], here: _Group) -> str:
    """A repetition with an end; a group may only be there or not."""
    least, most = _times(token["times"])
    if here.inner and most > 1:
        raise ValueError(
            f"a group is repeated by {token['times']}, which may take for ever. Repeat a single character or a [set], or write the group out"
        )
    if here.inner:
        here.ways += here.ways // here.inner
    else:
        here.ways *= most - least + 1
    return f"{{{least},{most}}}{token['how']}"


def _times(written: str) -> tuple[int, int]:
    """How often at least and at most."""
    if written in {"*", "+", "?"}:
        return int(written == "+"), 1 if written == "?" else REACH
    least, comma, most = written.strip("{}").partition(",")
    at_least = int(least or 0)
    return at_least, int(most) if most else max(at_least, REACH) if comma else at_least
