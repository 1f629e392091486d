"""How OpenSSH itself would reach a host: `ssh -G` with the very arguments that Ansible gives it."""

from __future__ import annotations

import os
import pwd
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from runner.adapters.asking import CannotAsk, Variables, address_of, text_of
from runner.adapters.programs import run_program
from runner.adapters.ssh.known_hosts import KnownKey, known_keys

TIME_LIMIT = 10.0  # seconds; `Match exec` in an ssh_config may start programs

OWN_OPTIONS = (
    "BatchMode=yes",
    "StrictHostKeyChecking=yes",
    "ControlMaster=no",
    "ControlPath=none",
    "ClearAllForwardings=yes",
    "ForwardAgent=no",
    "ForwardX11=no",
    "LogLevel=ERROR",
    "PermitLocalCommand=no",
    "RemoteCommand=none",
    "RequestTTY=no",
    "Tunnel=no",
    "UpdateHostKeys=no",
)
"""Given first, because the first value wins in OpenSSH: nothing is asked, written or forwarded, and host keys are always checked."""


@dataclass(frozen=True, slots=True)
class SshSettings:
    """What OpenSSH would use for one host. `said` is everything that `ssh -G` printed, by lower-case name."""

    command: tuple[str, ...]
    hostname: str
    port: int
    user: str
    said: Mapping[str, tuple[str, ...]]
    keys: tuple[Path, ...] = ()
    key_kinds: tuple[str, ...] = ()
    known: tuple[KnownKey, ...] = field(default=())
    password: str = field(default="", repr=False)  # for a login that takes no key

    def first(self, name: str) -> str:
        """The first value of a setting, in lower case; empty when it is not set."""
        return next(iter(self.said.get(name, ())), "").lower()

    def is_on(self, name: str) -> bool:
        """Whether a setting is set to something other than no and none."""
        return self.first(name) not in {"", "no", "none", "false"}


def client_command(host: str, variables: Variables, *, home: Path) -> tuple[str, ...]:
    """The OpenSSH client with the arguments that Ansible's ssh connection would give it, after our own; without the host."""
    own = [argument for option in OWN_OPTIONS for argument in ("-o", option)]
    return (
        text_of(variables, "ansible_ssh_executable") or "ssh",
        "-T",
        *own,
        *_ansibles_arguments(host, variables, home),
    )


def read_settings(host: str, variables: Variables, *, project: Path, environ: Mapping[str, str]) -> SshSettings:
    """Ask `ssh -G`, in the folder `project`, and look at the files that it names. Raises CannotAsk when it refuses."""
    home = Path(pwd.getpwuid(os.getuid()).pw_dir)  # as OpenSSH finds it, whatever HOME says
    command = (*client_command(host, variables, home=home), address_of(host, variables))
    try:
        ran = run_program([command[0], "-G", *command[1:]], environ=environ, time_limit=TIME_LIMIT, cwd=project)
    except OSError as error:
        raise CannotAsk(f"{command[0]} cannot be started: {error.strerror}") from error
    if not ran.succeeded:
        raise CannotAsk(f"ssh refuses its settings for this host: {ran.words}")
    return _settings(command, _parsed(ran.stdout), project=project, home=home)


def _ansibles_arguments(host: str, variables: Variables, home: Path) -> list[str]:
    """In ansible-core's order (plugins/connection/ssh.py): ssh_args, port, key, user, common and extra arguments."""
    key = text_of(variables, "ansible_ssh_private_key_file")
    options = {
        "Port": text_of(variables, "ansible_port"),
        "IdentityFile": f'"{_at_home(key, home)}"' if key else "",
        "User": _quoted(text_of(variables, "ansible_user")),
        "PKCS11Provider": text_of(variables, "ansible_ssh_pkcs11_provider"),
    }
    given = [argument for name, value in options.items() if value for argument in ("-o", f"{name}={value}")]
    try:
        split = [
            shlex.split(text_of(variables, f"ansible_ssh_{which}")) for which in ("args", "common_args", "extra_args")
        ]
    except ValueError as error:
        raise CannotAsk(f"{host}: its ssh arguments cannot be read: {error}") from error
    return [*split[0], *given, *split[1], *split[2]]


def _quoted(value: str) -> str:
    return f'"{value}"' if value else ""


def _at_home(path: str, home: Path) -> Path:
    return home / path[2:] if path.startswith("~/") else Path(path)


def _parsed(printed: str) -> dict[str, tuple[str, ...]]:
    said: dict[str, tuple[str, ...]] = {}
    for line in printed.splitlines():
        name, _, value = line.partition(" ")
        said[name.lower()] = (*said.get(name.lower(), ()), value)
    return said


def _settings(
    command: tuple[str, ...], said: Mapping[str, tuple[str, ...]], *, project: Path, home: Path
) -> SshSettings:
    hostname, port = said["hostname"][0], int(said["port"][0])
    keys = tuple(
        path for path in (project / _at_home(name, home) for name in said.get("identityfile", ())) if path.is_file()
    )
    files = [
        project / _at_home(name, home)
        for which in ("user", "global")
        for line in said.get(f"{which}knownhostsfile", ())
        for name in line.split()
    ]
    known = tuple(key for file in files for key in known_keys(_text(file), host=hostname, port=port))
    return SshSettings(command, hostname, port, said["user"][0], said, keys, _kinds(keys), known)


def _kinds(keys: Sequence[Path]) -> tuple[str, ...]:
    """The kinds of keys, as far as their public halves lie beside them."""
    publics = (_text(key.with_name(f"{key.name}.pub")).split() for key in keys)
    return tuple(words[0] for words in publics if words)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
