"""Processes of this machine: who we are, who acts, whether an owner of work is gone, and where ssh keeps its sockets."""

from __future__ import annotations

import hashlib
import os
import pwd
import stat
from collections.abc import Mapping
from pathlib import Path

from runner.domain.who import Actor, Owner
from runner.errors import UsageError

START_TIME = 19  # proc(5): field 22 of /proc/PID/stat, counted after the command's closing parenthesis
NO_LOGIN = 2**32 - 1  # a process that no login led to, as in a container or a service
LONGEST_FOLDER = 70  # bytes; ssh's socket name and its temporary suffix must fit into 107 with it
SHORT_PLACES = ("/tmp", "/var/tmp", "/dev/shm")  # noqa: S108  in each only a private folder of our own is used


def this_process() -> Owner:
    """The running process, told apart from any other that had or will have its pid."""
    pid = os.getpid()
    return Owner(boot_id(), pid_namespace(), pid, start_time(pid) or "")


def boot_id() -> str:
    """The id of this machine's boot (random(4))."""
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()


def pid_namespace() -> str:
    """The pid namespace that we see processes in (pid_namespaces(7))."""
    return str(Path("/proc/self/ns/pid").readlink())


def start_time(pid: int) -> str | None:
    """When a process started, in clock ticks since boot; None when there is no such process, or only its zombie."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in {"Z", "X"} else fields[START_TIME]


def is_gone(owner: Owner) -> bool:
    """Whether that process surely no longer exists; False when it lives, or lives where we cannot see."""
    if owner.pid_namespace != pid_namespace():
        return False
    return owner.boot_id != boot_id() or start_time(owner.pid) != owner.started


def login_actor(environ: Mapping[str, str]) -> Actor:
    """The person behind this command: who logged in, by the kernel's own account; where it has none, root believes sudo."""
    if login := logged_in_as():
        return Actor(login)
    if os.geteuid() == 0 and environ.get("SUDO_USER"):
        return Actor(environ["SUDO_USER"])
    try:
        return Actor(pwd.getpwuid(os.getuid()).pw_name)  # never LOGNAME or USER, which anybody can set
    except KeyError:
        return Actor(str(os.getuid()))


def logged_in_as() -> str:
    """The user who logged in, which no later change of user alters (loginuid of proc(5)); empty where there was no login."""
    try:
        number = int(Path("/proc/self/loginuid").read_text(encoding="ascii"))
        return "" if number == NO_LOGIN else pwd.getpwuid(number).pw_name
    except (OSError, ValueError, KeyError):
        return ""


def control_folder(state_dir: Path, run: str) -> Path:
    """A run's own short, private folder for ssh's sockets: below the state folder, or below the first short place that is ours where that path is too long.

    The same run always gets the same folder, whoever asks and whatever TMPDIR says, so that whoever finds its leavings can name them.
    Raises UsageError when there is no such place.
    """
    near = state_dir / "cp"
    return (near if leaves_room(near) else short_folder(state_dir)) / run[-12:]


def short_folder(state_dir: Path) -> Path:
    """A folder of this installation alone in a short place; one that somebody else took first is passed over. Raises UsageError."""
    mark, refused = hashlib.sha256(os.fsencode(state_dir)).hexdigest()[:12], ""
    for place in SHORT_PLACES:
        folder = Path(place) / f"wellkept-{os.getuid()}-{mark}"
        try:
            return private_folder(folder)
        except (UsageError, OSError) as error:
            refused = refused or str(error)
    raise UsageError(
        f"{state_dir}: too deep for ssh's sockets, and there is no short place for them either: {refused} "
        "Set a shorter state_dir in wellkept.yml, such as /var/lib/wellkept."
    )


def leaves_room(folder: Path) -> bool:
    """Whether the folder of a run below this one is short enough for ssh's sockets."""
    return len(os.fsencode(folder)) + 13 <= LONGEST_FOLDER


def make_private(folder: Path) -> None:
    """Make a folder, and those above it that are not there, for us alone, whatever the umask is."""
    for path in reversed([folder, *folder.parents]):
        if not path.exists():
            path.mkdir(mode=0o700, exist_ok=True)


def private_folder(path: Path) -> Path:
    """Make a folder that only we can use; refuses one that somebody else made there first."""
    path.mkdir(mode=0o700, exist_ok=True)
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise UsageError(
            f"{path}: belongs to somebody else or is open to others. Remove it, or set a shorter state_dir in wellkept.yml."
        )
    return path
