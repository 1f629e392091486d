"""What Ansible's configuration file and environment say that Wellkept must know too: connection settings, and paths."""

from __future__ import annotations

import configparser
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class _Setting:
    """Where Ansible looks for a setting, and the host variable that says the same and wins over it."""

    variable: str
    environment: tuple[str, ...]
    places: tuple[tuple[str, str], ...]  # (section, key) in the configuration file


_SETTINGS = (
    _Setting("ansible_connection", ("ANSIBLE_TRANSPORT",), (("defaults", "transport"),)),
    _Setting("ansible_user", ("ANSIBLE_REMOTE_USER",), (("defaults", "remote_user"),)),
    _Setting("ansible_port", ("ANSIBLE_REMOTE_PORT",), (("defaults", "remote_port"),)),
    _Setting("ansible_ssh_private_key_file", ("ANSIBLE_PRIVATE_KEY_FILE",), (("defaults", "private_key_file"),)),
    _Setting("ansible_ssh_args", ("ANSIBLE_SSH_ARGS",), (("ssh_connection", "ssh_args"),)),
    _Setting("ansible_ssh_common_args", ("ANSIBLE_SSH_COMMON_ARGS",), (("ssh_connection", "ssh_common_args"),)),
    _Setting("ansible_ssh_extra_args", ("ANSIBLE_SSH_EXTRA_ARGS",), (("ssh_connection", "ssh_extra_args"),)),
    _Setting("ansible_ssh_executable", ("ANSIBLE_SSH_EXECUTABLE",), (("ssh_connection", "ssh_executable"),)),
    _Setting("ansible_ssh_pkcs11_provider", ("ANSIBLE_PKCS11_PROVIDER",), (("ssh_connection", "pkcs11_provider"),)),
)

SAME_MEANING = {
    "ansible_ssh_host": "ansible_host",
    "ansible_ssh_port": "ansible_port",
    "ansible_ssh_user": "ansible_user",
    "ansible_private_key_file": "ansible_ssh_private_key_file",
}
"""Older names of connection variables, and the name that Wellkept keeps."""


_CONTENT = (
    _Setting("roles", ("ANSIBLE_ROLES_PATH",), (("defaults", "roles_path"),)),
    _Setting(
        "collections",
        ("ANSIBLE_COLLECTIONS_PATH",),
        (("defaults", "collections_path"), ("defaults", "collections_paths")),
    ),
)
_SECRET_FILES = (
    _Setting("vault", ("ANSIBLE_VAULT_PASSWORD_FILE",), (("defaults", "vault_password_file"),)),
    _Setting("vaults", ("ANSIBLE_VAULT_IDENTITY_LIST",), (("defaults", "vault_identity_list"),)),
    _Setting("key", ("ANSIBLE_PRIVATE_KEY_FILE",), (("defaults", "private_key_file"),)),
)


@dataclass(frozen=True, slots=True)
class NamedPaths:
    """Absolute paths that the configuration names: folders of roles and collections, and files of passwords and keys."""

    content: tuple[Path, ...]
    secrets: tuple[Path, ...]


def named_paths(environ: Mapping[str, str], *, project: Path) -> NamedPaths:
    """The paths that Ansible would use when it is started in `project`."""
    file = configuration_file(environ, project=project)
    written = _parsed(file)
    base = file.parent if file else project

    def paths(settings: tuple[_Setting, ...], between: str) -> tuple[Path, ...]:
        values = (_value(setting, environ, written) or "" for setting in settings)
        names = (name.rpartition("@")[2].strip() for value in values for name in value.split(between))
        return tuple(base / _at_home(name, environ) for name in names if name)

    return NamedPaths(content=paths(_CONTENT, ":"), secrets=paths(_SECRET_FILES, ","))


def connection_defaults(environ: Mapping[str, str], *, project: Path) -> dict[str, object]:
    """Read what the environment, or else the configuration file that Ansible would find from `project`, says for every host.

    Follows ansible-core's own order: environment before file; ANSIBLE_CONFIG, ./ansible.cfg (not in a folder that everybody may write to),
    ~/.ansible.cfg, /etc/ansible/ansible.cfg. A file that cannot be read gives nothing: Ansible itself says what is wrong with it.
    """
    written = _parsed(configuration_file(environ, project=project))
    found = ((setting.variable, _value(setting, environ, written)) for setting in _SETTINGS)
    return {variable: value for variable, value in found if value}


def configuration_file(environ: Mapping[str, str], *, project: Path) -> Path | None:
    """The configuration file that Ansible uses when it is started in `project`."""
    return next((path for path in _candidates(environ, project) if path.is_file()), None)


def _candidates(environ: Mapping[str, str], project: Path) -> Iterator[Path]:
    if chosen := environ.get("ANSIBLE_CONFIG"):
        path = project / _at_home(chosen, environ)
        yield path / "ansible.cfg" if path.is_dir() else path
    if not project.stat().st_mode & stat.S_IWOTH:
        yield project / "ansible.cfg"
    yield Path(_at_home("~/.ansible.cfg", environ))
    yield Path("/etc/ansible/ansible.cfg")


def _at_home(path: str, environ: Mapping[str, str]) -> str:
    return environ.get("HOME", "~") + path[1:] if path.startswith("~/") else path


def _parsed(path: Path | None) -> configparser.RawConfigParser:
    parser = configparser.RawConfigParser(inline_comment_prefixes=(";",), strict=False)
    if path is None:
        return parser
    try:
        parser.read_string(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, configparser.Error):
        return configparser.RawConfigParser()
    return parser


def _value(setting: _Setting, environ: Mapping[str, str], written: configparser.RawConfigParser) -> str | None:
    from_environment = (environ[name] for name in setting.environment if name in environ)
    from_file = (written.get(section, key) for section, key in setting.places if written.has_option(section, key))
    return next(from_environment, None) or next(from_file, None)
