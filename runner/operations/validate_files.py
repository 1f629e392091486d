"""Checks everything that files can get wrong: their own shape and names, and what only Ansible can tell about inventories and patterns."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from runner.config import check, plays_of
from runner.domain.execution import host_pattern
from runner.domain.execution.guards import hold_for_container
from runner.domain.execution.own_ansible import AnsibleSettings
from runner.domain.execution.schedule import Schedule, Split
from runner.domain.settings import Definitions, Never
from runner.domain.time.window import ALWAYS
from runner.errors import Problem, count
from runner.operations.execution.digest_plan import playbooks_in
from runner.operations.time.find_short_windows import PastRuns, short_windows
from runner.ports import DateSources, InventoryAnswer, InventoryReader, PlaybookAsked, PlaybookSyntax

ANY_HOST = frozenset({"all", "*"})


def validate_files(
    root: Path,
    *,
    environ: Mapping[str, str],
    inventories: InventoryReader | None = None,
    syntax: PlaybookSyntax | None = None,
    sources: DateSources | None = None,
    past: Callable[[], Mapping[str, PastRuns]] = dict,
) -> list[Problem]:
    """Every problem, in the order of files and lines; Ansible, and what past runs needed, are asked only once the files themselves are sound."""
    definitions, problems = check(root, environ=environ, sources=sources)
    if definitions is None:
        return problems
    problems = sorted({*problems, *short_windows(definitions, past())})
    if inventories is None:
        return problems
    answers = {
        name: inventories.read(inventory, project=root) for name, inventory in definitions.settings.inventories.items()
    }
    return sorted(
        {
            *problems,
            *problems_of_inventories(definitions, answers),
            *problems_of_patterns(definitions, answers, root),
            *problems_of_boundaries(definitions, answers),
            *(syntax.problems(playbooks_of(definitions), project=root) if syntax else ()),
        }
    )


def playbooks_of(definitions: Definitions) -> list[PlaybookAsked]:
    """Every playbook that a schedule plays by Ansible on this machine, once for each Ansible."""
    asked: dict[tuple[str, AnsibleSettings], PlaybookAsked] = {}
    for schedule in definitions.with_playbooks.values():
        wanted = definitions.requirements_for(schedule)
        for name in () if schedule.ansible.image else playbooks_in(schedule):
            if (name, schedule.ansible) not in asked:
                asked[name, schedule.ansible] = PlaybookAsked(name, schedule.ansible, wanted, schedule.extra_vars)
    return list(asked.values())


def problems_of_inventories(definitions: Definitions, answers: Mapping[str, InventoryAnswer]) -> Iterator[Problem]:
    """Inventories that Ansible cannot read, or that are smaller than they may be."""
    for name, answer in answers.items():
        inventory = definitions.settings.inventories[name]
        for error in answer.errors:
            yield Problem("wellkept.yml", 0, 0, f"{error} See `ansible-inventory -i {inventory.source} --list`.")
        if not answer.errors and len(answer.hosts) < inventory.min_hosts:
            yield Problem(
                "wellkept.yml",
                0,
                0,
                f"inventory {name}: it has {count(len(answer.hosts), 'host')}, fewer than min_hosts {inventory.min_hosts}.",
            )


def problems_of_patterns(
    definitions: Definitions, answers: Mapping[str, InventoryAnswer], root: Path
) -> Iterator[Problem]:
    """Patterns that name nobody, and plays on hosts that their schedule does not mean."""
    for schedule in definitions.with_playbooks.values():
        answer = answers[schedule.inventory]
        if not answer.errors:
            yield from problems_of_schedule(schedule, answer, root)
    for each in definitions.checks.values():
        answer = answers[each.inventory]
        if not answer.errors and not matching(each.hosts, answer):
            yield at(
                each.source,
                f"hosts: no host of inventory {each.inventory!r} matches {each.hosts!r}.{nearest(each.hosts, answer)}",
            )


def problems_of_schedule(schedule: Schedule, answer: InventoryAnswer, root: Path) -> Iterator[Problem]:
    """What Ansible's view of the hosts says about one schedule."""
    hosts = matching(schedule.hosts, answer)
    if not hosts:
        why = nearest(schedule.hosts, answer)
        yield at(
            schedule.source, f"hosts: no host of inventory {schedule.inventory!r} matches {schedule.hosts!r}.{why}"
        )
        return
    if hold := hold_for_container(schedule, hosts, answer.hosts):
        yield at(schedule.source, f"hosts: {hold.reason}.")
    yield from problems_of_waves(schedule, hosts, answer)
    if schedule.split is Split.HOSTS and not schedule.split_is_safe:
        yield from plays_outside(schedule, hosts, answer, root)


def problems_of_waves(schedule: Schedule, hosts: Sequence[str], answer: InventoryAnswer) -> Iterator[Problem]:
    """Waves that name nobody, so that the rest would go first, or hosts that the schedule does not mean."""
    for wave in schedule.waves:
        named = set(matching(wave.hosts, answer)) if wave.hosts else set(hosts)
        if not named:
            says = f"waves: wave {wave.name!r} names no host: none of inventory {schedule.inventory!r} matches {wave.hosts!r}."
            yield at(schedule.source, f"{says}{nearest(wave.hosts or '', answer)}")
        if outside := named.difference(hosts):
            says = f"waves: wave {wave.name!r} names hosts outside the schedule: {', '.join(sorted(outside))}."
            yield at(schedule.source, f"{says} Add them to hosts:, or take them out of the wave.")


def problems_of_boundaries(definitions: Definitions, answers: Mapping[str, InventoryAnswer]) -> Iterator[Problem]:
    """Boundaries that protect nobody, and schedules that could never run because of one."""
    if any(answer.errors for answer in answers.values()):
        return  # nobody can tell who is meant
    for never in definitions.settings.boundaries.never:
        named = {name: set(matching(never.hosts, answer)) for name, answer in answers.items()}
        if not any(named.values()):
            says = f"never: no host of any inventory matches {never.hosts!r}, so that this boundary protects nobody."
            yield Problem("wellkept.yml", 0, 0, says)
        for schedule in definitions.with_playbooks.values() if never.during == ALWAYS else ():
            inside = named[schedule.inventory].intersection(matching(schedule.hosts, answers[schedule.inventory]))
            if inside and schedule.enabled and schedule.changes_something:
                yield at(schedule.source, forbidden_in_words(schedule, never, sorted(inside)))


def forbidden_in_words(schedule: Schedule, never: Never, hosts: Sequence[str]) -> str:
    """Which hosts of a schedule a boundary forbids, and the way out."""
    return (
        f"hosts: the boundary never: {never.hosts!r} in wellkept.yml forbids to change {', '.join(hosts[:5])}, so that every run would be refused. "
        f'Leave them out, such as hosts: "{schedule.hosts}:!{hosts[0]}".'
    )


def plays_outside(schedule: Schedule, hosts: Iterable[str], answer: InventoryAnswer, root: Path) -> Iterator[Problem]:
    """Plays for hosts that the schedule does not mean: under a limit they would be passed over in silence."""
    for play in plays_of(root / schedule.playbook, root=root):
        if play.hosts in ANY_HOST or "{{" in play.hosts:
            continue
        outside = set(matching(play.hosts, answer)) - set(hosts)
        if outside:
            named = ", ".join(sorted(outside)[:5])
            yield Problem(
                schedule.playbook,
                play.line,
                1,
                f"play {play.name!r} is for hosts outside schedule {schedule.name!r} ({named}), and split: hosts would pass over them. "
                "Widen the schedule's hosts, or set split: whole, or split_is_safe: true.",
            )


def matching(pattern: str, answer: InventoryAnswer) -> tuple[str, ...]:
    """The hosts that an Ansible pattern names."""
    return host_pattern.match(pattern, hosts=tuple(answer.hosts), groups=answer.groups)


def nearest(pattern: str, answer: InventoryAnswer) -> str:
    """The nearest names for those in a pattern that nobody bears."""
    import difflib

    known = [*answer.hosts, *answer.groups]
    unknown = host_pattern.unknown_names(pattern, hosts=tuple(answer.hosts), groups=answer.groups)
    near = {name: difflib.get_close_matches(name, known, n=1) for name in unknown}
    hints = [f" Did you mean {found[0]!r}?" for found in near.values() if found]
    return hints[0] if hints else f" It has: {', '.join(sorted(answer.groups)[:8])}."


def at(source: str, message: str) -> Problem:
    """A problem at the place of a definition, `file:line`."""
    file, _, line = source.partition(":")
    return Problem(file, int(line) if line.isdigit() else 0, 1, message)
