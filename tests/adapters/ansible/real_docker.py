"""A real Docker daemon with a storage of its own, and the small image that podman's tests have."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.adapters.ansible.real_podman import IMAGE, a_system

PATIENCE = 40.0  # seconds
SYSTEM = tuple(str(path) for path in sorted(Path("/usr").iterdir()) if path.is_dir() and path.name != "src")
QUIET = ("--iptables=false", "--ip6tables=false", "--bridge=none")  # the network of this machine is left alone
LOW = (
    "--default-ulimit=nofile=1024:1024",
    "--default-ulimit=nproc=4096:4096",
)  # a test machine is often a container itself


@dataclass(frozen=True)
class Docker:
    """The engine, which every docker of this process and its children uses; `mounts` is what the image lacks."""

    image: str = IMAGE
    mounts: tuple[str, ...] = (*SYSTEM, *dict.fromkeys((sys.prefix, sys.base_prefix)))

    def names(self) -> list[str]:
        """The names of all containers, whatever their state."""
        return self.say("ps", "--all", "--format", "{{.Names}}").split()

    def say(self, *words: str, message: bytes = b"") -> str:
        ran = subprocess.run(["docker", *words], input=message, capture_output=True, check=True, timeout=60)
        return ran.stdout.decode()

    def answers(self) -> bool:
        return subprocess.run(["docker", "info"], capture_output=True, check=False, timeout=60).returncode == 0


@contextmanager
def a_docker() -> Iterator[Docker]:
    """Start a daemon in a folder of its own, with the image in it; nothing of it is left."""
    folder = Path(tempfile.mkdtemp(prefix="wkd", dir="/tmp"))  # its sockets need a short path
    places = (f"--data-root={folder}/data", f"--exec-root={folder}/exec", f"--pidfile={folder}/pid")
    daemon = ["dockerd", *places, f"--host=unix://{folder}/sock", "--storage-driver=vfs", *QUIET, *LOW]
    with (folder / "log").open("w") as log, pytest.MonkeyPatch.context() as changed:
        changed.setenv("DOCKER_HOST", f"unix://{folder}/sock")
        process = subprocess.Popen(daemon, stdout=log, stderr=log)
        try:
            yield with_image(Docker(), process)
        finally:
            process.terminate()
            process.wait(PATIENCE)
            unmount(folder)
            shutil.rmtree(folder)


def unmount(folder: Path) -> None:
    """Undo the mounts that a daemon leaves behind: that of its own network namespace."""
    mounted = (line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines())
    for place in [place for place in mounted if place.startswith(f"{folder}/")]:
        subprocess.run(["umount", place], check=True, capture_output=True)


def with_image(docker: Docker, process: subprocess.Popen[bytes]) -> Docker:
    """Wait until the daemon answers, and put the image there."""
    until = time.monotonic() + PATIENCE
    while not docker.answers():
        assert process.poll() is None, "dockerd ended by itself"
        assert time.monotonic() < until, "dockerd does not answer"
        time.sleep(0.2)
    programs = f"ENV PATH={Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin"
    docker.say("import", "--change", programs, "-", IMAGE, message=a_system())
    return docker
