"""Causes: examples that their own rule matches and no rule before it, and words for people who do not know our trade."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from runner.config.declared import Declared
from runner.config.ground import Ground
from runner.config.models.causes import CauseRule, Words
from runner.config.nearest import listed, nearest
from runner.domain.tickets.cause import CauseTable, Rule
from runner.domain.tickets.cause_table import found
from runner.domain.tickets.plain_words import NAMES, hard_words, unknown_places
from runner.errors import Problem


def problems(ground: Ground) -> Iterator[Problem]:
    """Everything that is wrong with rules about causes beyond their shape."""
    before: list[tuple[Declared[CauseRule], Rule]] = []
    for declared in ground.declared.causes.values():
        yield from _examples(declared)
        yield from _words(declared)
        if declared.model:
            rule = declared.model.to_domain()
            yield from _taken(declared, rule, before)
            before.append((declared, rule))


def _examples(declared: Declared[CauseRule]) -> Iterator[Problem]:
    """Each example must be one of its own pattern."""
    pattern = declared.value("match")
    for path, example in declared.texts("example"):
        if isinstance(pattern, str) and not found(pattern, example.strip()):
            says = (
                "example: the pattern does not match it. Correct match or example; * and + reach up to 100 characters"
            )
            yield declared.source.problem(path, says)


def _taken(
    declared: Declared[CauseRule], rule: Rule, before: Sequence[tuple[Declared[CauseRule], Rule]]
) -> Iterator[Problem]:
    """Each example must reach its own rule past those before it."""
    for path, example in declared.texts("example"):
        if taken := next((other for other, its in before if _takes(its, rule, example)), None):
            says = f"example: the rule in {taken.place} stands before and takes it. Put the more telling rule first"
            yield declared.source.problem(path, says, severity="warning")


def _takes(earlier: Rule, rule: Rule, example: str) -> bool:
    """Whether an earlier rule would name the cause of every host that this one is for."""
    asked = CauseTable((earlier,))
    cases = [(result, module) for result in rule.results or ("failed",) for module in rule.modules or ("",)]
    return all(
        asked.rule_for(result=result, text=example, module=module, stage="apply") is earlier for result, module in cases
    )


def _words(declared: Declared[CauseRule]) -> Iterator[Problem]:
    """Words that people are told: names that exist, whole sentences, no word of our trade."""
    for name in Words.model_fields:
        for path, text in declared.texts("words", name):
            for place in unknown_places(text):
                close = nearest(place, NAMES)
                way_out = f"Did you mean {{{close}}}?" if close else f"Known: {listed(NAMES)}"
                yield declared.source.problem(path, f"{name}: there is nothing for {{{place}}}. {way_out}")
            if text and not text.rstrip().endswith((".", "!", "?")):
                yield declared.source.problem(path, f"{name}: is no whole sentence. End it with a full stop")
            if hard := hard_words(text):
                says = f"{name}: not everybody knows {listed(hard)}. Say it in plain words"
                yield declared.source.problem(path, says, severity="warning")
