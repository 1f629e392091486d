"""What `doctor` asks of this machine: programs and their versions, folders, the clock, and how a host would be reached."""

from __future__ import annotations

import os
import platform
import pwd
import re
import shlex
import shutil
import stat
from collections.abc import Mapping
from dataclasses import astuple
from pathlib import Path

from runner.adapters.ansible import AnsibleExecutor
from runner.adapters.ansible.playbooks import LONGEST_SOCKET, SOCKET_NAME
from runner.adapters.ansible.secrets import Source, place, resolve
from runner.adapters.ansible.settings import UserSettings
from runner.adapters.ansible_configuration import configuration_file
from runner.adapters.processes import control_folder
from runner.adapters.programs import Ran, own_programs_last, run_program
from runner.adapters.secrets import Known, open_to_others
from runner.adapters.ssh.asking import SshHosts, no_password
from runner.adapters.ssh.connections import Connections
from runner.adapters.ssh.way import Way
from runner.adapters.versions import installed, tzdata_version
from runner.domain.execution.own_ansible import AnsibleSettings
from runner.domain.settings import SecretSource
from runner.ports import AtHome, Folder, Program

TIME_LIMIT = 20.0  # seconds
VERSION = re.compile(r"\d+(?:\.\d+)+(?:p\d+)?")
USED_AT_HOME = (
    ".ansible.cfg", ".ansible/roles", ".ansible/collections/ansible_collections", ".ansible/plugins",
    ".ssh/config", ".ssh/known_hosts", ".ssh/id_ed25519", ".ssh/id_ecdsa", ".ssh/id_rsa",
)  # fmt: skip
# ssh-keygen tells none, and `-?` only proves that it starts.
ASK_VERSION = {"ssh": "-V", "sshpass": "-V", "ssh-keygen": "-?"}


class Machine:
    """A `Machinery`: nothing here changes anything."""

    def __init__(self, root: Path, *, environ: Mapping[str, str], known: Known | None = None) -> None:
        """`root` is the maintenance repository, the folder that Ansible would be started in; `known` are its secrets."""
        self._root, self._environ, self._known = root, own_programs_last(environ), known
        password = known.login_password if known else no_password
        self._hosts = SshHosts(project=root, environ=self._environ, connections=Connections(), password=password)

    def program(self, name: str, *, folder: str | None = None) -> Program | None:
        """A program on PATH, or first in `folder`; None when it is not there or does not start."""
        path = self._environ.get("PATH", "")
        found = shutil.which(name, path=f"{self._root / folder}{os.pathsep}{path}" if folder else path)
        if not found:
            return None
        ran = self._run([found, ASK_VERSION.get(name, "--version")])
        version = VERSION.search(f"{ran.stdout} {ran.stderr}") if ran else None
        return Program(found, version[0] if version else "") if ran else None

    def python(self) -> str:
        """The version of the Python that runs us."""
        return platform.python_version()

    def distribution(self, name: str) -> str:
        """The version of an installed distribution, or nothing."""
        return installed(name)

    def tzdata(self) -> str:
        """The release of the time zone data, such as `2026a`."""
        return tzdata_version()

    def folder(self, path: Path) -> Folder | None:
        """Rights and free space of a folder; None when there is none."""
        try:
            status, space = path.stat(), os.statvfs(path)
        except OSError:
            return None
        ours = os.access(path, os.R_OK | os.W_OK | os.X_OK)
        return Folder(ours, bool(status.st_mode & (stat.S_IRWXG | stat.S_IRWXO)), space.f_bavail * space.f_frsize)

    def at_home(self, state_dir: Path) -> AtHome:
        """What another user's Ansible and ssh would not find, because it lies in this user's home folder."""
        home = Path(pwd.getpwuid(os.geteuid()).pw_dir)
        found = (home / name for name in USED_AT_HOME)
        paths = tuple(f"~/{path.relative_to(home)}" for path in found if holds_something(path))
        return AtHome(name_of(os.geteuid()), name_of(owner_of(state_dir)), paths)

    def clock_is_set(self) -> bool | None:
        """Whether the system says that its clock follows a time server; None where it cannot tell."""
        found = shutil.which("timedatectl", path=self._environ.get("PATH"))
        ran = self._run([found, "show", "--property=NTPSynchronized", "--value"]) if found else None
        said = ran.stdout.strip() if ran and ran.succeeded else ""
        return said == "yes" if said in {"yes", "no"} else None

    def control_path_left(self, state_dir: Path) -> int:
        """How many bytes ssh's sockets have to spare; negative when the path is too long."""
        longest = control_folder(state_dir, "0" * 36)
        return LONGEST_SOCKET - SOCKET_NAME - len(os.fsencode(longest))

    def in_the_way(self, ansible: AnsibleSettings) -> str:
        """Why nothing could be started with this Ansible now; empty when it could."""
        return AnsibleExecutor().in_the_way(ansible)

    def ansible_configuration(self, ansible: AnsibleSettings) -> Path | None:
        """The configuration file that Ansible would use here."""
        chosen = {"ANSIBLE_CONFIG": ansible.config} if ansible.config else {}
        return configuration_file({**self._environ, **chosen}, project=self._root)

    def adds_to_ansible(self, ansible: AnsibleSettings, *, requirements: Path | None = None) -> tuple[str, ...]:
        """What Wellkept adds to the user's own Ansible, one sentence each; `requirements` is the folder of installed roles and collections."""
        return AnsibleExecutor().what_is_added(
            project=self._root, ansible=ansible, environ=self._environ, requirements=requirements
        )

    def way(self, host: str, variables: Mapping[str, object]) -> tuple[str, str]:
        """How a host is reached (user, address and client), and why so; raises Unknown."""
        chosen = self._hosts.way(host, variables)
        if chosen.way is Way.LOCAL:
            return "on this very machine", chosen.reason
        settings = self._hosts.settings(host, variables)
        client = "paramiko" if chosen.way is Way.PARAMIKO else "OpenSSH"
        return f"{settings.user}@{settings.hostname} port {settings.port} by {client}", chosen.reason

    def look(self, host: str, variables: Mapping[str, object]) -> str:
        """What the look that begins every run says there; raises Unknown or BadResult."""
        script = AnsibleExecutor.look_playbook.with_name("look.sh").read_text(encoding="utf-8")
        text = self._hosts.ask(host, variables, f"/bin/sh -c {shlex.quote(script)}", time_limit=TIME_LIMIT).text
        return self._known.redacted(text) if self._known else text

    def secret(self, kind: str, name: str, source: SecretSource) -> bool:
        """Look a secret up and forget it; whether others may read the file that holds it. Raises Unknown when it is not found."""
        resolve(place(kind, name), Source(*astuple(source)), environ=self._environ, cwd=self._root)
        return open_to_others(source, cwd=self._root)

    def gives_passwords_by(self, ansible: AnsibleSettings) -> str:
        """The program by which the user's Ansible is told to give passwords to ssh; nothing when the user says nothing."""
        chosen = {"ANSIBLE_CONFIG": ansible.config} if ansible.config else {}
        user = UserSettings({**self._environ, **chosen}, project=self._root)
        return user.get("ANSIBLE_SSH_PASSWORD_MECHANISM", "ssh_connection", "password_mechanism") or ""

    def _run(self, argv: list[str]) -> Ran | None:
        try:
            return run_program(argv, environ=self._environ, time_limit=TIME_LIMIT, cwd=self._root)
        except OSError:
            return None


def holds_something(path: Path) -> bool:
    """Whether it is a file, or a folder with anything in it; False where nobody lets us look."""
    try:
        return any(path.iterdir()) if path.is_dir() else path.is_file()
    except OSError:
        return False


def owner_of(path: Path) -> int:
    """Whom a folder belongs to; this user where there is none yet."""
    try:
        return path.stat().st_uid
    except OSError:
        return os.geteuid()


def name_of(uid: int) -> str:
    """The name of a user, or its number where nobody bears it."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
