"""What this machine can do: the programs the lab needs, and whether it gives us namespaces."""

import getpass
import os
import pwd
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tests.lab.errors import LabError
from tests.lab.plan import Mode

SEARCH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/bin", "/bin"])

FOR_EVERY_LAB: Mapping[str, str] = {
    "sshd": "openssh-server",
    "ssh": "openssh-client",
    "ssh-keygen": "openssh-client",
    "setpriv": "util-linux",
}
FOR_OWN_ROOTS: Mapping[str, str] = {
    "unshare": "util-linux",
    "nsenter": "util-linux",
    "perl": "perl-base",
    "apt-get": "apt",
    "dpkg-deb": "dpkg",
}

NAMESPACES = ("--mount", "--pid", "--uts", "--ipc", "--fork", "--kill-child=SIGKILL")
AS_ROOT_INSIDE = ("unshare", "--user", "--map-root-user")
TRIAL = "mount -t tmpfs trial /tmp && mount -t proc proc /proc"


def program(name: str) -> str:
    """The full path of a program, also of one in an sbin folder that is not on the user's PATH; its name if missing."""
    return shutil.which(name, path=SEARCH) or name


def require_programs(mode: Mode) -> None:
    """LabError, in one line that says what to install, if this machine lacks something for `mode`."""
    wanted = FOR_EVERY_LAB if mode is Mode.PLAIN else {**FOR_EVERY_LAB, **FOR_OWN_ROOTS}
    missing = {name: package for name, package in wanted.items() if not shutil.which(name, path=SEARCH)}
    if mode is not Mode.PLAIN and not _system_python_knows_apt():
        missing["python3-apt"] = "python3-apt"
    if missing:
        packages = " ".join(sorted(set(missing.values())))
        raise LabError(f"the lab needs {', '.join(missing)}, which this machine does not have: apt install {packages}")


def _system_python_knows_apt() -> bool:
    if not Path("/usr/bin/python3").exists():
        return False
    return subprocess.run(["/usr/bin/python3", "-c", "import apt"], check=False, capture_output=True).returncode == 0


def choose_mode(*, plain: bool) -> tuple[Mode, str | None]:
    """How hosts can be made here, and for plain hosts the one line that says why and what they cannot do."""
    if plain:
        return Mode.PLAIN, _notice("as asked")
    if not (shutil.which("dpkg", path=SEARCH) and shutil.which("apt-get", path=SEARCH)):
        return Mode.PLAIN, _notice("this machine is neither Debian nor Ubuntu")
    mode = Mode.ROOT if os.geteuid() == 0 else Mode.USER
    if refusal := _refusal(mode):
        return Mode.PLAIN, _notice(f"this machine gives us no namespaces ({refusal})")
    return mode, None


def _notice(reason: str) -> str:
    return (
        f"plain lab, {reason}: the hosts are SSH servers on this machine itself, "
        "without packages of their own, patches or reboots"
    )


def _refusal(mode: Mode) -> str | None:
    """Why the kernel or a container refuses what a host needs; None if it does not, or if there is no way to try."""
    if not shutil.which("unshare", path=SEARCH):
        return None
    prefix = AS_ROOT_INSIDE if mode is Mode.USER else ("unshare",)
    answer = subprocess.run([*prefix, *NAMESPACES, "sh", "-c", TRIAL], check=False, capture_output=True, text=True)
    return (answer.stderr.strip().splitlines() or ["no reason given"])[0] if answer.returncode else None


def login_name() -> str:
    """The user who logs in to the hosts; LabError if sshd would turn that user away."""
    if os.geteuid() == 0:
        return "root"
    try:
        entry = pwd.getpwuid(os.geteuid())
    except KeyError:
        raise LabError(
            f"user id {os.geteuid()} has no line in /etc/passwd, so sshd lets nobody in; use another user"
        ) from None
    if Path(entry.pw_shell or "/bin/sh").name in {"nologin", "false"}:
        raise LabError(
            f"user {getpass.getuser()!r} has the login shell {entry.pw_shell}, so sshd lets nobody in; use another user"
        )
    return entry.pw_name


def ssh_version() -> tuple[int, int]:
    """The version of OpenSSH here, such as (9, 2)."""
    told = subprocess.run([program("ssh"), "-V"], check=False, capture_output=True, text=True).stderr
    found = re.search(r"OpenSSH_(\d+)\.(\d+)", told)
    return (int(found[1]), int(found[2])) if found else (0, 0)
