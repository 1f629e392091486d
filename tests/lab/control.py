"""How others talk to the supervisor: one JSON line each way over a socket in the lab's folder."""

import contextlib
import json
import os
import socket
import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from tests.lab.errors import LabError

NAME = "control"
SECONDS = 60.0


@contextlib.contextmanager
def _address(folder: Path) -> Iterator[str]:
    """A short name for the socket: the path of a Unix socket may have 107 bytes, that of a test's folder more."""
    descriptor = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{descriptor}/{NAME}"
    finally:
        os.close(descriptor)


def listen(folder: Path) -> socket.socket:
    """The supervisor's end, for the lab's owner only."""
    listener = socket.socket(socket.AF_UNIX)
    mask = os.umask(0o177)
    try:
        with _address(folder) as address:
            listener.bind(address)
    finally:
        os.umask(mask)
    listener.listen(16)
    return listener


def answer(listener: socket.socket, reply_to: Callable[[dict[str, object]], dict[str, object]]) -> None:
    """Take one request and answer it; a caller that goes away or talks nonsense harms nobody."""
    connection, _ = listener.accept()
    with connection, contextlib.suppress(OSError, ValueError):
        connection.settimeout(SECONDS)
        request = json.loads(connection.makefile("rb").readline())
        try:
            reply = reply_to(request)
        except (LabError, OSError, subprocess.SubprocessError) as problem:
            reply = {"error": str(problem)}
        connection.sendall(json.dumps(reply).encode() + b"\n")


def ask(folder: Path, wish: str, hosts: Sequence[str] = ()) -> dict[str, object]:
    """Ask the supervisor for something and wait for its answer; LabError when it cannot, or does not run."""
    try:
        with socket.socket(socket.AF_UNIX) as connection, _address(folder) as address:
            connection.settimeout(SECONDS)
            connection.connect(address)
            connection.sendall(json.dumps({"wish": wish, "hosts": list(hosts)}).encode() + b"\n")
            line = connection.makefile("rb").readline()
    except OSError as problem:
        raise LabError(f"{folder}: no lab is up here ({problem.strerror or problem})") from None
    reply: dict[str, object] = json.loads(line or b'{"error": "the supervisor ended before it answered"}')
    if "error" in reply:
        raise LabError(str(reply["error"]))
    return reply
