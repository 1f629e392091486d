"""The process above the supervisor: whatever becomes of either, no process and no file of the lab is left."""

import contextlib
import fcntl
import os
import shutil
import signal
import traceback
from pathlib import Path
from typing import BinaryIO, NoReturn

from tests.lab.errors import LabError
from tests.lab.plan import read_plan
from tests.lab.processes import adopt_orphans, die_with_parent, end_descendants
from tests.lab.supervisor import Supervisor

LOCK = "lab.lock"
LOG = "supervisor.log"
STATE = "state.json"
OURS = ("control", "hosts", "id", "id.pub", "inventory.yml", "known_hosts", "repo", "templates", LOG, STATE)
CRASHED = 70  # the supervisor's own fault: the files stay, for its log; the next lab in the folder removes them


def take_lock(folder: Path) -> int | None:
    """Make `folder` and take the lab's lock, which is held for its whole life; None while another lab lives there."""
    while True:
        folder.mkdir(parents=True, exist_ok=True)
        lock = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.path.samestat(os.fstat(lock), (folder / LOCK).stat()):
                return lock
        except BlockingIOError:
            os.close(lock)
            return None
        except FileNotFoundError:
            pass
        os.close(lock)  # a lab that was ending removed the file between our open and our lock: once more


def is_alive(folder: Path) -> bool:
    """Whether a lab lives in `folder`, starts or is still ending there."""
    try:
        with (folder / LOCK).open("rb") as lock:
            return is_held(lock)
    except FileNotFoundError:
        return False


def is_held(lock: BinaryIO) -> bool:
    """Whether a lab holds `lock`, its opened lock file; true until the last of its processes has ended."""
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    return False


def clear(folder: Path, *, keep_lock: bool = False) -> None:
    """Remove what the lab made in `folder`, and the folder itself if the lab made it; a held lock may stay."""
    made_folder = made_by_lab(folder)
    for name in OURS:
        path = folder / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    if not keep_lock:
        (folder / LOCK).unlink(missing_ok=True)
        if made_folder:
            with contextlib.suppress(OSError):  # somebody else's file in it
                folder.rmdir()


def made_by_lab(folder: Path) -> bool:
    """Whether the lab in `folder` made the folder itself."""
    try:
        return read_plan(folder / STATE).made_folder
    except LabError:
        return False


def main(arguments: list[str]) -> None:
    """Become the guard of the lab in FOLDER: arguments FOLDER LOCK OWNER PORT..., all but the first descriptors."""
    folder, descriptors = Path(arguments[0]), [int(argument) for argument in arguments[1:]]
    if os.fork():
        os._exit(0)
    os.setsid()
    for descriptor in descriptors:
        os.set_inheritable(descriptor, False)  # a fork keeps lock and ports, a started program does not
    _guard(folder, owner=descriptors[1])


def _guard(folder: Path, *, owner: int) -> None:
    adopt_orphans()
    guard = os.getpid()
    supervisor = os.fork()
    if supervisor == 0:
        _supervise(folder, owner=owner, guard=guard)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: os.kill(supervisor, signal.SIGTERM))
    status = _wait_for(supervisor)
    end_descendants()
    if os.waitstatus_to_exitcode(status) != CRASHED:
        clear(folder)


def _wait_for(supervisor: int) -> int:
    while True:
        pid, status = os.wait()
        if pid == supervisor:
            return status  # and no orphan that we adopted


def _supervise(folder: Path, *, owner: int, guard: int) -> NoReturn:
    os.setsid()  # a kill of the guard's process group must not take both
    try:
        die_with_parent(guard, signal_number=signal.SIGTERM)
        Supervisor(read_plan(folder / STATE), folder=folder, owner=owner).serve()
        if os.getppid() != guard:  # nobody is left to end the hosts but us
            adopt_orphans()
            end_descendants()
            clear(folder)
    except Exception:  # noqa: BLE001  (the end of this process: the log must say why)
        traceback.print_exc()
        os._exit(CRASHED)
    os._exit(0)
