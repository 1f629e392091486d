"""A line of shell as its simple commands, as far as that can be told without running anything."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

_DESCRIPTOR = re.compile(
    r"(?<![^\s;|&])\d(?=[<>])"
)  # the 2 of `2>&1`: it belongs to the redirection only when they touch
_ARITHMETIC = re.compile(r"\$\(\([^()]*\)\)")
_OUTPUT = re.compile(r"\$\([^()]*\)|`[^`]*`")
_QUOTED_DOLLAR = re.compile(r"'[^']*\$[^']*'")
_ASSIGNMENT = re.compile(r"(?P<name>[A-Za-z_]\w*)=(?P<value>.*)", re.ASCII | re.DOTALL)
_REFERENCE = re.compile(r"\$(?:\{(?P<braced>[A-Za-z_]\w*)\}|(?P<plain>[A-Za-z_]\w*))", re.ASCII)
_REDIRECTIONS = frozenset({">", ">>", "<", ">&", "<&", "&>", "&>>", ">|"})
_CONNECTORS = frozenset({"&&", "||", ";", "|", "|&", "&"})
_CONTROL = frozenset(
    {"if", "then", "elif", "else", "fi", "for", "while", "until", "do", "done", "case", "esac", "function", "{", "}", "trap"}
)  # fmt: skip
_GOES_ON = ("&&", "||", "|", ";")


class Unreadable(ValueError):
    """What a line of shell does cannot be told by reading it; the message says what stands in the way."""


@dataclass(frozen=True, slots=True)
class SimpleCommand:
    """One command: its words, the variables set for it alone, what follows it (`&&`, `|` …), and the files it writes to."""

    words: tuple[str, ...]
    variables: Mapping[str, str] = field(default_factory=dict)
    then: str = ""
    writes: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The command as it would be typed."""
        return " ".join([*(f"{name}={value}" for name, value in self.variables.items()), *self.words])


def simple_commands(text: str, variables: Mapping[str, str] | None = None) -> list[SimpleCommand]:
    """The commands of a line or of a whole script, in order; `variables` are known beforehand. Raises Unreadable.

    Variables that are set to plain text are filled in. Any other `$` stays in the words, where whoever needs the word can see it.
    """
    known = dict(variables or {})
    found: list[SimpleCommand] = []
    for line in _lines(text):
        for command in _of_line(line, known):
            if command.words:
                found.append(command)
            else:
                known.update(command.variables)
    return found


def _lines(text: str) -> Iterator[str]:
    """The lines of a script with those that go on in the next one joined, without comments and empty ones."""
    kept = ""
    for line in text.replace("\\\n", " ").splitlines():
        if line.lstrip().startswith("#") or not line.strip():
            continue
        kept = f"{kept} {line.strip()}".strip()
        if not kept.endswith(_GOES_ON) or kept.endswith(";"):
            yield kept
            kept = ""
    if kept:
        yield kept


def _of_line(line: str, known: Mapping[str, str]) -> Iterator[SimpleCommand]:
    tokens = _tokens(line)
    while tokens:
        yield _next_command(tokens, known)


def _tokens(line: str) -> list[str]:
    """The words and operators of a line; what a substitution gives is not known, and stays a word with `$`."""
    if _QUOTED_DOLLAR.search(line):
        raise Unreadable("it has a $ between single quotes")
    plain = _OUTPUT.sub("$…", _ARITHMETIC.sub("$…", line))
    lexer = shlex.shlex(_DESCRIPTOR.sub(" ", plain), posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    lexer.commenters = ""
    try:
        tokens = list(lexer)
    except ValueError:
        raise Unreadable("a quote in it is never closed on the same line") from None
    comment = next((number for number, token in enumerate(tokens) if token.startswith("#")), len(tokens))
    return tokens[:comment]


def _next_command(tokens: list[str], known: Mapping[str, str]) -> SimpleCommand:
    """Take the tokens of one command, and what follows it, off the list."""
    words: list[str] = []
    variables: dict[str, str] = {}
    writes: list[str] = []
    while tokens:
        token = tokens.pop(0)
        if token in _CONNECTORS:
            return SimpleCommand(tuple(words), variables, token, tuple(writes))
        if token in _REDIRECTIONS:
            target = tokens.pop(0) if tokens else ""
            writes += [target] if token.startswith(">") and "/" in target else []
        elif set(token) <= set("();<>|&") or (not words and token in _CONTROL):
            raise Unreadable(f"it has a {token!r}, and what it does cannot be told without running it")
        elif not words and (set_to := _ASSIGNMENT.fullmatch(token)):
            variables[set_to["name"]] = filled(set_to["value"], known)
        else:
            words.append(filled(token, known))
    return SimpleCommand(tuple(words), variables, "", tuple(writes))


def filled(word: str, known: Mapping[str, str]) -> str:
    """The word with the variables that are known; the others stay as they are."""
    return _REFERENCE.sub(lambda found: known.get(found["braced"] or found["plain"], found[0]), word)
