"""Faults that a host can be given: those its supervisor makes, and those that are made inside it."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

SIGNED = Path(__file__).with_name("signed")
LOCK_PID = "/run/lab-lock.pid"
SOURCE = "/etc/apt/sources.list.d/lab-broken.list"
FILLER = "/var/filler"
RESOLV_CONF = "/etc/resolv.conf"
SERVICE = "/etc/init.d/labsvc"

# Holds dpkg's lock as another package tool would (fcntl, not flock), and returns once a process of its own has it.
HOLD_LOCK = f"""
import fcntl, os, pathlib, signal
if os.path.exists("{LOCK_PID}"):
    raise SystemExit
ready, done = os.pipe()
if os.fork():
    os.close(done)
    raise SystemExit(0 if os.read(ready, 1) else 1)
os.setsid()
for stream in (0, 1, 2):
    os.dup2(os.open("/dev/null", os.O_RDWR), stream)
lock = open("/var/lib/dpkg/lock-frontend", "w")
fcntl.lockf(lock, fcntl.LOCK_EX)
pathlib.Path("{LOCK_PID}").write_text(str(os.getpid()))
os.write(done, b"1")
signal.pause()
"""

# A service whose program ends at once, as one does that finds its port taken or its configuration broken.
BROKEN_SERVICE = """#!/bin/sh
case "$1" in
    start|restart) echo "labsvc: cannot bind to port 80: Address already in use" >&2; exit 1 ;;
    stop) exit 0 ;;
    *) exit 3 ;;
esac
"""

# No one listens there, so that every question is refused at once instead of timing out.
NO_NAMES = "nameserver 127.0.0.9\noptions timeout:1 attempts:1\n"


@dataclass(frozen=True, slots=True)
class InsideFault:
    """A fault made by a command inside the host, and the command that undoes it (harmless when there is no fault)."""

    make: tuple[str, ...]
    undo: tuple[str, ...]


def shell(*lines: str) -> tuple[str, ...]:
    """The command that runs lines of shell until one fails."""
    return ("sh", "-ec", "\n".join(lines))


def write(path: str, text: str) -> str:
    """A line of shell that writes a file."""
    return f"mkdir -p {Path(path).parent} && printf %s {shlex.quote(text)} > {path}"


def source(line: str) -> InsideFault:
    """One more source of packages, with something wrong about it."""
    return InsideFault(make=shell(write(SOURCE, f"{line}\n")), undo=("rm", "-f", SOURCE))


def signed_source(list_: str, *, known: str, name: str = "InRelease") -> InsideFault:
    """A repository of the host's own with this signed list, and the key that the host knows for it."""
    texts = {
        f"/srv/signed/{name}": (SIGNED / list_).read_text(),
        "/srv/signed/Packages": "",
        "/etc/apt/keyrings/lab.asc": (SIGNED / known).read_text(),
        SOURCE: "deb [signed-by=/etc/apt/keyrings/lab.asc] file:/srv/signed ./\n",
    }
    make = shell(*(write(path, text) for path, text in texts.items()))
    return InsideFault(make=make, undo=("rm", "-rf", "/srv/signed", SOURCE))


INSIDE: Mapping[str, InsideFault] = {
    "hold-lock": InsideFault(
        make=("/usr/bin/python3", "-c", HOLD_LOCK),
        undo=("sh", "-c", f"[ ! -e {LOCK_PID} ] || kill $(cat {LOCK_PID}) 2>/dev/null; rm -f {LOCK_PID}"),
    ),
    "break-repository": source("deb [trusted=yes] file:/srv/repo/gone ./"),
    "silence-repository": source("deb [trusted=yes] http://127.0.0.1:9/debian ./"),
    "misspell-source": source("dob [trusted=yes] file:/srv/repo/main ./"),
    "unsign-repository": signed_source("Release", known="known.asc", name="Release"),
    "stranger-signs": signed_source("InRelease.stranger", known="known.asc"),
    "expire-signature": signed_source("InRelease.expired", known="expired.asc"),
    "break-dns": InsideFault(
        make=shell(
            write(RESOLV_CONF, NO_NAMES), write(SOURCE, "deb [trusted=yes] http://mirror.example.invalid/debian ./\n")
        ),
        undo=("rm", "-f", RESOLV_CONF, SOURCE),
    ),
    "break-service": InsideFault(
        make=shell(f"[ -e {SERVICE}.well ] || cp -p {SERVICE} {SERVICE}.well", write(SERVICE, BROKEN_SERVICE)),
        undo=("sh", "-c", f"[ ! -e {SERVICE}.well ] || mv {SERVICE}.well {SERVICE}"),
    ),
    "fill-disk": InsideFault(
        make=("sh", "-c", f"! dd if=/dev/zero of={FILLER} bs=64k 2>/dev/null"),
        undo=("rm", "-f", FILLER),
    ),
}

BY_SUPERVISOR: Mapping[str, str] = {
    "hang": "every process stops where it is; connections hang",
    "resume": "a hung host goes on",
    "crash": "the power is cut; the host boots again",
    "refuse": "the SSH server is down until healed",
    "refuse-login": "the SSH server lets nobody in until healed",
    "new-host-key": "the host shows another key than known_hosts says",
    "stay-down": "once it is down, the host does not boot again until healed",
}
