"""A real podman with a storage of its own, and a small image: an empty system whose programs are this machine's own, mounted read-only."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import pytest

NEEDS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="podman is set up for root here; `make test` as root runs it")
IMAGE = "localhost/wellkept-test:1"
LINKS = ("bin", "lib", "lib64", "sbin")
FOLDERS = ("dev", "etc", "proc", "root", "run", "sys", "tmp", "usr", "var")
# The limits are low and the files of Debian's runc are used, because a test machine is often a container itself.
CONF = """\
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=4096:4096"]
volumes = [{volumes}]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "none"
tmp_dir = "{folder}/tmp"
"""
STORAGE = '[storage]\ndriver = "vfs"\ngraphroot = "{folder}/graph"\nrunroot = "{folder}/run"\n'


@dataclass(frozen=True)
class Podman:
    """The engine, which every podman of this process and its children uses."""

    image: str = IMAGE

    def names(self) -> list[str]:
        """The names of all containers, whatever their state."""
        return self.say("ps", "--all", "--format", "{{.Names}}").split()

    def say(self, *words: str, message: bytes = b"") -> str:
        ran = subprocess.run(["podman", *words], input=message, capture_output=True, check=True, timeout=60)
        return ran.stdout.decode()


@contextmanager
def a_podman() -> Iterator[Podman]:
    """Set podman up in a folder of its own, with the image in it; nothing of it is left."""
    folder = Path(tempfile.mkdtemp(prefix="wkp", dir="/tmp"))  # its sockets need a short path
    try:
        yield from in_folder(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def in_folder(folder: Path) -> Iterator[Podman]:
    """Set podman up below a folder."""
    system = {"/usr", sys.prefix, sys.base_prefix}
    volumes = ", ".join(f'"{path}:{path}:ro"' for path in sorted(system))
    (folder / "containers.conf").write_text(CONF.format(folder=folder, volumes=volumes))
    (folder / "storage.conf").write_text(STORAGE.format(folder=folder))
    with pytest.MonkeyPatch.context() as changed:
        changed.setenv("CONTAINERS_CONF", str(folder / "containers.conf"))
        changed.setenv("CONTAINERS_STORAGE_CONF", str(folder / "storage.conf"))
        podman = Podman()
        programs = f"ENV PATH={Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin"
        podman.say("import", "--change", programs, "-", IMAGE, message=a_system())
        yield podman
        podman.say("rm", "--force", "--all", "--time", "0")
        podman.say("rmi", "--force", IMAGE)


def a_system() -> bytes:
    """An empty system, as an archive."""
    packed = BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name in FOLDERS:
            member = tarfile.TarInfo(name)
            member.type, member.mode = tarfile.DIRTYPE, 0o1777 if name == "tmp" else 0o755
            archive.addfile(member)
        for name in LINKS:
            member = tarfile.TarInfo(name)
            member.type, member.linkname = tarfile.SYMTYPE, f"usr/{name}"
            archive.addfile(member)
        for name, text in {"etc/passwd": "root:x:0:0:root:/root:/bin/sh\n", "etc/group": "root:x:0:\n"}.items():
            member = tarfile.TarInfo(name)
            member.size = len(text)
            archive.addfile(member, BytesIO(text.encode()))
    return packed.getvalue()
