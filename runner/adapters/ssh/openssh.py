"""One command on one host by OpenSSH's own client, or on this machine."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from runner.adapters.asking import CannotAsk, NoAnswer
from runner.adapters.programs import Ran, run_program
from runner.adapters.ssh.settings import SshSettings

MOST_OUTPUT = 256 * 1024  # bytes
_SSH_FAILED = 255
LOGIN_REFUSED = "the login was refused"

_OUR_SIDE = {
    r"REMOTE HOST IDENTIFICATION HAS CHANGED": "",
    r"[Hh]ost key verification failed|No \S+ host key is known": "its host key is not known or not trusted; look at it with: wellkept hosts trust",
    r"Permission denied|Too many authentication failures": LOGIN_REFUSED,
    r"Could not resolve hostname": "its name cannot be resolved",
    r"Bad configuration option|unsupported option|Bad owner or permissions": "ssh refuses its settings for this host",
    r"Network is unreachable": "this machine has no network to it",
}
"""OpenSSH's own words, and what they mean; an empty meaning says something about the host."""


@dataclass(frozen=True, slots=True)
class Said:
    """What a command said on a host, bounded, and its exit code."""

    exit_code: int
    text: str


def ask_by_openssh(
    settings: SshSettings, run: str, *, project: Path, environ: Mapping[str, str], time_limit: float
) -> Said:
    """Run `run` by the login shell of the host. Raises NoAnswer or CannotAsk."""
    connect = ("-o", f"ConnectTimeout={max(1, round(time_limit))}")
    argv = [settings.command[0], *connect, *settings.command[1:], run]
    ran = run_program(argv, environ=environ, time_limit=time_limit, cwd=project, most_bytes=MOST_OUTPUT)
    if ran.exit_code == _SSH_FAILED:
        if "timed out" in ran.stderr:  # ssh's own limit and ours are the same, and either may be first
            raise NoAnswer(f"no answer within {time_limit:g} s")
        _raise_for(ran)
    return _said(ran, time_limit)


def ask_here(run: str, *, project: Path, environ: Mapping[str, str], time_limit: float) -> Said:
    """Run `run` by this machine's shell, as Ansible's local connection does. Raises NoAnswer."""
    return _said(
        run_program(
            ["/bin/sh", "-c", run], environ=environ, time_limit=time_limit, cwd=project, most_bytes=MOST_OUTPUT
        ),
        time_limit,
    )


def _said(ran: Ran, time_limit: float) -> Said:
    if ran.cut:
        raise NoAnswer(
            f"no answer within {time_limit:g} s"
            if "within" in ran.cut
            else f"the command {ran.cut.removeprefix('it ')}"
        )
    return Said(ran.exit_code, ran.stdout.strip() or ran.stderr.strip())


def _raise_for(ran: Ran) -> None:
    for words, meaning in _OUR_SIDE.items():
        if re.search(words, ran.stderr):
            if not meaning:
                raise NoAnswer("its host key has changed; look at it with: wellkept hosts trust")
            raise CannotAsk(f"{meaning} ({ran.words})")
    if ran.stderr.strip():
        raise NoAnswer(ran.words)
