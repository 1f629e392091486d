"""Reads the lines of a crontab: what each one does, as a draft of a schedule, or why a person has to look at it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from runner.domain.adoption.cron_command import PlaybookCommand, ScriptCommand, read_command
from runner.domain.adoption.crontab import CronEntry, InPlainText, Unsayable, entries
from runner.domain.adoption.shell_words import Unreadable
from runner.operations.adoption.draft_schedule import Crontab, Draft, Line, draft
from runner.operations.adoption.find_content import Content

LARGEST_SCRIPT = 100_000
PLAYBOOK_PROGRAM = "ansible-playbook"
KNOWN_COMMANDS = frozenset(
    {"cd", "ansible-playbook", "ansible", "flock", "nice", "ionice", "timeout", "sudo", "env", "test", "[", "export", "bash", "sh", "chronic"}
)  # fmt: skip
_SECRET = re.compile(r"\w*(?:passw(?:or)?d|passphrase|secret|token|api_?key)\w*=\S", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class NeedsPerson:
    """A line that cannot be said exactly, and why; `secret` when its text must not be repeated."""

    line: Line
    reason: str
    secret: bool = False


@dataclass(frozen=True, slots=True)
class Other:
    """A line that has nothing to do with Ansible."""

    line: Line


Read = Draft | NeedsPerson | Other


def read_lines(crontabs: Sequence[Crontab], content: Content, inventories: dict[str, str]) -> list[Read]:
    """What every line says; inventories that lines name are added to `inventories`."""
    return [
        _read(Line(crontab.name, entry), at_home(crontab, entry), content, inventories)
        for crontab in crontabs
        for entry in entries(crontab.text, with_users=_with_users(crontab))
    ]


def _with_users(crontab: Crontab) -> bool:
    """Whether lines name a user after the time; told by the words that follow, where nobody has said so."""
    if crontab.with_users is not None:
        return crontab.with_users
    found = [entry.command.split(maxsplit=2) for entry in entries(crontab.text, with_users=False) if entry.command]
    return bool(found) and all(len(words) > 1 and _is_user(words[0]) and _is_program(words[1]) for words in found)


def _is_user(word: str) -> bool:
    return word.replace("-", "").replace("_", "").isalnum() and (word not in KNOWN_COMMANDS or word == "ansible")


def _is_program(word: str) -> bool:
    return word in KNOWN_COMMANDS or word[0] in "/.~[" or "=" in word


def _read(line: Line, crontab: Crontab, content: Content, inventories: dict[str, str]) -> Read:
    entry = line.entry
    try:
        if entry.problem:
            return NeedsPerson(line, entry.problem)
        if _SECRET.search(entry.command):
            raise InPlainText("it holds a secret in plain text. Put it into a vaulted file; schedules are kept in Git")
        command = _command(entry, crontab)
        if command is None and PLAYBOOK_PROGRAM in entry.command:
            raise Unreadable(f"its first word is {entry.command.split()[0]!r}, and {PLAYBOOK_PROGRAM} comes behind it")
        return draft(line, command, crontab, content, inventories) if command else Other(line)
    except Unsayable as reason:
        return NeedsPerson(line, str(reason), secret=isinstance(reason, InPlainText))
    except Unreadable as reason:
        return (
            NeedsPerson(line, f"it cannot be told what it does: {reason}") if _is_about_ansible(entry) else Other(line)
        )


def _is_about_ansible(entry: CronEntry) -> bool:
    """Whether a line that cannot be understood is worth a person's look."""
    return "ansible" in entry.command or "/" in entry.command.split()[0]


def _command(entry: CronEntry, crontab: Crontab) -> PlaybookCommand | None:
    """The call that a line makes, in its script if it starts one; None when it is not about Ansible."""
    variables = _variables(entry, crontab)
    found = read_command(entry.command, variables=variables)
    if isinstance(found, ScriptCommand):
        found = _follow(found, crontab, variables)
    if isinstance(found, PlaybookCommand) and entry.has_input:
        raise Unsayable("what stands after the % is fed to it as input, and nobody answers in a window")
    return found if isinstance(found, PlaybookCommand) else None


def at_home(crontab: Crontab, entry: CronEntry) -> Crontab:
    """The same crontab with the home folder that stands above an entry."""
    home = entry.settings.get("HOME", "")
    return replace(crontab, home=Path(home)) if home.startswith("/") else crontab


def _variables(entry: CronEntry, crontab: Crontab) -> dict[str, str]:
    """What the shell knows as far as it is told: lines above the entry, and the home folder."""
    known = {name: value for name, value in entry.settings.items() if name not in {"PATH", "MAILTO", "SHELL"}}
    return {**known, "HOME": str(crontab.home)} if crontab.home else known


def _follow(script: ScriptCommand, crontab: Crontab, variables: Mapping[str, str]) -> PlaybookCommand | None:
    """Read a script, one level deep."""
    path = Path(script.around.folder or crontab.home or "/", script.path)
    text = _text_of(path)
    if "ansible" not in text:
        return None
    try:
        found = read_command(_without_first_line(text), variables=variables, around=script.around)
    except Unreadable as reason:
        raise Unreadable(f"in {path}: {reason}") from None
    if isinstance(found, ScriptCommand):
        raise Unreadable(f"{path} starts {found.path}, and scripts are followed one level deep")
    if isinstance(found, PlaybookCommand):
        note = f"the call stands in {path}"
        return replace(found, around=replace(found.around, left_out=(note, *found.around.left_out)))
    return None


def _text_of(path: Path) -> str:
    """The text of a script; a program that is none has nothing to tell."""
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_SCRIPT + 1)
    except OSError as error:
        raise Unreadable(f"{path} cannot be read ({error.strerror})") from None
    if b"\0" in content or len(content) > LARGEST_SCRIPT:
        return ""
    return content.decode("utf-8", "replace")


def _without_first_line(text: str) -> str:
    """A script without its `#!` line, if it is one for a shell."""
    first, _, rest = text.partition("\n")
    if first.startswith("#!") and not first.split()[-1].endswith("sh"):
        raise Unreadable(f"it is no script of a shell ({first})")
    return rest if first.startswith("#!") else text
