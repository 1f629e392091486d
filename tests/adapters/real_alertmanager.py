"""A real Alertmanager on the loopback address, with a folder of its own."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.adapters.real_sshd import free_port

PROGRAM = "prometheus-alertmanager"  # as Debian names it
CONFIG = """\
route: {receiver: nobody}
receivers: [{name: nobody}]
inhibit_rules:
  - {source_matchers: [alertname = HostDown], target_matchers: [alertname = DiskFull], equal: [instance]}
"""
PATIENCE = 30.0  # seconds


@dataclass(frozen=True)
class Alertmanager:
    """A server that runs."""

    url: str

    def post(self, path: str, body: object) -> object:
        request = urllib.request.Request(
            f"{self.url}/api/v2/{path}", json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=5) as answer:
            return json.loads(answer.read() or b"null")

    def fire(self, name: str, **labels: str) -> None:
        """Have an alert fire from now on, for five minutes."""
        self.post("alerts", [{"labels": {"alertname": name, **labels}}])

    def end(self, name: str, **labels: str) -> None:
        """Have an alert end."""
        self.post("alerts", [{"labels": {"alertname": name, **labels}, "endsAt": "2020-01-01T00:00:00Z"}])

    def silence(self, name: str) -> None:
        """Silence an alert for a long time."""
        matcher = {"name": "alertname", "value": name, "isRegex": False, "isEqual": True}
        times = {"startsAt": "2020-01-01T00:00:00Z", "endsAt": "2099-01-01T00:00:00Z"}
        self.post("silences", {"matchers": [matcher], **times, "createdBy": "ana", "comment": "known"})

    def is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/-/ready", timeout=1) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False


@contextmanager
def alertmanager(folder: Path) -> Iterator[Alertmanager]:
    """Start one; fails, and does not skip, where the program is missing."""
    assert shutil.which(PROGRAM), f"{PROGRAM} is missing. Install it with: apt-get install {PROGRAM}"
    (folder / "alertmanager.yml").write_text(CONFIG)
    port = free_port()
    command = [
        PROGRAM,
        f"--config.file={folder}/alertmanager.yml",
        f"--storage.path={folder}/data",
        f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",
    ]
    with (folder / "alertmanager.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    server = Alertmanager(f"http://127.0.0.1:{port}")
    try:
        until = time.monotonic() + PATIENCE
        while not server.is_ready():
            assert process.poll() is None, (folder / "alertmanager.log").read_text()
            assert time.monotonic() < until, (folder / "alertmanager.log").read_text()
            time.sleep(0.05)
        yield server
    finally:
        process.kill()
        process.wait()
