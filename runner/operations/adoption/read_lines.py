"""Reads the lines of a crontab: what each one does, as a draft of a schedule, or why a person has to look at it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

from runner.config.playbooks import Play, read_playbook
from runner.config.zones import check_zone
from runner.domain.execution.cron_command import Around, PlaybookCommand, ScriptCommand, read_command
from runner.domain.execution.playbook_call import PlaybookCall
from runner.domain.execution.shell_words import Unreadable
from runner.domain.time.crontab import CronEntry, CronRule, DayTest, Unsayable, entries, rule_of
from runner.domain.time.duration import describe
from runner.operations.adoption.find_content import Content, locate, named

LARGEST_SCRIPT = 100_000
EVERYBODY = frozenset({"all", "*"})
OF_THE_SYSTEM = frozenset({"/bin", "/usr/bin", "/usr/local/bin", "."})
KNOWN_COMMANDS = frozenset(
    {"cd", "ansible-playbook", "ansible", "flock", "nice", "ionice", "timeout", "sudo", "env", "test", "[", "export", "bash", "sh", "chronic"}
)  # fmt: skip
GUESS = "2h"
_SECRET = re.compile(r"\w*(?:passw(?:or)?d|passphrase|secret|token|api_?key)\w*=\S", re.IGNORECASE)
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


@dataclass(frozen=True, slots=True)
class Crontab:
    """One crontab: its name as people know it, its text, whether its lines name a user (None: look), and the home folder of its user if that is known."""

    name: str
    text: str
    with_users: bool | None = False
    home: Path | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a crontab, where it stands, and what is to be done about it."""

    crontab: str
    entry: CronEntry

    @property
    def place(self) -> str:
        """File and line."""
        return f"{self.crontab}:{self.entry.line}"


@dataclass(frozen=True, slots=True)
class Draft:
    """A schedule to be: everything that the line says, and what is left for a person to look at."""

    line: Line
    playbook: str
    hosts: str
    inventory: str
    rule: CronRule
    timezone: str | None
    duration: str
    call: PlaybookCall
    split: str = ""
    logs: tuple[str, ...] = ()
    bin: str = ""
    vault: Mapping[str, tuple[str, str]] = field(default_factory=dict)  # vault id -> (file or command, where)
    look_at: tuple[str, ...] = ()


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
        _read(Line(crontab.name, entry), crontab, content, inventories)
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
            raise Unsayable("it holds a secret in plain text. Put it into a vaulted file; schedules are kept in Git")
        command = _command(entry, crontab)
        return _draft(line, command, crontab, content, inventories) if command else Other(line)
    except Unsayable as reason:
        return NeedsPerson(line, str(reason), secret="in plain text" in str(reason))
    except Unreadable as reason:
        return (
            NeedsPerson(line, f"it cannot be told what it does: {reason}") if _is_about_ansible(entry) else Other(line)
        )


def _is_about_ansible(entry: CronEntry) -> bool:
    """Whether a line that cannot be understood is worth a person's look."""
    return "ansible" in entry.command or "/" in entry.command.split()[0]


def _command(entry: CronEntry, crontab: Crontab) -> PlaybookCommand | None:
    """The call that a line makes, in its script if it starts one; None when it is not about Ansible."""
    variables = _variables(entry)
    found = read_command(entry.command, variables=variables)
    if isinstance(found, ScriptCommand):
        found = _follow(found, crontab, variables)
    if isinstance(found, PlaybookCommand) and entry.has_input:
        raise Unsayable("what stands after the % is fed to it as input, and nobody answers in a window")
    return found if isinstance(found, PlaybookCommand) else None


def _variables(entry: CronEntry) -> dict[str, str]:
    return {name: value for name, value in entry.settings.items() if name not in {"PATH", "MAILTO", "SHELL"}}


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


def _draft(
    line: Line, command: PlaybookCommand, crontab: Crontab, content: Content, inventories: dict[str, str]
) -> Draft:
    """The schedule that a call makes."""
    call, around = command.call, command.around
    playbook = locate(call.playbook, folder=around.folder, home=crontab.home, root=content.root)
    if playbook.path.startswith("/"):
        raise Unsayable(
            f"{playbook.path} lies outside of this repository, of which runs take a copy. Adopt it where it lies"
        )
    source = _source(call, around, crontab, content)
    hosts, split = _hosts(call, playbook.path, content.root)
    rule = rule_of(line.entry.when, around.test)
    zone = _zone(line.entry, around.test)
    notes = [playbook.note, *_about_user(line, around), *_about_zone(line.entry), *around.left_out, *call.left_out]
    return Draft(
        line=line,
        playbook=playbook.path,
        hosts=hosts,
        inventory=named(source, inventories),
        rule=rule,
        timezone=zone,
        duration=_duration(around.timeout),
        call=call,
        split=split,
        logs=around.logs,
        bin=_bin(command, content.root),
        vault={name: _vault(path, around, crontab, content) for name, path in call.vault.items()},
        look_at=tuple(note for note in notes if note),
    )


def _source(call: PlaybookCall, around: Around, crontab: Crontab, content: Content) -> str:
    """The inventory that a call reads."""
    if "," in call.inventory:
        return call.inventory
    if call.inventory:
        return locate(call.inventory, folder=around.folder, home=crontab.home, root=content.root).path
    if content.default:
        return content.inventories[content.default]
    raise Unsayable("it names no inventory, and ansible.cfg here names none. Add inventory: to a schedule of your own")


def _hosts(call: PlaybookCall, playbook: str, root: Path) -> tuple[str, str]:
    """The hosts that are meant, and how the playbook is called: as cron did, for all of them at once or for some."""
    found = read_playbook(root / playbook, root=root)
    if found.problems or not found.plays:
        reason = str(found.problems[0]) if found.problems else f"{playbook} has no play"
        raise Unsayable(reason)
    patterns = tuple(dict.fromkeys(_pattern(play, call) for play in found.plays))
    in_one_go = [play for play in found.plays if play.obstacles or play.is_local]
    if not call.limit:
        return ":".join(pattern for pattern in patterns if pattern) or "all", "split: whole" if in_one_go else ""
    if in_one_go:
        raise Unsayable(
            f"--limit {call.limit} was given to a playbook that must be called in one go ({in_one_go[0].called}), and split: whole has no limit. "
            "Narrow the hosts of its plays"
        )
    if len(patterns) == 1 and patterns[0] not in EVERYBODY | {call.limit}:
        return _both(patterns[0], call.limit), "split_is_safe: true"
    return call.limit, "" if set(patterns) <= EVERYBODY or patterns == (call.limit,) else "split_is_safe: true"


def _both(pattern: str, limit: str) -> str:
    """Hosts that a play and a limit both name; a pattern cannot be put into brackets, so a compound limit stands by itself."""
    is_plain = not set(",:!&[~") & set(limit)
    return f"{pattern}:&{limit}" if is_plain and "," not in pattern else limit


def _pattern(play: Play, call: PlaybookCall) -> str:
    """The pattern of a play, with the variables that the call gives."""
    if "{{" not in play.hosts:
        return play.hosts
    given = [str(call.extra_vars[name]) for name in play.variables if name in call.extra_vars]
    whole = play.hosts.strip().startswith("{{") and play.hosts.strip().endswith("}}")
    if whole and len(given) == 1:
        return given[0]
    if call.limit:
        return "all"
    raise Unsayable(
        f"the hosts of {play.called} are a template, and the line does not say what for. Write a schedule with hosts:"
    )


def _zone(entry: CronEntry, test: DayTest) -> str | None:
    """The zone that CRON_TZ names; None for the machine's own."""
    name = entry.settings.get("CRON_TZ")
    if not name:
        return None
    if test != DayTest():
        raise Unsayable(
            f"its time is in {name} (CRON_TZ), and the test of the date in its command is not. Write what was meant"
        )
    try:
        return check_zone(name)
    except ValueError as reason:
        raise Unsayable(f"CRON_TZ: {reason}") from None


def _about_zone(entry: CronEntry) -> Iterator[str]:
    if "CRON_TZ" in entry.settings:
        yield "CRON_TZ is obeyed by cronie and not by Debian's cron: if it was not obeyed here, take timezone: away"
    elif "TZ" in entry.settings:
        yield f"TZ={entry.settings['TZ']} was set for the command; cron itself reads its times in this machine's zone"


def _about_user(line: Line, around: Around) -> Iterator[str]:
    if user := around.user or line.entry.user:
        yield f"it ran as {user}; a schedule runs as the user that wellkept serve runs as, whose ssh keys are then used"


def _duration(timeout: str) -> str:
    """A guess at the length of the window: as long as `timeout` let it be, or two hours."""
    number, unit = (timeout[:-1], timeout[-1]) if timeout[-1:].isalpha() else (timeout, "s")
    if not (number.isascii() and number.isdigit() and unit in _SECONDS):
        return GUESS
    seconds = int(number[:9]) * _SECONDS[unit]
    return describe(timedelta(seconds=seconds)) if 60 <= seconds <= 7 * 86_400 else GUESS  # noqa: PLR2004  a minute to a week


def _bin(command: PlaybookCommand, root: Path) -> str:
    """The folder of the Ansible that was called, unless it is the system's own."""
    folder = str(Path(command.program).parent) if "/" in command.program else command.around.activated
    return "" if not folder or folder in OF_THE_SYSTEM or not (root / folder).is_dir() else folder


def _vault(path: str, around: Around, crontab: Crontab, content: Content) -> tuple[str, str]:
    """Where a vault password is found: a file that may be executed is a program that prints it."""
    found = locate(path, folder=around.folder, home=crontab.home, root=content.root).path
    is_program = bool((content.root / found).stat().st_mode & 0o111)
    return ("command", str(content.root / found)) if is_program else ("file", found)
