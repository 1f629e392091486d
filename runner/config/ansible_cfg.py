"""The user's own ansible.cfg, as far as it names a default inventory."""

from __future__ import annotations

import os
from collections.abc import Mapping
from configparser import ConfigParser
from configparser import Error as ConfigError
from dataclasses import dataclass
from pathlib import Path

from runner.config.files import shown
from runner.errors import Problem


@dataclass(frozen=True, slots=True)
class AnsibleConfig:
    """The configuration that Ansible would use here: its file, the inventory that it names, and what is wrong with it."""

    file: str = ""
    inventory: str | None = None
    problems: tuple[Problem, ...] = ()


def read_ansible_config(root: Path, *, chosen: str | None, environ: Mapping[str, str]) -> AnsibleConfig:
    """Find and read ansible.cfg: the one chosen in wellkept.yml, else ANSIBLE_CONFIG, else the one in the root."""
    named = chosen or environ.get("ANSIBLE_CONFIG")
    path = (root / Path(named).expanduser()) if named else root / "ansible.cfg"
    if not path.is_file():
        return AnsibleConfig()
    parser = ConfigParser(interpolation=None, strict=False, inline_comment_prefixes=(";",))
    try:
        parser.read_string(path.read_text(encoding="utf-8"))
    except (OSError, ConfigError, UnicodeDecodeError) as error:
        reason = str(error).splitlines()[0]
        return AnsibleConfig(
            problems=(Problem(shown(root, path), 0, 0, f"cannot be read: {reason}. Ansible would not read it either"),)
        )
    sources = parser.get("defaults", "inventory", fallback="").strip()
    return AnsibleConfig(shown(root, path), _from_root(sources, path.parent, root) or None)


def _from_root(sources: str, folder: Path, root: Path) -> str:
    """Inventory sources, which are relative to the configuration, as seen from the root."""
    if not sources or sources.endswith(","):  # a list of hosts, no paths
        return sources
    paths = [folder / Path(os.path.expandvars(part.strip())).expanduser() for part in sources.split(",")]
    return ",".join(os.path.relpath(path, root) if path.is_relative_to(root) else str(path) for path in paths)
