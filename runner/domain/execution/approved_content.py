"""What the digest of a plan is made from, and what of it has changed since somebody looked at it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

from runner.domain.record.record import canonical

Content = Mapping[
    str, Any
]  # schedule: its keys; rule_date; files: name -> digest; requirements, where there are any: name -> digest
SCHEDULE, DATE, FILES, REQUIREMENTS = "schedule", "rule_date", "files", "requirements"


def digest_of_content(content: Content) -> str:
    """SHA-256 of a content in its canonical form."""
    return hashlib.sha256(canonical(content)).hexdigest()


def what_changed(then: Content, now: Content) -> tuple[str, ...]:
    """Each part that differs, in words: the date, keys of the schedule by name, files by name; values are not told, as some are private."""
    return (*dates(then.get(DATE), now.get(DATE)), *keys(then, now), *files(then.get(FILES, {}), now.get(FILES, {})))


def dates(then: str | None, now: str | None) -> Iterator[str]:
    """Whether it is for another date."""
    if then != now:
        yield f"it was for {then or 'no date of a window'}, this is for {now or 'none'}"


def keys(then: Content, now: Content) -> Iterator[str]:
    """The keys of the schedule, and of anything else that a later version adds, whose values differ."""
    rest = {*then, *now} - {DATE, FILES, SCHEDULE}
    paths = [*differing(then.get(SCHEDULE, {}), now.get(SCHEDULE, {}))]
    paths += [path for key in sorted(rest) for path in differing(then.get(key), now.get(key), (key,))]
    for path in paths:
        yield f"{'.'.join(path) or SCHEDULE} has another value"


def differing(then: object, now: object, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The paths at which two values differ, as the digest tells them apart; lists are compared as a whole."""
    if isinstance(then, Mapping) and isinstance(now, Mapping):
        for key in sorted({*then, *now}):
            if key in then and key in now:
                yield from differing(then[key], now[key], (*path, key))
            else:
                yield (*path, key)
    elif canonical(then) != canonical(now):
        yield path


def files(then: Mapping[str, str], now: Mapping[str, str]) -> Iterator[str]:
    """The files that were edited, came, or are gone."""
    for name in sorted({*then, *now}):
        if name not in then:
            yield f"{name} was added"
        elif name not in now:
            yield f"{name} is gone"
        elif then[name] != now[name]:
            yield f"{name} was edited"
