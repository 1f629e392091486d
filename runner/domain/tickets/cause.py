"""Why a host ended as it did: a cause class for every message, and plain words for every cause class."""

from __future__ import annotations

import re

from runner.domain.tickets.cause_rules import CAUSE_RULES, CAUSE_RULES_VERSION, CauseClass, Rule
from runner.domain.tickets.cause_table import OURS, CauseTable, short_module
from runner.domain.tickets.cause_words import WORDS
from runner.domain.tickets.plain_words import PlainWords

__all__ = [
    "CAUSE_RULES",
    "CAUSE_RULES_VERSION",
    "OURS",
    "CauseClass",
    "CauseTable",
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
    *, result: str, text: str, module: str = "", task: str = "", stage: str = "", table: CauseTable = OURS
) -> CauseClass:
    """Name the cause of a bad result from its message, as `CauseTable.rule_for` does."""
    rule = table.rule_for(result=result, text=text, module=module, task=task, stage=stage)
    return rule.cause if rule else CauseClass.UNKNOWN


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
    cause: CauseClass,
    *,
    host: str,
    service: str = "",
    package: str = "",
    touched: bool = True,
    untouched: int = 0,
    own: PlainWords | None = None,
) -> PlainWords:
    """Say in plain words what a cause means for one host or a few (`host` may be "web-03 and 4 others").

    `service` is the business side's name ("the web shop"), `package` the software that is blamed. `touched` tells whether any work had begun there, and
    `untouched` how many further hosts were spared because the run stopped. `own` are the words of a rule of the user's own, instead of ours.
    """
    names = {
        "host": host,
        "service": service or "whatever depends on this server",
        "package": f'"{package}"' if package else "an update",
    }
    told = (own or WORDS[cause]).placed(names)
    done = " ".join(filter(None, (told.done, begun(host, touched=touched), spared(untouched))))
    return PlainWords(told.happened, told.means, done, told.needed)


def begun(host: str, *, touched: bool) -> str:
    """Say that the work went no further, and whether it had begun at all."""
    return f"The work on {host} went no further." if touched else f"We changed nothing on {host}."


def spared(untouched: int) -> str:
    """Say how many further hosts were left alone; nothing when the run went on."""
    if not untouched:
        return ""
    return f"We stopped and left {untouched} further {'server' if untouched == 1 else 'servers'} untouched."
