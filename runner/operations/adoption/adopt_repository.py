"""Takes in a repository that has playbooks already: writes wellkept.yml and schedules, all switched off, and touches nothing else."""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from runner.config import check
from runner.config.zones import system_zone
from runner.domain.settings import Definitions, Inventory
from runner.errors import UsageError, count
from runner.operations.adoption.draft_schedule import Crontab, Draft
from runner.operations.adoption.find_content import Content, find_content, free_name
from runner.operations.adoption.read_lines import NeedsPerson, Other, Read, read_lines
from runner.operations.adoption.texts import SETTINGS, Owner, schedule_text, settings_text
from runner.operations.validate_files import problems_of_schedule
from runner.ports import DateSources, InventoryReader

SCHEDULES = "schedules"
NOTES_SHOWN = 10


@dataclass(frozen=True, slots=True)
class AdoptedLine:
    """What became of one line of a crontab: `outcome` is schedule, needs_person or not_ansible; `look_at` is left for a person in any case."""

    place: str
    line: str
    outcome: str
    schedule: str | None
    file: str | None
    reason: str
    look_at: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FileToWrite:
    """One file: its path, relative to the repository, and its whole text."""

    path: str
    text: str


@dataclass(frozen=True, slots=True)
class Adoption:
    """All lines and what became of them, the files, and what else was found; `there_already` are files that would have to be overwritten."""

    lines: tuple[AdoptedLine, ...]
    files: tuple[FileToWrite, ...]
    inventories: Mapping[str, str]
    without_schedule: tuple[str, ...]
    notes: tuple[str, ...]
    there_already: tuple[str, ...]
    written: bool

    @property
    def summary(self) -> str:
        """One sentence: how many lines became schedules, and how many need a person."""
        total = len(self.lines)
        made, left, other = (
            sum(line.outcome == outcome for line in self.lines)
            for outcome in ("schedule", "needs_person", "not_ansible")
        )
        if not total:
            return "There was no crontab, or it has no lines. Name one with --crontab FILE, or write schedules by hand."
        parts = [f"{made} of {count(total, 'line')} became {'a schedule' if made == 1 else 'schedules'}"]
        parts += [f"{left} {'needs' if left == 1 else 'need'} a person"] if left else []
        parts += [f"{other} {'is' if other == 1 else 'are'} not about Ansible"] if other else []
        return f"{'; '.join(parts)}."


def adopt_repository(
    root: Path,
    crontabs: Sequence[Crontab],
    *,
    owner: Owner,
    environ: Mapping[str, str],
    dry_run: bool = False,
    inventories: InventoryReader | None = None,
    sources: DateSources | None = None,
) -> Adoption:
    """Read what is there and write what it says; a dry run writes nothing.

    Whatever `wellkept validate` would refuse is not written: its line is left to a person. Without `inventories`, nobody asks
    Ansible what they hold; `sources` reads cron expressions and the like. Nothing is written when a file is there already; `there_already` names it.
    """
    content = find_content(root)
    named = dict(content.inventories)
    found = read_lines(crontabs, content, named)
    unread = _unread(root, named, found, content, inventories)
    names = _named(found)
    readable = {name: source for name, source in named.items() if name not in unread}
    make = _Maker(content, readable, owner, system_zone(environ))
    final, foreign = _that_hold(found, names, _Trial(make, environ, inventories, sources))
    files = make.files(final, names)
    there = tuple(path for path in files if (root / path).exists())
    if not dry_run and not there:
        _write(root, files)
    return Adoption(
        lines=tuple(_told(read, names.get(index)) for index, read in enumerate(final)),
        files=tuple(FileToWrite(path, text) for path, text in files.items()),
        inventories=make.named_in([read for read in final if isinstance(read, Draft)]),
        without_schedule=_without_schedule(content, final),
        notes=(*content.notes, *unread.values(), *foreign),
        there_already=there,
        written=not dry_run and not there,
    )


def _unread(
    root: Path, sources: Mapping[str, str], found: Sequence[Read], content: Content, inventories: InventoryReader | None
) -> dict[str, str]:
    """Files among the inventories that Ansible makes nothing of, and that nothing names: each with a sentence about it."""
    if inventories is None:
        return {}
    used = {content.default, *(read.inventory for read in found if isinstance(read, Draft))}
    notes = {}
    for name, source in sources.items():
        if name not in used:
            answer = inventories.read(Inventory(name, source), project=root)
            if answer.errors or not answer.hosts:
                reason = answer.errors[0] if answer.errors else "it has no hosts"
                notes[name] = f"{source} was left out of wellkept.yml: {reason}"
    return notes


@dataclass(frozen=True, slots=True)
class _Maker:
    """Makes the texts of all files."""

    content: Content
    inventories: Mapping[str, str]
    owner: Owner
    timezone: str

    def files(self, found: Sequence[Read], names: Mapping[int, str]) -> dict[str, str]:
        """Every file by its path; wellkept.yml comes last, so that a writing that was interrupted can be done again."""
        drafts = [read for read in found if isinstance(read, Draft)]
        left = [read for read in found if isinstance(read, NeedsPerson)]
        schedules = {
            _path(names[index]): schedule_text(names[index], read)
            for index, read in enumerate(found)
            if isinstance(read, Draft)
        }
        settings = settings_text(
            self.content, self.named_in(drafts), drafts, left, owner=self.owner, timezone=self.timezone
        )
        return {**schedules, SETTINGS: settings}

    def named_in(self, drafts: Sequence[Draft]) -> dict[str, str]:
        """The inventories of the repository, and others that a schedule names."""
        used = {*self.content.inventories, *(draft.inventory for draft in drafts)}  # others: by lines that were refused
        return {name: source for name, source in self.inventories.items() if name in used}


def _path(name: str) -> str:
    return f"{SCHEDULES}/{name}.yml"


def _named(found: Sequence[Read]) -> dict[int, str]:
    """A name for each schedule: that of its playbook, with its hosts where two would bear the same."""
    names: dict[int, str] = {}
    for index, read in enumerate(found):
        if isinstance(read, Draft):
            taken = dict.fromkeys(names.values())
            stem = PurePosixPath(read.playbook).stem
            wanted = f"{stem}-{read.hosts}" if stem in taken else stem
            names[index] = free_name(wanted[:60], taken)
    return names


@dataclass(frozen=True, slots=True)
class _Trial:
    """Tries files beside what is there, before any is written."""

    make: _Maker
    environ: Mapping[str, str]
    inventories: InventoryReader | None
    sources: DateSources | None

    def problems(self, files: Mapping[str, str]) -> dict[str, str]:
        """What is wrong when the files are laid beside what is there: the first error of each file."""
        with tempfile.TemporaryDirectory(prefix="wellkept-adopt-") as folder:
            _lay_beside(self.make.content.root, Path(folder), but=files)
            _write(Path(folder), files)
            return self._problems_in(Path(folder))

    def _problems_in(self, trial: Path) -> dict[str, str]:
        definitions, found = check(trial, environ=self.environ, sources=self.sources)
        problems: dict[str, str] = {}
        for problem in found:
            if problem.severity == "error":
                problems.setdefault(problem.file, problem.message)
        if definitions is None or self.inventories is None:
            return problems
        return {**problems, **_problems_of_hosts(definitions, trial, self.inventories)}


def _that_hold(found: Sequence[Read], names: Mapping[int, str], trial: _Trial) -> tuple[list[Read], tuple[str, ...]]:
    """The same lines, those without a valid schedule left to a person; and what `wellkept validate` would say about files that are there already.

    Asked again after each refusal: what Ansible says about hosts is heard only once the files are sound.
    """
    kept = list(found)
    while True:
        problems = trial.problems(trial.make.files(kept, names))
        refused = {index: problems[_path(name)] for index, name in names.items() if _path(name) in problems}
        if not refused:
            return kept, tuple(f"{file}: {says} (wellkept validate will say so)" for file, says in problems.items())
        for index, says in refused.items():
            kept[index] = NeedsPerson(kept[index].line, f"its schedule would not be valid: {says.rstrip('.')}")
        names = {index: name for index, name in names.items() if index not in refused}


def _lay_beside(root: Path, trial: Path, *, but: Collection[str]) -> None:
    """The repository by links, without the files that are to be written; only the folder that files are added to is a folder of its own."""
    (trial / SCHEDULES).mkdir()
    there = [*root.iterdir(), *((root / SCHEDULES).iterdir() if (root / SCHEDULES).is_dir() else ())]
    for path in there:
        name = str(path.relative_to(root))
        if name != SCHEDULES and name not in but:
            (trial / name).symlink_to(path)


def _problems_of_hosts(definitions: Definitions, trial: Path, inventories: InventoryReader) -> dict[str, str]:
    """What Ansible says about the hosts of each schedule: the first problem of each file. Sources that cannot be read say nothing."""
    settings = definitions.settings
    wanted = {schedule.inventory for schedule in definitions.with_playbooks.values()}
    answers = {
        name: inventories.read(inventory, project=trial)
        for name, inventory in settings.inventories.items()
        if name in wanted
    }
    problems: dict[str, str] = {}
    for schedule in definitions.with_playbooks.values():
        answer = answers[schedule.inventory]
        first = None if answer.errors else next(iter(problems_of_schedule(schedule, answer, trial)), None)
        if first:
            problems[schedule.source.partition(":")[0]] = first.message
    return problems


def _write(root: Path, files: Mapping[str, str]) -> None:
    """Write files that are not there yet."""
    for path, text in files.items():
        try:
            (root / path).parent.mkdir(exist_ok=True)
            with (root / path).open("x", encoding="utf-8") as file:
                file.write(text)
        except OSError as problem:
            raise UsageError(f"{root / path}: {problem.strerror}. Adopt as a user who may write there.") from problem


def _told(read: Read, name: str | None) -> AdoptedLine:
    """What became of one line."""
    place, text = read.line.place, read.line.entry.text.strip()
    match read:
        case Draft():
            return AdoptedLine(place, text, "schedule", name, _path(name or ""), "", read.look_at)
        case NeedsPerson():
            return AdoptedLine(place, text if not read.secret else "", "needs_person", None, None, read.reason, ())
        case Other():
            return AdoptedLine(place, text, "not_ansible", None, None, "", ())


def _without_schedule(content: Content, found: Sequence[Read]) -> tuple[str, ...]:
    """Playbooks that no schedule names."""
    scheduled = {read.playbook for read in found if isinstance(read, Draft)}
    return tuple(path for path in content.playbooks if path not in scheduled)


def next_steps(adoption: Adoption) -> Iterator[str]:
    """What to do next, in order."""
    yield "wellkept validate"
    yield "keep var/ and reports/output/ out of Git, then: wellkept db upgrade"
    names = [line.schedule for line in adoption.lines if line.schedule]
    yield f"wellkept plan {names[0]}" if names else "write a schedule below schedules/"
    if names:
        yield "one by one: take a line out of the crontab, and write enabled: true into its schedule"
