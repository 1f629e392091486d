"""Vault passwords by reference, for whoever has to read the user's encrypted files on this side."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from runner.adapters.ansible.secrets import Source, resolve
from runner.domain.settings import Secrets


def vault_passwords(
    secrets: Callable[[], Secrets], *, environ: Mapping[str, str], cwd: Path
) -> Callable[[], Mapping[str, str]]:
    """A function that looks the passwords up, vault id -> password, when they are needed and not before."""

    def look_up() -> Mapping[str, str]:
        return {
            name: resolve(f"vault {name}", Source(source.env, source.file, source.command), environ=environ, cwd=cwd)
            for name, source in secrets().vault.items()
        }

    return look_up
