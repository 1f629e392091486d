"""Makes the draft of a schedule out of one call of a playbook, and of what stands around it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from runner.config.playbooks import Play, read_playbook
from runner.config.rules.windows import MOST_OPENINGS
from runner.config.zones import check_zone
from runner.domain.adoption.cron_command import Around, PlaybookCommand
from runner.domain.adoption.cron_rule import CronRule, NoPlainWords, fields_of, rate_of, rule_of
from runner.domain.adoption.crontab import CronEntry, DayTest, Unsayable
from runner.domain.adoption.playbook_call import PlaybookCall
from runner.domain.time.duration import describe
from runner.operations.adoption.find_content import Content, folder_of, locate, named

EVERYBODY = frozenset({"all", "*"})
OF_THE_SYSTEM = frozenset({"/bin", "/usr/bin", "/usr/local/bin", "."})
GUESS = timedelta(hours=2)
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


def draft(
    line: Line, command: PlaybookCommand, crontab: Crontab, content: Content, inventories: dict[str, str]
) -> Draft:
    """The schedule that a call makes."""
    call, around = command.call, command.around
    works_here = _works_here(around, crontab, content)
    playbook = locate(call.playbook, folder=around.folder, home=crontab.home, root=content.root)
    if playbook.path.startswith("/"):
        raise Unsayable(
            f"{playbook.path} lies outside of this repository, of which runs take a copy. Adopt it where it lies"
        )
    source = _source(call, around, crontab, content, works_here=works_here)
    hosts, split = _hosts(call, playbook.path, content.root)
    when = _when(line.entry, around)
    zone = _zone(line.entry, around.test)
    notes = [
        when.note,
        playbook.note,
        *_about_folder(content, works_here=works_here),
        *_about_user(line, around),
        *_about_zone(line.entry),
        *around.left_out,
        *call.left_out,
    ]
    return Draft(
        line=line,
        playbook=playbook.path,
        hosts=hosts,
        inventory=named(source, inventories),
        rule=when.rule,
        timezone=zone,
        duration=describe(when.length),
        call=call,
        split=split,
        logs=around.logs,
        bin=_bin(command, line.entry.settings.get("PATH", ""), content.root),
        vault={name: _vault(path, around, crontab, content) for name, path in call.vault.items()},
        look_at=tuple(note for note in notes if note),
    )


def _works_here(around: Around, crontab: Crontab, content: Content) -> bool:
    """Whether the line works in this repository, so that Ansible read its ansible.cfg; raises Unsayable for a folder with one of its own.

    A folder that is not on this machine is taken to be this one: the repository may be a copy.
    """
    if not around.folder:
        return False
    folder = folder_of(around.folder, home=crontab.home)
    if folder.is_dir() and folder.resolve() != content.root.resolve():
        if folder.resolve().is_relative_to(content.root.resolve()) and (folder / "ansible.cfg").is_file():
            raise Unsayable(f"it works in {folder}, which has an ansible.cfg of its own. Adopt that folder by itself")
        return False
    return True


def _about_folder(content: Content, *, works_here: bool) -> Iterator[str]:
    if not works_here and (content.root / "ansible.cfg").is_file():
        yield "it did not work in this folder, so that the ansible.cfg here did not count for it; now it does"


def _source(call: PlaybookCall, around: Around, crontab: Crontab, content: Content, *, works_here: bool) -> str:
    """The inventory that a call reads."""
    if "," in call.inventory:
        return call.inventory
    if call.inventory:
        return locate(call.inventory, folder=around.folder, home=crontab.home, root=content.root).path
    if content.default and works_here:
        return content.inventories[content.default]
    why = (
        "it does not cd into this repository, whose ansible.cfg names one"
        if content.default
        else "ansible.cfg here names none"
    )
    raise Unsayable(f"it names no inventory, and {why}. Write a schedule with inventory:")


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


@dataclass(frozen=True, slots=True)
class _When:
    """When a line runs: the rule and length of its window, and what a person has to know about the rule."""

    rule: CronRule
    length: timedelta
    note: str = ""


def _when(entry: CronEntry, around: Around) -> _When:
    """The window of a line, by a cron expression where plain words do not say the same; such a window ends before it opens again."""
    length = _length(around.timeout)
    try:
        return _When(rule_of(entry.when, around.test), length)
    except NoPlainWords as reason:
        fields = fields_of(entry.when)
        rate = rate_of(fields)
        if rate.per_year > MOST_OPENINGS:
            raise Unsayable(
                f"it runs {rate.per_year} times a year, and a window opens {MOST_OPENINGS} times at most. Write when it is really needed, "
                "or, if it only looks, a schedule with effect: read_only and every: in place of a window"
            ) from None
        note = f"its window is a cron expression, as plain words do not say the same: {reason}"
        return _When(CronRule(cron=fields.text), min(length, rate.shortest_gap), note)


def _length(timeout: str) -> timedelta:
    """A guess at the length of the window: as long as `timeout` let it be, or two hours."""
    number, unit = (timeout[:-1], timeout[-1]) if timeout[-1:].isalpha() else (timeout, "s")
    if not (number.isascii() and number.isdigit() and unit in _SECONDS):
        return GUESS
    seconds = int(number[:9]) * _SECONDS[unit]
    return timedelta(seconds=seconds) if 60 <= seconds <= 7 * 86_400 else GUESS  # noqa: PLR2004  a minute to a week


def _bin(command: PlaybookCommand, path: str, root: Path) -> str:
    """The folder of the Ansible that was called, unless it is the system's own: written out, of an activated environment, or the first in PATH."""
    there = (each for each in path.split(":") if each.startswith("/") and Path(each, "ansible-playbook").is_file())
    folder = (
        str(Path(command.program).parent) if "/" in command.program else command.around.activated or next(there, "")
    )
    return "" if not folder or folder in OF_THE_SYSTEM or not (root / folder).is_dir() else folder


def _vault(path: str, around: Around, crontab: Crontab, content: Content) -> tuple[str, str]:
    """Where a vault password is found: a file that may be executed is a program that prints it."""
    found = locate(path, folder=around.folder, home=crontab.home, root=content.root).path
    is_program = bool((content.root / found).stat().st_mode & 0o111)
    return ("command", str(content.root / found)) if is_program else ("file", found)
