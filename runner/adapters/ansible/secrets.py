"""Secrets by reference: found when they are needed."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from runner.errors import Unknown

COMMAND_SECONDS = 60


class SecretMissingError(Unknown):
    """A secret cannot be found; the message says which and how to mend it, never what came instead."""


class Source(NamedTuple):
    """Where a secret is found; exactly one of the four is set."""

    env: str | None = None
    file: str | None = None
    command: str | None = None
    keyring: str | None = None


def place(kind: str, name: str) -> str:
    """Where a secret is named, for people."""
    return f"wellkept.yml: secrets.{kind}.{name}"


def resolve(name: str, source: Source, *, environ: Mapping[str, str], cwd: Path) -> str:
    """The secret itself, without the line ends behind it; `name` is its place in wellkept.yml, `cwd` where its command and its relative path start."""
    if source.env is not None:
        value = from_environment(name, source.env, environ)
    elif source.file is not None:
        value = from_file(name, cwd / Path(source.file).expanduser())
    elif source.keyring is not None:
        value = from_keyring(name, source.keyring)
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


def from_keyring(name: str, entry: str) -> str:
    """What the keyring of this user holds under `service/user`; the library is an extra, and its backends are anybody's programs."""
    try:
        import keyring
        from keyring.errors import NoKeyringError
    except ImportError:
        raise SecretMissingError(
            f"{name}: the library for keyrings is not installed. Install it: pip install 'wellkept[keyring]'"
        ) from None
    service, _, user = entry.rpartition("/")
    try:
        value = keyring.get_password(service, user)
    except NoKeyringError:
        raise SecretMissingError(
            f"{name}: this user has no keyring on this machine; a service seldom has one. Use file or command, or set up a backend of keyring."
        ) from None
    except Exception as error:  # noqa: BLE001 - whatever the backend is, its words may hold what it keeps
        raise SecretMissingError(
            f"{name}: the keyring does not answer ({type(error).__name__}). Unlock it; it must not ask questions."
        ) from None
    if value is None:
        raise SecretMissingError(f"{name}: the keyring has no {entry}. Put it there: keyring set {service} {user}")
    return value.rstrip("\r\n")
