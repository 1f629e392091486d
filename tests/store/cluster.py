"""A PostgreSQL cluster of the test run's own: on a unix socket in a temporary folder, by an unprivileged user, gone at the end."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

MISSING = "PostgreSQL is missing, and these tests need it: apt-get install postgresql"
ROOM = 1 << 30  # bytes
SETTINGS = {
    "fsync": "off",
    "listen_addresses": "",
    "max_connections": "100",
    "log_min_messages": "fatal",
    "full_page_writes": "off",
    "autovacuum": "off",
}


@dataclass
class Cluster:
    """A running server; `folder` holds its socket, `process` is the postmaster, another one after a restart."""

    folder: Path
    process: subprocess.Popen[bytes]

    def url(self, database: str = "postgres") -> str:
        return f"postgresql://wellkept@/{database}?host={self.folder}"


@contextmanager
def running_cluster() -> Iterator[Cluster]:
    """Start a cluster, and stop it again; it dies with the test run also when that is killed."""
    folder = Path(tempfile.mkdtemp(prefix="wk-pg-", dir=_roomy_memory()))
    try:
        _give_to_server_user(folder)
        _run(
            [
                program("initdb"),
                "-D",
                f"{folder}/data",
                "-U",
                "wellkept",
                "-A",
                "trust",
                "-E",
                "UTF8",
                "--locale=C",
                "-N",
            ]
        )
        running = Cluster(folder, start(folder))
        try:
            yield running
        finally:
            stop(running.process)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def start(folder: Path) -> subprocess.Popen[bytes]:
    """Start the server of a folder that was initialised, and wait until it answers."""
    options = [f"-c{name}={value}" for name, value in {**SETTINGS, "unix_socket_directories": str(folder)}.items()]
    command = [*_as_server_user(), "--pdeathsig", "INT", program("postgres"), "-D", f"{folder}/data", *options]
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
    for _ in range(300):
        if subprocess.run([program("pg_isready"), "-q", "-h", str(folder)], check=False).returncode == 0:
            return process
        if process.poll() is not None:
            break
        time.sleep(0.1)
    pytest.fail(f"PostgreSQL did not start:\n{(folder / 'log').read_text()}")


def stop(process: subprocess.Popen[bytes]) -> None:
    """Stop a server at once; nothing in it is worth keeping."""
    if process.poll() is None:
        process.send_signal(signal.SIGQUIT)
        process.wait(timeout=30)


def _roomy_memory() -> str | None:
    """A folder in memory if there is room, for speed; None for the usual temporary folder."""
    memory = "/dev/shm"
    return memory if os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > ROOM else None


def program(name: str) -> str:
    """Where a program of PostgreSQL is: Debian keeps them off PATH."""
    versions = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: float(path.parts[4]))
    found = str(versions[-1]) if versions else shutil.which(name)
    if found is None:
        pytest.fail(MISSING)
    return found


def _give_to_server_user(folder: Path) -> None:
    if os.geteuid() == 0:
        try:
            user = pwd.getpwnam("postgres")
        except KeyError:
            pytest.fail(MISSING)
        os.chown(folder, user.pw_uid, user.pw_gid)
    folder.chmod(0o755)


def _as_server_user() -> list[str]:
    """The server refuses to run as root."""
    if os.geteuid() != 0:
        return ["setpriv"]
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"]


def _run(command: Sequence[str]) -> None:
    done = subprocess.run([*_as_server_user(), *command], capture_output=True, text=True, cwd="/", check=False)
    if done.returncode != 0:
        pytest.fail(f"{command[0]} failed:\n{done.stdout}{done.stderr}")
