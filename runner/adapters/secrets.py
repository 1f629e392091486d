"""Secrets by reference on this side: for whoever reads encrypted files, logs in with a password, or must keep them out of the record."""

from __future__ import annotations

import stat
import threading
import time
import urllib.parse
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import astuple
from pathlib import Path

from runner.adapters.ansible.redaction import Redactor
from runner.adapters.ansible.secrets import SecretMissingError, Source, place, resolve
from runner.adapters.inventory import AnsibleInventory, FolderOf
from runner.adapters.playbook_syntax import AnsibleSyntax
from runner.adapters.programs import own_programs_last
from runner.domain.settings import Secrets, SecretSource, Settings

REMEMBERED = 600.0  # seconds that a secret is remembered only to keep it out of texts
LONG_ENOUGH = 8  # characters of a part of an address that is taken for a secret; with a digit, or words such as `heartbeat` would be hidden everywhere


class Known:
    """The secrets of a maintenance repository, each looked up when it is needed and not before; safe to use from many threads."""

    def __init__(
        self,
        settings: Callable[[], Settings],
        *,
        environ: Mapping[str, str],
        cwd: Path,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`cwd` is where commands and relative paths of references start."""
        self._settings, self._environ, self._cwd, self._monotonic = settings, environ, cwd, monotonic
        self._lock = threading.Lock()
        self._logins: dict[str, str | SecretMissingError] = {}
        self._used: set[str] = set()
        self._learned_at: float | None = None
        self._redactor = Redactor(())

    def inventories(self, installed: FolderOf = lambda _wanted, _ansible: None) -> AnsibleInventory:
        """Reads inventories with the vault passwords, and says of each host which login secret it has; `installed` gives what their plugins may need."""
        environ, passwords = own_programs_last(self._environ), self.vault_passwords
        return AnsibleInventory(environ=environ, vault_passwords=passwords, logins=self.logins, installed=installed)

    def syntax(self, installed: FolderOf) -> AnsibleSyntax:
        """Has Ansible read playbooks with the vault passwords; `installed` gives where the roles and collections of requirements files are."""
        environ, passwords = own_programs_last(self._environ), self.vault_passwords
        return AnsibleSyntax(environ=environ, vault_passwords=passwords, installed=installed)

    def vault_passwords(self) -> Mapping[str, str]:
        """Vault id -> password. Raises SecretMissingError."""
        return {name: self._resolve("vault", name, source) for name, source in self._secrets.vault.items()}

    def logins(self) -> Collection[str]:
        """The host patterns of login secrets, which are also their names."""
        return self._secrets.login

    def login_password(self, name: str) -> str:
        """The login password of that name, asked for once until `renew`. Raises SecretMissingError."""
        with self._lock:
            if name not in self._logins:
                self._logins[name] = self._looked_up(name)
            found = self._logins[name]
        if isinstance(found, SecretMissingError):
            raise found
        return found

    def renew(self) -> None:
        """Look login passwords up anew when they are needed again: they may have been changed, or given at last."""
        with self._lock:
            self._logins.clear()

    def hidden(self) -> Collection[str]:
        """Secrets that settings hold themselves, in addresses."""
        return tuple(in_addresses(self._settings()))

    @property
    def files(self) -> Collection[Path]:
        """The files in which secrets lie."""
        files = (source.file for _, _, source in self._by_kind() if source.file)
        return tuple(self._cwd / Path(file).expanduser() for file in files)

    def redacted(self, text: str) -> str:
        """The text without any secret that can be found from here; those found by a program are looked up every ten minutes at most."""
        with self._lock:
            now = self._monotonic()
            if self._learned_at is None or now - self._learned_at > REMEMBERED:
                self._learned_at = now
                self._redactor = Redactor({*self.hidden(), *self._all(), *self._used})
            return self._redactor.text(text)

    @property
    def _secrets(self) -> Secrets:
        return self._settings().secrets

    def _by_kind(self) -> Iterator[tuple[str, str, SecretSource]]:
        """Every reference, with its kind and its name."""
        for kind, by_name in self._secrets.by_kind.items():
            yield from ((kind, name, source) for name, source in by_name.items())
        alerts = self._settings().alertmanager
        if alerts and alerts.bearer:
            yield "alerts", "bearer", alerts.bearer

    def _looked_up(self, name: str) -> str | SecretMissingError:
        try:
            value = self._resolve("login", name, self._secrets.login[name])
        except SecretMissingError as error:
            return error
        if value not in self._used:
            self._used.add(value)
            self._learned_at = None
        return value

    def _all(self) -> Iterator[str]:
        for kind, name, source in self._by_kind():
            with suppress(SecretMissingError):  # what cannot be found here cannot come to light here either
                yield self._resolve(kind, name, source)

    def _resolve(self, kind: str, name: str, source: SecretSource) -> str:
        return resolve(place(kind, name), Source(*astuple(source)), environ=self._environ, cwd=self._cwd)


def in_addresses(settings: Settings) -> Iterator[str]:
    """The password of the database, and what makes the address of the dead-man ping a secret."""
    for address in (settings.database, settings.dead_man_ping.url if settings.dead_man_ping else ""):
        with suppress(ValueError):
            if password := urllib.parse.urlsplit(address).password:
                yield from (password, urllib.parse.unquote(password))
    if settings.dead_man_ping:
        with suppress(ValueError):
            split = urllib.parse.urlsplit(settings.dead_man_ping.url)
            parts = [*split.path.split("/"), *(value for _, value in urllib.parse.parse_qsl(split.query))]
            yield settings.dead_man_ping.url
            yield from (part for part in parts if len(part) >= LONG_ENOUGH and any(map(str.isdigit, part)))


def open_to_others(source: SecretSource, *, cwd: Path) -> bool:
    """Whether a file that holds a secret may be read by others than its owner and their group."""
    if source.file is None:
        return False
    with suppress(OSError):
        return bool((cwd / Path(source.file).expanduser()).stat().st_mode & stat.S_IROTH)
    return False
