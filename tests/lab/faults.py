"""Faults that a host can be given: those its supervisor makes, and those that are made inside it."""

from collections.abc import Mapping
from dataclasses import dataclass

LOCK_PID = "/run/lab-lock.pid"
BROKEN_SOURCE = "/etc/apt/sources.list.d/lab-broken.list"
FILLER = "/var/filler"

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


@dataclass(frozen=True, slots=True)
class InsideFault:
    """A fault made by a command inside the host, and the command that undoes it (harmless when there is no fault)."""

    make: tuple[str, ...]
    undo: tuple[str, ...]


INSIDE: Mapping[str, InsideFault] = {
    "hold-lock": InsideFault(
        make=("/usr/bin/python3", "-c", HOLD_LOCK),
        undo=("sh", "-c", f"[ ! -e {LOCK_PID} ] || kill $(cat {LOCK_PID}) 2>/dev/null; rm -f {LOCK_PID}"),
    ),
    "break-repository": InsideFault(
        make=("sh", "-c", f"echo 'deb [trusted=yes] file:/srv/repo/gone ./' > {BROKEN_SOURCE}"),
        undo=("rm", "-f", BROKEN_SOURCE),
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
    "new-host-key": "the host shows another key than known_hosts says",
}
