"""The files that are made of what was found: wellkept.yml, and one schedule for each line that could be said."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from runner.operations.adoption.draft_schedule import Draft
from runner.operations.adoption.find_content import Content, free_name
from runner.operations.adoption.read_lines import NeedsPerson

SETTINGS = "wellkept.yml"
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_./-]*", re.ASCII)
_WORDS_OF_YAML = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})


@dataclass(frozen=True, slots=True)
class Owner:
    """The user who adopts, and the organisation's name."""

    user: str
    organisation: str

    @property
    def person(self) -> str:
        """The user's name, as a name in a file."""
        return free_name(self.user, {})

    @property
    def team(self) -> str:
        """The team that is made of the user: an owner is one name, so that it may not be the person's."""
        return f"team-{self.person}"


def yaml(value: object) -> str:
    """A value on one line of YAML: JSON is YAML, and words that need no quotes have none."""
    if isinstance(value, str) and _PLAIN.fullmatch(value) and value.lower() not in _WORDS_OF_YAML:
        return value
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(yaml, value))}]"
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{yaml(str(key))}: {yaml(part)}' for key, part in value.items())}}}"
    return json.dumps(value, ensure_ascii=False)


def comment(text: str, *, indent: str = "") -> Iterator[str]:
    """Lines of a comment; what cannot be printed could end it, and is shown as a question mark."""
    for line in text.splitlines():
        yield f"# {indent}" + "".join(each if each.isprintable() else "?" for each in line)


def schedule_text(name: str, draft: Draft) -> str:
    """The file of one schedule, switched off."""
    return "\n".join([*_origin(name, draft), *_keys(name, draft), *_when(draft), *_variables(draft)]) + "\n"


def _origin(name: str, draft: Draft) -> Iterator[str]:
    yield f"# Made from {draft.line.place}, which reads:"
    yield from comment(draft.line.entry.text.strip(), indent="  ")
    yield "#"
    yield f"# It is switched off. Look at `wellkept plan {name}`; when it is right, take the line out of the crontab and write"
    yield "# enabled: true."
    if draft.look_at:
        yield "#"
        yield "# To look at:"
        for note in draft.look_at:
            yield from comment(f"- {note}.")


def _keys(name: str, draft: Draft) -> Iterator[str]:
    yield f"schedule: {yaml(name)}"
    yield "# why: what it is good for, in one sentence; reports print it"
    yield f"playbook: {yaml(draft.playbook)}"
    yield f"inventory: {yaml(draft.inventory)}"
    yield f"hosts: {yaml(draft.hosts)}"
    yield "enabled: false"
    if draft.split == "split: whole":
        yield f"{draft.split} # its playbook is called once for all hosts, as cron did; it cannot be split into batches as it is"
    elif draft.split:
        yield f"{draft.split} # the line limited its playbook to these hosts, and so does this"


def _when(draft: Draft) -> Iterator[str]:
    rule = draft.rule
    yield "window:"
    yield f"  cron: {json.dumps(rule.cron)}" if rule.cron else f"  day: {yaml(rule.day)}"
    if rule.months:
        yield f"  months: {yaml(rule.months)}"
    if draft.timezone:
        yield f"  timezone: {yaml(draft.timezone)}"
    if rule.start:
        yield f"  start: {json.dumps(rule.start)}"
    yield f"  duration: {draft.duration} # a guess: look at the log for how long it takes{_log(draft)}"


def _log(draft: Draft) -> str:
    named = [log for log in draft.logs if log.isprintable() and not log.startswith("/dev/")]
    return f" ({named[-1]})" if named else ""


def _variables(draft: Draft) -> Iterator[str]:
    if draft.call.extra_vars:
        yield "extra_vars:"
        yield from (f"  {yaml(name)}: {yaml(value)}" for name, value in draft.call.extra_vars.items())
    if draft.call.tags:
        yield f"tags: {yaml(draft.call.tags)}"
    if draft.call.skip_tags:
        yield f"skip_tags: {yaml(draft.call.skip_tags)}"


def settings_text(
    content: Content,
    inventories: Mapping[str, str],
    drafts: Sequence[Draft],
    left: Sequence[NeedsPerson],
    *,
    owner: Owner,
    timezone: str,
) -> str:
    """wellkept.yml: what the repository has, the team that answers, and the lines that need a person."""
    default = content.default or (drafts[0].inventory if drafts else next(iter(inventories), ""))
    parts = [
        "# The settings of this maintenance repository. `wellkept validate` checks this file and all the others.",
        "format: 1",
        f"organisation: {json.dumps(owner.organisation, ensure_ascii=False)}",
        "database: sqlite:///var/wellkept.db",
        "state_dir: var # keep it out of Git",
        "",
        "defaults:",
        *([f"  inventory: {yaml(default)}"] if default else []),
        f"  owner: {yaml(owner.team)}",
        f"  timezone: {yaml(timezone)} # the zone of the machine on which this was written",
        "",
        *_inventories(inventories),
        *_ansible(drafts),
        *_vault(drafts),
        "# Who answers for schedules and tickets; put in who really does.",
        "people:",
        f"  {yaml(owner.person)}: {{}}",
        "teams:",
        f"  {yaml(owner.team)}: {{members: [{yaml(owner.person)}]}}",
        *_left(left),
    ]
    return "\n".join(parts) + "\n"


def _inventories(inventories: Mapping[str, str]) -> Iterator[str]:
    if inventories:
        yield "inventories: # min_hosts: and max_drop: hold all work when hosts are missing"
        yield from (f"  {yaml(name)}: {{source: {yaml(source)}}}" for name, source in inventories.items())
        yield ""


def _ansible(drafts: Sequence[Draft]) -> Iterator[str]:
    """The folder of Ansible's programs, when all lines that name one agree."""
    if folders := {draft.bin for draft in drafts if draft.bin}:
        if len(folders) == 1:
            yield f"ansible: {{bin: {yaml(folders.pop())}}}"
        else:
            yield from comment(
                f"ansible: {{bin: …}} can name one of {', '.join(sorted(folders))}; the lines name several."
            )
        yield ""


def _vault(drafts: Sequence[Draft]) -> Iterator[str]:
    """Vault passwords by reference."""
    found: dict[str, set[tuple[str, str]]] = {}
    for draft in drafts:
        for name, where in draft.vault.items():
            found.setdefault(name, set()).add(where)
    if found:
        yield "secrets: # by reference only"
        yield "  vault:"
        for name, places in found.items():
            kind, place = min(places)
            yield f"    {yaml(name)}: {{{kind}: {yaml(place)}}}"
            for _, second in sorted(places)[1:]:
                yield from comment(f"another line names {second} for it", indent="   ")
        yield ""


def _left(left: Sequence[NeedsPerson]) -> Iterator[str]:
    if left:
        yield ""
        yield "# Lines of the crontab that need a person; they are not part of any schedule."
    for each in left:
        yield "#"
        yield from comment(f"{each.line.place}: {each.reason}.")
        if not each.secret:
            yield from comment(each.line.entry.text.strip(), indent="  ")
