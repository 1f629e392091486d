"""Crontabs as cron reads them: entries with what is set above them. Follows crontab(5) of Vixie cron and cronie."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

_SETTING = re.compile(r"""\s*(?P<name>[A-Za-z_]\w*|"[^"]*"|'[^']*')\s*=\s*(?P<value>.*)""", re.ASCII)
_FIVE = 5  # fields of a time
_EVERY_WEEKDAY = frozenset(range(7))


class Unsayable(ValueError):
    """What a cron line means cannot be said by a schedule; the message says why, and the way out."""


class InPlainText(Unsayable):
    """A line holds a secret, so that its text must not be repeated."""


@dataclass(frozen=True, slots=True)
class CronEntry:
    """One entry: where it stands, as it is written, when it runs, as whom, and what; `problem` when cron would not read it.

    `command` is what the shell is given: up to the first bare `%`, which begins the command's input. `settings` are the lines `NAME=value` above it.
    """

    line: int
    text: str
    when: str = ""
    user: str = ""
    command: str = ""
    has_input: bool = False
    settings: Mapping[str, str] = field(default_factory=dict)
    problem: str = ""


@dataclass(frozen=True, slots=True)
class DayTest:
    """What a command asks `date` before it goes on: only on these weekdays (Monday = 0), or only on a month's last day."""

    weekdays: frozenset[int] = _EVERY_WEEKDAY
    last_day: bool = False


def entries(text: str, *, with_users: bool) -> Iterator[CronEntry]:
    """Every entry of a crontab in order; `with_users` for files such as those in /etc/cron.d, which name a user after the time."""
    settings: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if found := _SETTING.fullmatch(line):
            settings[found["name"].strip("\"'")] = _unquoted(found["value"].strip())
        else:
            yield _entry(number, line, dict(settings), with_users=with_users)


def _unquoted(value: str) -> str:
    quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "\"'"
    return value[1:-1] if quoted else value


def _entry(number: int, line: str, settings: dict[str, str], *, with_users: bool) -> CronEntry:
    times = 1 if line.lstrip().startswith("@") else _FIVE
    words = line.split(maxsplit=times + with_users)
    if len(words) <= times + with_users:
        return CronEntry(number, line, problem="cron would not read this line: it has too few fields")
    command, has_input = _command(words[-1])
    return CronEntry(
        number,
        line,
        when=" ".join(words[:times]),
        user=words[times] if with_users else "",
        command=command,
        has_input=has_input,
        settings=settings,
    )


def _command(rest: str) -> tuple[str, bool]:
    """What the shell is given, and whether something is fed to it: a bare `%` ends the line, one after a backslash is itself."""
    given, percent, fed = re.sub(r"\\%", "\0", rest).partition("%")
    return given.replace("\0", "%").strip(), bool(percent and fed.strip("\0% "))
