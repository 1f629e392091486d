"""The table of rules that a run lives by: the user's own first, then ours, with the version that is kept with each result."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from runner.domain.tickets.cause_rules import CAUSE_RULES, CAUSE_RULES_VERSION, Rule

MOST_TEXT = (
    4096  # characters of a message that the user's own rules are searched in; a pattern's worst case grows with them
)


@dataclass(frozen=True, slots=True)
class CauseTable:
    """Rules in the order in which they are asked; the first that matches names the cause."""

    own: tuple[Rule, ...] = ()

    @property
    def version(self) -> str:
        """The number of our rules, and, where there are rules of the user's own, a digest of those: `3+9f86d081884c`."""
        if not self.own:
            return str(CAUSE_RULES_VERSION)
        digest = hashlib.sha256(repr(self.own).encode()).hexdigest()
        return f"{CAUSE_RULES_VERSION}+{digest[:12]}"

    def rule_for(self, *, result: str, text: str, module: str = "", task: str = "", stage: str = "") -> Rule | None:
        """The first rule that matches a bad result; None when nobody knows such a message.

        `result` and `stage` are values of `Result` and `Stage`; `module` may be short (`apt`) or full (`ansible.builtin.apt`).
        `text` must hold the error lines of a command's own output too: apt names only its own exit code in the module's message.
        """
        plain, short = text.replace("\r", "").strip(), short_module(module)
        for rule in self.own:
            if rule_matches(rule, result=result, text=plain[:MOST_TEXT], module=short, task=task, stage=stage):
                return rule
        for rule in CAUSE_RULES:
            if rule_matches(rule, result=result, text=plain, module=short, task=task, stage=stage):
                return rule
        return None


OURS = CauseTable()


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
