"""The SSH client within this process: connect, run one command, and say in our own words what went wrong."""

from __future__ import annotations

import base64
import binascii
import contextlib
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NoReturn

import paramiko

from runner.adapters.asking import CannotAsk, NoAnswer
from runner.adapters.ssh.openssh import MOST_OUTPUT
from runner.adapters.ssh.settings import SshSettings

KEEPALIVE_SECONDS = 30
_SSH_PORT = 22
_TOO_LATE = (
    "banner",
    "imeout",
    "No existing session",
)  # paramiko's words; the last when a handshake has not ended in time


class TryOpenSsh(CannotAsk):
    """The client in this process was not let in, or does not know the kind of key that the host shows; OpenSSH may know more."""


class _RejectAndTell(paramiko.RejectPolicy):
    """Refuses every host whose key is not known, in a way that can be told from other failures."""

    def missing_host_key(self, client: paramiko.SSHClient, hostname: str, key: paramiko.PKey) -> NoReturn:
        raise TryOpenSsh(f"no {key.get_name()} key is known for it")


def session(client: paramiko.SSHClient, time_limit: float) -> paramiko.Channel:
    """Open a place for one command on a connection."""
    transport = client.get_transport()
    if transport is None:
        raise EOFError
    return transport.open_session(timeout=time_limit)


def read_output(channel: paramiko.Channel, renew: Callable[[], None]) -> str:
    """Read both outputs to their end; a command that writes without end is refused. Standard output counts, or else what was said on the other."""
    said, left = b"", MOST_OUTPUT
    while piece := channel.recv(65536):
        renew()
        said, left = said + piece, left - len(piece)
        if left < 0:
            raise NoAnswer(f"the command wrote more than {MOST_OUTPUT} bytes")
    if not said.strip():
        said = channel.recv_stderr(MOST_OUTPUT)
    return said.decode("utf-8", errors="replace").strip()


def connected(settings: SshSettings, time_limit: float) -> paramiko.SSHClient:
    """Connect and log in, only if the host shows a key that is known for it."""
    client = paramiko.SSHClient()
    client.set_missing_host_key_policy(_RejectAndTell())
    name = settings.hostname if settings.port == _SSH_PORT else f"[{settings.hostname}]:{settings.port}"
    for known in settings.known:
        with contextlib.suppress(paramiko.SSHException, binascii.Error, ValueError):
            key = paramiko.PKey.from_type_string(known.kind, base64.b64decode(known.key))
            client.get_host_keys().add(name, known.kind, key)
    keys = [str(key) for key in settings.keys]
    try:
        client.connect(
            settings.hostname,
            port=settings.port,
            username=settings.user,
            password=settings.password or None,
            key_filename=keys,  # type: ignore[arg-type]  # a list is documented, and the stubs lag behind
            allow_agent=settings.first("identityagent") != "none" and not settings.is_on("identitiesonly"),
            look_for_keys=False,
            timeout=time_limit,
            banner_timeout=time_limit,
            auth_timeout=time_limit,
            channel_timeout=time_limit,
        )
    except BaseException:
        client.close()
        raise
    transport = client.get_transport()
    if transport:
        transport.set_keepalive(KEEPALIVE_SECONDS)
    return client


@contextmanager
def as_answers(time_limit: float) -> Iterator[None]:
    """Say in our own words what went wrong."""
    try:
        yield
    except paramiko.BadHostKeyException as error:
        raise NoAnswer("its host key has changed; look at it with: wellkept hosts trust") from error
    except (paramiko.AuthenticationException, paramiko.PasswordRequiredException) as error:
        raise TryOpenSsh("the login was refused") from error
    except socket.gaierror as error:
        raise CannotAsk(f"its name cannot be resolved ({error.strerror})") from error
    except TimeoutError as error:
        raise NoAnswer(f"no answer within {time_limit:g} s") from error
    except (paramiko.SSHException, EOFError, OSError) as error:
        raise NoAnswer(_words(error, time_limit)) from error


def _words(error: Exception, time_limit: float) -> str:
    if isinstance(error, paramiko.ssh_exception.NoValidConnectionsError):
        return "; ".join(sorted({str(getattr(cause, "strerror", cause)).lower() for cause in error.errors.values()}))
    if any(words in str(error) for words in _TOO_LATE):
        return f"no answer within {time_limit:g} s"
    return str(error).lower() or "the connection was closed"
