"""Does a port accept a connection in time."""

from __future__ import annotations

import errno
import socket
import time

from runner.adapters.asking import CannotAsk, NoAnswer, Variables, address_of, is_local, text_of
from runner.adapters.ssh.asking import SshHosts
from runner.adapters.ssh.way import is_ssh
from runner.domain.health import Answer, Check

_SSH_PORT = 22
_NO_NETWORK = frozenset({errno.ENETUNREACH, errno.ENETDOWN, errno.EMFILE, errno.ENFILE})


def ask_tcp(check: Check, host: str, variables: Variables, *, hosts: SshHosts) -> Answer:
    """Connect to the check's port, or else to the host's ssh port, and close again. Raises NoAnswer or CannotAsk."""
    address, port = _place(check, host, variables, hosts)
    limit = check.within.total_seconds()
    started = time.monotonic()
    try:
        socket.create_connection((address, port), timeout=limit).close()
    except socket.gaierror as error:
        raise CannotAsk(f"its name {address} cannot be resolved ({error.strerror})") from error
    except TimeoutError as error:
        raise NoAnswer(f"port {port} did not answer within {limit:g} s") from error
    except OSError as error:
        raise _failure(error, port) from error
    return Answer(check.name, host, reached=True, seconds=time.monotonic() - started)


def _place(check: Check, host: str, variables: Variables, hosts: SshHosts) -> tuple[str, int]:
    """Where to knock: as the user's ssh_config says, which may know the host under another name."""
    if is_local(variables) or not is_ssh(variables):
        return address_of(host, variables), check.port or int(text_of(variables, "ansible_port") or _SSH_PORT)
    settings = hosts.settings(host, variables)
    return settings.hostname, check.port or settings.port


def _failure(error: OSError, port: int) -> Exception:
    words = (error.strerror or str(error)).lower()
    return (
        CannotAsk(f"this machine cannot reach it: {words}")
        if error.errno in _NO_NETWORK
        else NoAnswer(f"port {port}: {words}")
    )
