"""What does a command say on the host."""

from __future__ import annotations

import time

from runner.adapters.asking import CannotAsk, Variables
from runner.adapters.ssh.asking import SshHosts
from runner.domain.health import Answer, Check


def ask_ssh(check: Check, host: str, variables: Variables, *, hosts: SshHosts) -> Answer:
    """Run the check's command by the host's login shell. Raises NoAnswer or CannotAsk."""
    if not check.run:
        raise CannotAsk("the check names no command to run")
    started = time.monotonic()
    said = hosts.ask(host, variables, check.run, time_limit=check.within.total_seconds())
    return Answer(
        check.name, host, reached=True, text=said.text, exit_code=said.exit_code, seconds=time.monotonic() - started
    )
