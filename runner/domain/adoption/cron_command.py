"""What a command of a crontab does about Ansible: the call itself, the folder it is made in, and everything around it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath

from runner.domain.adoption.crontab import DayTest, Unsayable
from runner.domain.adoption.playbook_call import PlaybookCall, playbook_call
from runner.domain.adoption.shell_words import SimpleCommand, Unreadable, simple_commands
from runner.domain.adoption.wrapped import name_of, unwrap

PLAYBOOK = "ansible-playbook"
ACTIVATE = ("bin", "activate")
_DATE = r"""\[?\[?\s*(?:test\s+)?["']?(?:\$\(|`)\s*date\s+%s\s*(?:\)|`)["']?\s*(?:==?|-eq)\s*["']?0?(?P<number>\d)["']?\s*\]?\]?\s*&&"""
_WEEKDAY = re.compile(_DATE % r"""["']?\+%(?P<field>[uw])["']?""")
_TOMORROW = re.compile(_DATE % r"""(?:-d\s*|--date[= ])["']?(?:tomorrow|\+?1 ?day)["']?\s+["']?\+%-?d["']?""")
_QUIET = frozenset({":", "true", "set", "umask", "ulimit", "shopt", "export", "exit"})
_TESTS = frozenset({"[", "[[", "test"})
_SUNDAY = 7
_WORDS = {
    "flock": "flock kept two from running at once: overlap: forbid, the default, does that",
    "sleep": "sleep waited before it began",
}


@dataclass(frozen=True, slots=True)
class Around:
    """What stands around a call: the folder of the last `cd`, an activated environment, the user, the longest time, logs, and what was left out."""

    folder: str = ""
    activated: str = ""
    user: str = ""
    timeout: str = ""
    logs: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    test: DayTest = field(default_factory=DayTest)


@dataclass(frozen=True, slots=True)
class PlaybookCommand:
    """One call of a playbook, and what stands around it; `program` is as it was written."""

    program: str
    call: PlaybookCall
    around: Around


@dataclass(frozen=True, slots=True)
class ScriptCommand:
    """A script that may hold the call, and what stands around it."""

    path: str
    around: Around


@dataclass(slots=True)
class _Reading:
    """What was found so far."""

    around: Around
    calls: list[PlaybookCommand] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
    ad_hoc: str = ""


def read_command(
    text: str, *, variables: Mapping[str, str], around: Around | None = None
) -> PlaybookCommand | ScriptCommand | None:
    """Read what a shell would be given, without running it; None when it has nothing to do with Ansible. Raises Unsayable or Unreadable."""
    begun = around or Around()
    rest, test = _date_test(text, begun.test)
    reading = _Reading(replace(begun, test=test))
    _read(simple_commands(rest, variables), reading)
    if len(reading.calls) > 1:
        raise Unsayable(f"it runs {len(reading.calls)} playbooks, and a schedule has one. Write one schedule for each")
    if reading.calls:
        return replace(reading.calls[0], around=reading.around)
    if reading.ad_hoc:
        raise Unsayable(reading.ad_hoc)
    if len(reading.others) == 1 and "/" in reading.others[0]:
        script, around = reading.others[0], reading.around
        notes = tuple(
            note for note in around.left_out if f"`{script}" not in note
        )  # the script is the call, nothing beside it
        return ScriptCommand(script, replace(around, left_out=notes))
    return None


def _date_test(text: str, known: DayTest) -> tuple[str, DayTest]:
    """Take the usual tests of the date off the beginning of a command."""
    if found := _WEEKDAY.search(text):
        number = int(found["number"]) or _SUNDAY
        rest = text[: found.start()] + text[found.end() :]
        return rest, replace(known, weekdays=frozenset({number - 1}))
    if found := _TOMORROW.search(text):
        return text[: found.start()] + text[found.end() :], replace(known, last_day=True)
    return text, known


def _read(commands: Sequence[SimpleCommand], reading: _Reading) -> None:
    """Go through commands in order; what comes after a call is what is done with its output or its end."""
    before = ""
    for command in commands:
        if before.startswith("|") and before != "||" and reading.calls:
            reading.around = replace(reading.around, logs=(*reading.around.logs, *_files(command)))
        else:
            _read_one(command, reading)
        before = command.then


def _files(command: SimpleCommand) -> Iterator[str]:
    """Files that the output of a call is piped into, such as `tee -a FILE`."""
    yield from command.writes
    if name_of(command.words[0]) == "tee":
        yield from (word for word in command.words[1:] if not word.startswith("-"))


def _read_one(command: SimpleCommand, reading: _Reading) -> None:
    inner = unwrap(command.words)
    _note_wrappers(inner.user, inner.timeout, inner.wrappers, reading)
    if inner.shell:
        _read(simple_commands(inner.shell, {}), reading)
        return
    if not inner.words:
        return
    program = name_of(inner.words[0])
    if program == PLAYBOOK:
        _add_call(inner.words, {**command.variables, **inner.variables}, command, reading)
    elif program in {"ansible", "ansible-pull"}:
        reading.ad_hoc = _why_not(program)
    else:
        _read_other(program, inner.words, reading)


def _note_wrappers(user: str, timeout: str, wrappers: Sequence[str], reading: _Reading) -> None:
    notes = [_WORDS[name] for name in wrappers if name in _WORDS]
    notes += [f"timeout {timeout} ended it; the end of the window does that"] if timeout else []
    around = reading.around
    reading.around = replace(
        around,
        user=user or around.user,
        timeout=timeout or around.timeout,
        left_out=(*around.left_out, *notes),
    )


def _add_call(words: Sequence[str], variables: Mapping[str, str], command: SimpleCommand, reading: _Reading) -> None:
    """A call of ansible-playbook, and the variables of the environment that it is given."""
    notes = [f"{name} was set for it: set it in ansible.cfg" for name in variables]
    around = reading.around
    reading.around = replace(around, logs=(*around.logs, *command.writes), left_out=(*around.left_out, *notes))
    reading.calls.append(PlaybookCommand(words[0], playbook_call(words[1:]), reading.around))


def _why_not(program: str) -> str:
    if program == "ansible":
        return "it runs one module without a playbook. Put the module into a playbook, or ask it as a health check"
    return (
        "ansible-pull fetches a repository and runs it on the machine itself. A schedule runs a playbook of this folder"
    )


def _read_other(program: str, words: Sequence[str], reading: _Reading) -> None:
    """What is neither Ansible nor a wrapper: where it works, what it sets up, a script, or something to tell."""
    around = reading.around
    if program == "cd":
        reading.around = replace(around, folder=_joined(around.folder, words[1] if len(words) > 1 else "~"))
    elif program in {".", "source"} and len(words) > 1 and PurePosixPath(words[1]).parts[-2:] == ACTIVATE:
        reading.around = replace(around, activated=str(PurePosixPath(words[1]).parent))
    elif program in _TESTS:
        reading.around = replace(around, left_out=(*around.left_out, f"it ran only when `{' '.join(words)}`"))
    elif program == "sleep":
        reading.around = replace(around, left_out=(*around.left_out, _WORDS["sleep"]))
    elif program == "export" and any(word.startswith("ANSIBLE_") for word in words):
        notes = [f"{word.partition('=')[0]} was set for it: set it in ansible.cfg" for word in words[1:]]
        reading.around = replace(around, left_out=(*around.left_out, *notes))
    elif program not in _QUIET:
        reading.others.append(words[0])
        when = "after" if reading.calls else "before"
        shown = " ".join(words[:2])  # not all of it: it may hold a secret
        note = f"`{shown}` was done {when} it, and is not part of the schedule"
        reading.around = replace(around, left_out=(*around.left_out, note))


def _joined(folder: str, target: str) -> str:
    if "$" in target:
        raise Unreadable(f"where it works is known only when it runs (cd {target})")
    return str(PurePosixPath(folder, target))
