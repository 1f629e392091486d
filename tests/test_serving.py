"""`wellkept serve` as a process of its own: what it tells the service manager, and whom else it tells that it lives."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

SETTINGS = """\
format: 1
organisation: Example Ltd
inventories:
  production: {source: hosts.ini}
dead_man_ping: {url: "${PING}", every: 1s}
"""


class Listener(ThreadingHTTPServer):
    """Somebody outside who waits for a sign of life."""

    def __init__(self) -> None:
        self.asked = list[str]()
        self.heard = threading.Event()
        super().__init__(("127.0.0.1", 0), Ping)


class Ping(BaseHTTPRequestHandler):
    server: Listener

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        self.server.heard.set()
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing on the test's output."""


@pytest.fixture
def listener() -> Iterator[Listener]:
    with Listener() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    (tmp_path / "wellkept.yml").write_text(SETTINGS)
    (tmp_path / "hosts.ini").write_text("here ansible_connection=local\n")
    subprocess.run([sys.executable, "-m", "runner", "-C", str(tmp_path), "db", "upgrade"], check=True)
    return tmp_path


def test_it_tells_when_it_is_ready_that_it_lives_and_when_it_stops(repository: Path, listener: Listener) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
        line.bind(str(repository / "notify"))
        line.settimeout(60)
        told = {
            "PING": f"http://127.0.0.1:{listener.server_port}/secret",
            "NOTIFY_SOCKET": str(repository / "notify"),
            "WATCHDOG_USEC": "900000000",
        }
        serve = [sys.executable, "-m", "runner", "-C", str(repository), "serve"]
        process = subprocess.Popen(serve, env={**os.environ, **told}, stderr=subprocess.PIPE, text=True)

        first, second = line.recv(100), line.recv(100)
        pinged = listener.heard.wait(30)
        process.send_signal(signal.SIGTERM)
        _, log = process.communicate(timeout=60)
        line.setblocking(False)
        rest = list(iter(lambda: received(line), b""))

    assert (first, second) == (b"READY=1", b"WATCHDOG=1")
    assert pinged
    assert listener.asked[0] == "/secret"
    assert b"STOPPING=1" in rest
    assert process.returncode == 0
    assert "secret" not in log


def received(line: socket.socket) -> bytes:
    try:
        return line.recv(100)
    except BlockingIOError:
        return b""
