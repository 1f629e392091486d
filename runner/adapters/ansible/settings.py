"""What Wellkept adds to the user's own Ansible: environment and arguments, each with a sentence for people.

The user's settings stay in force. Where Ansible knows only one list (callback plugins), the user's list is found as Ansible finds it and ours is put behind it.
"""

from __future__ import annotations

import configparser
import os
import shlex
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from runner.adapters.ansible_configuration import configuration_file

CALLBACKS = Path(__file__).parent / "callback"
LARGEST_RESULT = (
    "4000000"  # characters of one result; ansible-runner drops a larger one, and 512 kB of output come twice in it
)
DEFAULT_SSH_ARGS = "-C -o ControlMaster=auto -o ControlPersist=60s"
DEFAULT_INVENTORY_PLUGINS = "host_list,script,auto,yaml,ini,toml"


class Addition(NamedTuple):
    """Environment that is added, and why, in one sentence."""

    environment: Mapping[str, str]
    words: str


class UserSettings:
    """The user's own Ansible settings, read as Ansible reads them: environment before file, file before default."""

    def __init__(self, environ: Mapping[str, str], *, project: Path) -> None:
        """Read the configuration file that Ansible would find from `project`; one that cannot be read is left for Ansible to complain about."""
        self._environ = environ
        self._file = configuration_file(environ, project=project)
        self._written = configparser.RawConfigParser(inline_comment_prefixes=(";",))
        try:
            self._written.read([self._file] if self._file else [], encoding="utf-8")
        except (configparser.Error, UnicodeDecodeError):
            self._written = configparser.RawConfigParser()

    def get(self, variable: str, section: str, key: str) -> str | None:
        """The value as written; None where the user says nothing."""
        return self._environ[variable] if variable in self._environ else self._written.get(section, key, fallback=None)

    def paths(self, variable: str, section: str, key: str, *, default: str) -> str:
        """A list of folders joined by colons; those of the file are relative to the file."""
        value = self.get(variable, section, key)
        if value is None:
            return default
        if variable in self._environ or self._file is None:
            return value
        return os.pathsep.join(
            self._absolute(part, self._file.parent) for part in value.split(os.pathsep) if part.strip()
        )

    def _absolute(self, path: str, folder: Path) -> str:
        if path.strip().startswith("{{CWD}}"):  # Ansible's own word for the folder that it is started in
            return path.strip()
        return str(folder / os.path.expandvars(Path(path.strip()).expanduser()))


def additions(
    environ: Mapping[str, str],
    *,
    project: Path,
    config: str | None,
    programs: str | None,
    control_path: Path,
    passwords: bool,
    requirements: Path | None = None,
) -> list[Addition]:
    """What is added to `environ` for one piece; `programs` is the folder of the user's Ansible, `passwords` whether we know some for its hosts.

    `requirements` is the folder of roles and collections that were installed for it.
    """
    chosen = {"ANSIBLE_CONFIG": config} if config else {}
    user = UserSettings({**environ, **chosen}, project=project)
    found = [
        Addition(chosen, f"Ansible's configuration is {config}") if config else None,
        programs_addition(environ, programs),
        requirements_addition(user, environ, requirements) if requirements else None,
        Addition(
            {"ANSIBLE_CALLBACK_PLUGINS": callback_plugins(user, environ)},
            "a callback plugin is added behind your own; it marks what runs on hosts with WELLKEPT_PIECE and can stop between two tasks",
        ),
        *ssh_additions(user, control_path),
        inventory_addition(user) if passwords else None,
        Addition(
            {"ANSIBLE_NOCOLOR": "1", "ANSIBLE_FORCE_COLOR": "0", "MAX_EVENT_RES": LARGEST_RESULT},
            "output is without colours, and results of up to 4 MB are kept whole on their way",
        ),
    ]
    return [addition for addition in found if addition]


WORDS_ABOUT_RUNNER = (
    "ansible-runner shows the output (instead of your stdout callback) and writes no retry files",
    "facts are gathered anew: cached ones of the hosts at hand are flushed first, except in check mode (--flush-cache)",
    "extra variables, the host limit and secrets are given in private files, never on the command line",
)


WORDS_ABOUT_CONTAINER = (
    "ansible-playbook is that of the image {image}; "
    "its container has this machine's network, and what it needs of its files at the same paths"
)


def what_is_added(
    environ: Mapping[str, str],
    *,
    project: Path,
    config: str | None,
    programs: str | None,
    requirements: Path | None = None,
    image: str | None = None,
) -> tuple[str, ...]:
    """Every addition as one sentence each, for people to read before it happens; `image` is that of the container that Ansible runs in, if it does."""
    shown = additions(
        environ,
        project=project,
        config=config,
        programs=programs,
        control_path=Path(),
        passwords=False,
        requirements=requirements,
    )
    words = (addition.words for addition in shown if not (image and "PATH" in addition.environment))
    inside = (WORDS_ABOUT_CONTAINER.format(image=image),) if image else ()
    return (*inside, *words, *WORDS_ABOUT_RUNNER)


def programs_addition(environ: Mapping[str, str], programs: str | None) -> Addition:
    """The user's folder of programs comes first; ours comes last, for an Ansible that was installed together with Wellkept."""
    own = str(Path(sys.executable).parent)
    path = os.pathsep.join([*([programs] if programs else []), environ.get("PATH", os.defpath), own])
    return Addition({"PATH": path}, f"ansible-playbook is taken from {programs or 'your PATH'}, else from {own}")


def requirements_addition(user: UserSettings, environ: Mapping[str, str], folder: Path) -> Addition:
    """The roles and collections that requirements files name, behind the user's own."""
    environment = found_behind(user, environ, folder)
    before = ", ".join(found_before(environment, folder))
    but = f"; found before, among your own: {before}" if before else ""
    return Addition(
        environment, f"roles and collections of your requirements files are found behind your own, in {folder}{but}"
    )


def found_before(environment: Mapping[str, str], folder: Path) -> Iterator[str]:
    """The roles and collections of a folder that Ansible does not take from there, since the user has others of the same name."""
    for variable, below, depth in (
        ("ANSIBLE_ROLES_PATH", "roles", "*"),
        ("ANSIBLE_COLLECTIONS_PATH", "collections", "ansible_collections/*/*/"),
    ):
        own = [Path(path).expanduser() for path in environment[variable].split(os.pathsep)[:-1]]
        for installed in sorted((folder / below).glob(depth)):
            named = installed.relative_to(folder / below)
            if first := next((path for path in own if (path / named).is_dir()), None):
                yield f"{first / named}"


def found_behind(user: UserSettings, environ: Mapping[str, str], folder: Path) -> dict[str, str]:
    """The environment by which Ansible finds roles and collections below a folder, behind those that it finds without it."""
    home, shared = ansible_home(user, environ), "/usr/share/ansible"
    roles = user.paths(
        "ANSIBLE_ROLES_PATH",
        "defaults",
        "roles_path",
        default=os.pathsep.join((f"{home}/roles", f"{shared}/roles", "/etc/ansible/roles")),
    )
    older = user.paths(  # the spelling that Ansible before 2.19 knows, too
        "ANSIBLE_COLLECTIONS_PATHS",
        "defaults",
        "collections_paths",
        default=os.pathsep.join((f"{home}/collections", f"{shared}/collections")),
    )
    collections = user.paths("ANSIBLE_COLLECTIONS_PATH", "defaults", "collections_path", default=older)
    return {
        "ANSIBLE_ROLES_PATH": os.pathsep.join(filter(None, (roles, f"{folder}/roles"))),
        "ANSIBLE_COLLECTIONS_PATH": os.pathsep.join(filter(None, (collections, f"{folder}/collections"))),
    }


def ansible_home(user: UserSettings, environ: Mapping[str, str]) -> Path:
    """The folder of the user's that Ansible looks into by default."""
    return Path(user.get("ANSIBLE_HOME", "defaults", "home") or Path(environ.get("HOME", "~"), ".ansible")).expanduser()


def callback_plugins(user: UserSettings, environ: Mapping[str, str]) -> str:
    """The user's folders of callback plugins, and ours behind them."""
    home = ansible_home(user, environ)
    default = f"{home}/plugins/callback{os.pathsep}/usr/share/ansible/plugins/callback"
    own = user.paths("ANSIBLE_CALLBACK_PLUGINS", "defaults", "callback_plugins", default=default)
    return os.pathsep.join(filter(None, (own, str(CALLBACKS))))


def ssh_additions(user: UserSettings, control_path: Path) -> list[Addition]:
    """A private control path for the run, whatever the user has; everything else of the user's ssh settings stays."""
    environment = {"ANSIBLE_SSH_CONTROL_PATH_DIR": str(control_path)}
    if user.get("ANSIBLE_SSH_CONTROL_PATH", "ssh_connection", "control_path"):
        environment["ANSIBLE_SSH_CONTROL_PATH"] = ""
    found = [
        Addition(
            environment,
            "ssh connections are shared through a private folder of the run, closed at its end (control path)",
        )
    ]
    written = user.get("ANSIBLE_SSH_ARGS", "ssh_connection", "ssh_args")
    own = DEFAULT_SSH_ARGS if written is None else written
    if (merged := with_masters(own)) != own:
        found.append(
            Addition(
                {"ANSIBLE_SSH_ARGS": merged}, f"ssh_args are {merged!r} (yours, but for ControlMaster and ControlPath)"
            )
        )
    for variable, key in (("ANSIBLE_SSH_COMMON_ARGS", "ssh_common_args"), ("ANSIBLE_SSH_EXTRA_ARGS", "ssh_extra_args")):
        written = user.get(variable, "ssh_connection", key) or ""
        if (kept := without_control(written)) != written:
            found.append(
                Addition({variable: kept}, f"{key} are {kept!r} (yours, without ControlMaster and ControlPath)")
            )
    return found


def with_masters(ssh_args: str) -> str:
    """The ssh arguments with connection sharing as Ansible has it by default, unless the user has an opinion on it; without a ControlPath."""
    kept = without_control(ssh_args)
    lower = ssh_args.lower().replace(" ", "=")
    if "controlmaster=no" not in lower:
        kept += " -o ControlMaster=auto"
    if "controlpersist" not in lower:
        kept += " -o ControlPersist=60s"
    return ssh_args if sorted(shlex.split(kept)) == sorted(shlex.split(ssh_args)) else kept.strip()


def without_control(ssh_args: str) -> str:
    """The ssh arguments without ControlPath and without a ControlMaster that would share connections."""
    words = shlex.split(ssh_args)
    kept: list[str] = []
    while words:
        taken = words[: 2 if words[0] in {"-o", "-S"} else 1]
        words = words[len(taken) :]
        if not is_control(taken):
            kept += taken
    return ssh_args if kept == shlex.split(ssh_args) else shlex.join(kept)


def is_control(option: Sequence[str]) -> bool:
    """Whether an option of ssh sets ControlPath, or a ControlMaster other than `no`."""
    text = "".join(option)
    if text.startswith("-S") or text == "-M":
        return True
    name, _, value = text.removeprefix("-o").strip().replace(" ", "=", 1).lower().partition("=")
    return name == "controlpath" or (name == "controlmaster" and value.strip() != "no")


def inventory_addition(user: UserSettings) -> Addition | None:
    """The inventory plugin `yaml`, if the user's list leaves it out: passwords for `become` and logins come in a private inventory file."""
    own = user.get("ANSIBLE_INVENTORY_ENABLED", "inventory", "enable_plugins") or DEFAULT_INVENTORY_PLUGINS
    if "yaml" in (name.strip().rpartition(".")[2] for name in own.split(",")):
        return None
    return Addition({"ANSIBLE_INVENTORY_ENABLED": f"{own},yaml"}, "the inventory plugin yaml is enabled besides yours")
