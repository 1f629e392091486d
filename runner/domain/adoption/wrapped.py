"""Programs that only start another one: `sudo`, `flock`, `nice`, `timeout` and their like, and what they say about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from runner.domain.adoption.shell_words import Unreadable

SHELLS = frozenset({"sh", "bash", "dash", "zsh", "ksh"})
_TAKES_TEXT = frozenset({"su", "runuser", "flock", *SHELLS})  # the command may be one word after -c
_AS_USER = ("-u", "--user")


@dataclass(frozen=True, slots=True)
class _Wrapper:
    """How a program is called that starts another: short and long options with a value, and whether a word stands before the command."""

    valued: tuple[str, ...] = ()
    word_before: bool = False


_WRAPPERS: Mapping[str, _Wrapper] = {
    "sudo": _Wrapper(("-u", "--user", "-g", "--group", "-h", "-p", "-C", "-T", "-r", "-t", "-D", "-R", "-U")),
    "su": _Wrapper(("-s", "--shell", "-c", "--command", "-g", "-G"), word_before=True),
    "runuser": _Wrapper(("-u", "--user", "-s", "--shell", "-c", "--command", "-g", "-G")),
    "nice": _Wrapper(("-n", "--adjustment")),
    "ionice": _Wrapper(("-c", "--class", "-n", "--classdata")),
    "timeout": _Wrapper(("-k", "--kill-after", "-s", "--signal"), word_before=True),
    "flock": _Wrapper(("-w", "--wait", "--timeout", "-E", "--conflict-exit-code", "-c", "--command"), word_before=True),
    "env": _Wrapper(("-u", "--unset", "-C", "--chdir")),
    "systemd-cat": _Wrapper(("-t", "--identifier", "-p", "--priority")),
    "stdbuf": _Wrapper(("-i", "-o", "-e")),
    **dict.fromkeys(
        ("chronic", "cronic", "nohup", "setsid", "time", "command", "exec", "eatmydata", "python", "python3"),
        _Wrapper(),
    ),
    **dict.fromkeys(SHELLS, _Wrapper(("-c", "-o"))),
}


@dataclass(frozen=True, slots=True)
class Unwrapped:
    """The command itself, and what its wrappers say: the user, the longest time, and variables; `shell` is text for a shell instead of words."""

    words: tuple[str, ...] = ()
    shell: str = ""
    user: str = ""
    timeout: str = ""
    variables: Mapping[str, str] = field(default_factory=dict)
    wrappers: tuple[str, ...] = ()


def name_of(program: str) -> str:
    """A program's name without its folder; `python3.11` counts as `python3`."""
    name = PurePosixPath(program).name or program
    return "python3" if name.startswith("python3.") else name


def unwrap(words: Sequence[str]) -> Unwrapped:
    """Take off every wrapper, outermost first; raises Unreadable when one is called in a way that is not known."""
    found = Unwrapped(tuple(words))
    while found.words and name_of(found.words[0]) in _WRAPPERS and not found.shell:
        found = _without_first(found)
    return found


def _without_first(of: Unwrapped) -> Unwrapped:
    """The command without its outermost wrapper."""
    name = name_of(of.words[0])
    options, rest = _options(name, list(of.words[1:]))
    variables = dict(of.variables)
    while name in {"env", "sudo"} and rest and "=" in rest[0]:
        key, _, variables[key] = rest.pop(0).partition("=")
    before, rest = _word_before(rest, name) if _WRAPPERS[name].word_before else ("", rest)
    if name in {"flock", "su"}:  # these may have more options after it, such as -c
        more, rest = _options(name, rest)
        options |= more
    shell = next((options[key] for key in ("-c", "--command") if key in options and name in _TAKES_TEXT), "")
    return Unwrapped(
        words=tuple(rest),
        shell=shell,
        user=next((options[key] for key in _AS_USER if key in options), before if name == "su" else "") or of.user,
        timeout=before if name == "timeout" else of.timeout,
        variables=variables,
        wrappers=(*of.wrappers, name),
    )


def _word_before(rest: list[str], name: str) -> tuple[str, list[str]]:
    """The word that stands before the command, such as timeout's time, and the words after it."""
    if not rest:
        raise Unreadable(f"{name} is called in a way that is not known")
    return rest[0], rest[1:]


def _options(name: str, words: list[str]) -> tuple[dict[str, str], list[str]]:
    """The options of a wrapper with their values, and the words after them."""
    valued, options = _WRAPPERS[name].valued, {}
    while words and words[0].startswith("-"):
        word = words.pop(0)
        if word == "--":
            break
        key, equals, value = word.partition("=")
        if key in valued:
            options[key] = value if equals else (words.pop(0) if words else "")
        elif name in SHELLS and not word.startswith("--") and "c" in word:  # -lc and the like
            options["-c"] = words.pop(0) if words else ""
        elif (short := word[:2]) in valued and not word.startswith("--") and len(word) > len(short):
            options[short] = word[2:]
        else:
            options[word] = ""
    return options, words
