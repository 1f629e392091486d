"""TCP ports of the hosts: found free, and held for the whole life of a lab, also while a host is down."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager

from tests.lab.errors import LabError

ADDRESS = "127.0.0.1"


@contextmanager
def held_ports(count: int, *, first: int | None = None) -> Iterator[list[socket.socket]]:
    """Bind `count` ports, free ones or those from `first` on; closed at the end, but children may keep them."""
    sockets: list[socket.socket] = []
    try:
        for index in range(count):
            sockets.append(_hold(0 if first is None else first + index))  # noqa: PERF401  (what was bound must be closed)
        yield sockets
    finally:
        for held in sockets:
            held.close()


def _hold(port: int) -> socket.socket:
    """Bind a port without listening: to others it is taken, to callers it refuses, and sshd may still listen on it."""
    held = socket.socket()
    try:
        held.bind((ADDRESS, port))
    except OSError as problem:
        held.close()
        raise LabError(
            f"port {port}: {problem.strerror}; give another --port, or none to have free ones found"
        ) from None
    # Only now, so that the bind itself finds a port that is really free.
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    held.set_inheritable(True)
    return held


def port_of(held: socket.socket) -> int:
    """The port that a socket holds."""
    return int(held.getsockname()[1])


def greets(port: int, *, seconds: float) -> bool:
    """Whether an SSH server greets on `port` within `seconds`."""
    try:
        with socket.create_connection((ADDRESS, port), seconds) as connection:
            connection.settimeout(seconds)
            return connection.recv(8).startswith(b"SSH-")
    except OSError:
        return False
