"""What a playbook's text tells without Ansible: its plays, what they ask for, and what stands in the way of splitting it.

Playbooks are the user's own and may hold whatever Ansible reads: custom tags, repeated keys, templates.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from runner.config import source as places
from runner.config.files import read_file, shown
from runner.config.source import Source
from runner.errors import FilesInvalid, Problem

LOCALHOST = ("localhost", "127.0.0.1", "::1")
_VARIABLE = re.compile(r"\{\{\s*([A-Za-z_]\w*)([^}]*)\}\}")
_IMPORTS = ("import_playbook", "ansible.builtin.import_playbook", "ansible.legacy.import_playbook")
_TASK_LISTS = ("pre_tasks", "tasks", "post_tasks", "handlers", "block", "rescue", "always")
_ADD_HOST = ("add_host", "ansible.builtin.add_host", "ansible.legacy.add_host")
_ALWAYS = ("serial", "max_fail_percentage")  # whatever their value
_WHEN_TRUE = ("run_once", "any_errors_fatal")
_FALSE = (False, None, "no", "false", "off")
_VAULTED = "$ANSIBLE_VAULT"
_MOST_IMPORTS = 200


@dataclass(frozen=True, slots=True)
class Obstacle:
    """What goes wrong when a play is called once per batch of hosts, and where it stands (`file:line`)."""

    what: str
    place: str


@dataclass(frozen=True, slots=True)
class Play:
    """One play: its name, its host pattern, where it stands, and what it needs to be told.

    `variables` are names in its pattern without a default; `prompts` are names in its vars_prompt.
    """

    name: str
    hosts: str
    file: str
    line: int
    variables: tuple[str, ...] = ()
    prompts: tuple[str, ...] = ()
    obstacles: tuple[Obstacle, ...] = ()

    @property
    def called(self) -> str:
        """The play as a message names it."""
        return f"the play {self.name!r} ({self.file}:{self.line})"

    @property
    def is_local(self) -> bool:
        """Whether it is for the machine that Ansible runs on."""
        return any(part.strip() in LOCALHOST for part in re.split(r"[,;]|:(?!:)", self.hosts)) or self.hosts == "::1"


@dataclass(frozen=True, slots=True)
class Playbook:
    """The plays of a playbook, those of imported ones included, and what cannot be understood of it."""

    plays: tuple[Play, ...]
    problems: tuple[Problem, ...]


def plays_of(playbook: Path, *, root: Path | None = None) -> tuple[Play, ...]:
    """The plays of a playbook in order, imported ones included; raises FilesInvalid when it cannot be read."""
    found = read_playbook(playbook, root=root or playbook.parent)
    if found.problems:
        raise FilesInvalid(found.problems)
    return found.plays


def read_playbook(playbook: Path, *, root: Path) -> Playbook:
    """Read a playbook and the playbooks that it imports; files are shown relative to `root`."""
    reader = _Reader(root)
    reader.read(playbook)
    return Playbook(tuple(reader.plays), tuple(reader.problems))


@dataclass(slots=True)
class _Reader:
    """Reads a playbook and follows its imports, each file once."""

    root: Path
    plays: list[Play] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    seen: set[Path] = field(default_factory=set)

    def read(self, path: Path) -> None:
        """Add the plays of one file."""
        source, found = read_file(self.root, path, tolerant=True)
        self.seen.add(path)
        self.problems += found
        if source is None:
            return
        if not isinstance(source.value, list):
            self.problems.append(source.problem((), _no_list(source.value)))
            return
        for number, play in enumerate(source.value):
            if isinstance(play, dict):
                self._add(source, path, number, play)
            else:
                self.problems.append(
                    source.problem((number,), "a play is a mapping with hosts: and tasks. Check the indentation")
                )

    def _add(self, source: Source, path: Path, number: int, play: Mapping[str, object]) -> None:
        imported = next((str(play[key]) for key in _IMPORTS if isinstance(play.get(key), str)), None)
        if imported is not None:
            self._follow(source, path, number, imported)
        elif "hosts" in play:
            self.plays.append(_play(source, number, play))
        else:
            self.problems.append(source.problem((number,), "this play has no hosts. Add them, such as hosts: all"))

    def _follow(self, source: Source, path: Path, number: int, imported: str) -> None:
        """Read an imported playbook; what is named by a template, or lives in a collection, cannot be looked into."""
        target = (path.parent / imported.split(maxsplit=1)[0]) if imported.split() else path
        if "{{" in imported or not (target.suffix in {".yml", ".yaml"} or target.exists()):
            place = source.place((number,))
            unseen = Obstacle(f"import_playbook: {imported}, which cannot be looked into", place)
            self.plays.append(Play(imported, "", source.file, int(place.rpartition(":")[2]), obstacles=(unseen,)))
        elif not target.exists():
            missing = f"there is no playbook {shown(self.root, target)} to import. Check the path, which is relative to this file"
            self.problems.append(source.problem((number,), missing))
        elif target not in self.seen and len(self.seen) < _MOST_IMPORTS:
            self.read(target)


def _play(source: Source, number: int, play: Mapping[str, object]) -> Play:
    hosts = play["hosts"]
    pattern = ",".join(map(str, hosts)) if isinstance(hosts, list) else str(hosts)
    name = play.get("name")
    return Play(
        name=name if isinstance(name, str) and name else pattern,
        hosts=pattern,
        file=source.file,
        line=source.mark_of_value((number,)).line,
        variables=tuple(dict.fromkeys(word for word, rest in _VARIABLE.findall(pattern) if "default" not in rest)),
        prompts=tuple(_prompts(play.get("vars_prompt"))),
        obstacles=tuple(_obstacles(source, (number,), play)),
    )


def _prompts(asked: object) -> Iterator[str]:
    """The names that a play asks a person for."""
    for question in asked if isinstance(asked, list) else []:
        if isinstance(question, dict) and isinstance(question.get("name"), str):
            yield question["name"]


def _obstacles(source: Source, path: places.Path, block: Mapping[str, object]) -> Iterator[Obstacle]:
    """What a play, block or task has that goes wrong when Ansible is called once per batch of hosts."""
    for key, value in block.items():
        here = (*path, key)
        if (key in _ALWAYS and len(path) == 1) or (key in _WHEN_TRUE and _is_on(value)) or key in _ADD_HOST:
            yield Obstacle(key.rpartition(".")[2], source.place(here))
        elif key in {"action", "local_action"} and _module(value) in _ADD_HOST:
            yield Obstacle("add_host", source.place(here))
        elif key in _TASK_LISTS and isinstance(value, list):
            for number, task in enumerate(value):
                if isinstance(task, dict):
                    yield from _obstacles(source, (*here, number), task)


def _is_on(value: object) -> bool:
    """Whether a switch is on, or may be: a template counts as on."""
    return (value.strip().lower() if isinstance(value, str) else value) not in _FALSE


def _module(action: object) -> str:
    """The module that `action: module key=value` or `action: {module: …}` names."""
    if isinstance(action, dict):
        return str(action.get("module", ""))
    return str(action).split()[0] if str(action).split() else ""


def _no_list(value: object) -> str:
    if isinstance(value, str) and value.startswith(_VAULTED):
        return "is encrypted as a whole, so that its plays cannot be seen. Encrypt its variables instead"
    return "a playbook is a list of plays. Begin the play with a dash: - hosts: all"
