"""Secrets by reference: found when they are needed, kept out of every text that leaves the executor."""

from __future__ import annotations

import base64
import json
import re
import shlex
import subprocess
import urllib.parse
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from runner.errors import Unknown

HIDDEN = "********"
SHORT = 4  # a value with fewer characters is hidden only where it stands as a word of its own
COMMAND_SECONDS = 60


class SecretMissingError(Unknown):
    """A secret cannot be found; the message says which and how to mend it, never what came instead."""


class Source(NamedTuple):
    """Where a secret is found; exactly one of the three is set."""

    env: str | None = None
    file: str | None = None
    command: str | None = None


def resolve(name: str, source: Source, *, environ: Mapping[str, str], cwd: Path) -> str:
    """The secret itself, without the line ends behind it; `name` is its place in wellkept.yml, `cwd` where its command and its relative path start."""
    if source.env is not None:
        value = from_environment(name, source.env, environ)
    elif source.file is not None:
        value = from_file(name, cwd / Path(source.file).expanduser())
    else:
        value = from_command(name, source.command or "", environ=environ, cwd=cwd)
    if not value.strip():
        raise SecretMissingError(f"{name}: the secret is empty. Put the password where wellkept.yml says it is found.")
    return value


def from_environment(name: str, variable: str, environ: Mapping[str, str]) -> str:
    """The value of an environment variable."""
    if variable not in environ:
        raise SecretMissingError(
            f"{name}: the environment variable {variable} is not set. Set it where Wellkept is started."
        )
    return environ[variable].rstrip("\r\n")


def from_file(name: str, path: Path) -> str:
    """The content of a file."""
    try:
        return path.read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise SecretMissingError(
            f"{name}: {path} cannot be read: {reason}. Give the user of Wellkept read access to it."
        ) from None


def from_command(name: str, command: str, *, environ: Mapping[str, str], cwd: Path) -> str:
    """What a program prints; it is started without a shell, and its error output is not repeated, since it may hold the secret."""
    try:
        words = shlex.split(command)
        done = subprocess.run(
            words,
            env=environ,
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=COMMAND_SECONDS,
            check=True,
            encoding="utf-8",
        )
    except subprocess.CalledProcessError as error:
        raise SecretMissingError(
            f"{name}: {words[0]} ended with exit code {error.returncode}. Run the command by hand to see why."
        ) from None
    except subprocess.TimeoutExpired:
        raise SecretMissingError(
            f"{name}: {words[0]} did not end within {COMMAND_SECONDS} seconds. It must not ask questions."
        ) from None
    except (OSError, ValueError, IndexError):
        raise SecretMissingError(
            f"{name}: the command cannot be started. Check its spelling in wellkept.yml."
        ) from None
    return done.stdout.rstrip("\r\n")


class Redactor:
    """Replaces known secret values, however they are spelled, by asterisks."""

    def __init__(self, values: Iterable[str]) -> None:
        """Learn the values; their escaped, quoted and encoded spellings are learned too."""
        words = {spelling for value in values for spelling in spellings(value)}
        patterns = [pattern_of(word) for word in sorted(words, key=len, reverse=True)]
        self._pattern = re.compile("|".join(patterns)) if patterns else None

    def text(self, text: str) -> str:
        """The text without the secrets."""
        return self._pattern.sub(HIDDEN, text) if self._pattern else text

    def record(self, record: Mapping[str, object]) -> dict[str, object]:
        """The record without the secrets in its texts."""
        return {key: self.text(value) if isinstance(value, str) else value for key, value in record.items()}


def pattern_of(word: str) -> str:
    """A regular expression for one spelling."""
    return re.escape(word) if len(word) >= SHORT else rf"(?<!\w){re.escape(word)}(?!\w)"


def spellings(value: str) -> Iterator[str]:
    """A secret and each of its lines, as they are and as programs print them: JSON, URL, shell, base64."""
    for plain in {value, *(line.strip() for line in value.splitlines())} - {""}:
        yield plain
        yield json.dumps(plain)[1:-1]
        yield json.dumps(plain, ensure_ascii=False)[1:-1]
        yield repr(plain)[1:-1]
        yield urllib.parse.quote(plain, safe="")
        yield shlex.quote(plain).strip("'")
        yield base64.b64encode(plain.encode()).decode().rstrip("=")
