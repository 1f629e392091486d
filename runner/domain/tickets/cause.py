"""Why a host ended as it did: a cause class for every message, and plain words for every cause class."""

from __future__ import annotations

import re
from collections.abc import Iterable

from runner.domain.tickets.cause_rules import CAUSE_RULES, CAUSE_RULES_VERSION, CauseClass, Rule
from runner.domain.tickets.cause_words import WORDS, PlainWords

__all__ = [
    "CAUSE_RULES",
    "CAUSE_RULES_VERSION",
    "CauseClass",
    "PlainWords",
    "Rule",
    "classify",
    "is_transient",
    "package_in",
    "short_module",
    "words",
]

TRANSIENT = frozenset({CauseClass.UNREACHABLE, CauseClass.PACKAGE_LOCK, CauseClass.REPOSITORY})

PACKAGE_PATTERNS = (
    r"error processing package (?P<package>[\w.+-]+)",
    r"error processing archive \S*?/(?P<package>[a-z0-9][a-z0-9.+-]+)_[^/\s]+\.deb",
    r"half-(?:configured|installed)[^:]*: (?P<package>[\w.+-]*[\w+])",
    r"installed (?P<package>[\w.+-]+) package (?:pre|post)-",
)


def classify(
    *, result: str, text: str, module: str = "", task: str = "", stage: str = "", rules: Iterable[Rule] = CAUSE_RULES
) -> CauseClass:
    """Name the cause of a bad result from its message; the first rule that matches wins.

    `result` and `stage` are values of `Result` and `Stage`; `module` may be short (`apt`) or full (`ansible.builtin.apt`).
    `text` must hold the error lines of a command's own output too: apt names only its own exit code in the module's message.
    """
    plain = text.replace("\r", "").strip()
    for rule in rules:
        if rule_matches(rule, result=result, text=plain, module=short_module(module), task=task, stage=stage):
            return rule.cause
    return CauseClass.UNKNOWN


def rule_matches(rule: Rule, *, result: str, text: str, module: str, task: str, stage: str) -> bool:
    """Whether every narrowing of a rule and its pattern hold."""
    return (
        (not rule.results or result in rule.results)
        and (not rule.stages or stage in rule.stages)
        and (not rule.modules or module in rule.modules)
        and found(rule.tasks, task)
        and found(rule.pattern, text)
    )


def found(pattern: str, text: str) -> bool:
    """Whether a pattern occurs in a text; an empty pattern asks for nothing."""
    return not pattern or re.search(pattern, text, re.IGNORECASE | re.MULTILINE) is not None


def short_module(module: str) -> str:
    """The last part of a module's name: `ansible.builtin.apt` and `apt` are one."""
    return module.rpartition(".")[2]


def is_transient(cause: CauseClass) -> bool:
    """Whether trying once more may help without anybody mending anything."""
    return cause in TRANSIENT


def package_in(text: str) -> str:
    """The package that a package tool's message blames; empty when it blames none."""
    for pattern in PACKAGE_PATTERNS:
        if match := re.search(pattern, text):
            return match["package"]
    return ""


def words(
    cause: CauseClass, *, host: str, service: str = "", package: str = "", touched: bool = True, untouched: int = 0
) -> PlainWords:
    """Say in plain words what a cause means for one host or a few (`host` may be "web-03 and 4 others").

    `service` is the business side's name ("the web shop"), `package` the software that is blamed. `touched` tells whether any work had begun there, and
    `untouched` how many further hosts were spared because the run stopped.
    """
    template = WORDS[cause]
    names = place_names(host=host, service=service, package=package)
    happened, means, done, needed = (
        text.format_map(names) for text in (template.happened, template.means, template.done, template.needed)
    )
    return PlainWords(
        happened, means, " ".join(filter(None, (done, begun(host, touched=touched), spared(untouched)))), needed
    )


def place_names(*, host: str, service: str, package: str) -> dict[str, str]:
    """The values of the placeholders; the `_first` ones begin a sentence, where a name of one word stays as it is written."""
    names = {
        "host": host,
        "service": service or "whatever depends on this server",
        "package": f'"{package}"' if package else "an update",
    }
    return names | {f"{key}_first": name[:1].upper() + name[1:] if " " in name else name for key, name in names.items()}


def begun(host: str, *, touched: bool) -> str:
    """Say whether the work had begun when it went wrong."""
    return f"The work on {host} ended at this point." if touched else f"We changed nothing on {host}."


def spared(untouched: int) -> str:
    """Say how many further hosts were left alone; nothing when the run went on."""
    if not untouched:
        return ""
    return f"We stopped and left {untouched} further {'server' if untouched == 1 else 'servers'} untouched."
