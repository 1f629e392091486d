"""The ssh half of the probes: choose the way to a host, ask, and fall back to OpenSSH where the faster client is not let in."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from runner.adapters.ansible.secrets import SecretMissingError
from runner.adapters.asking import CannotAsk, Variables, is_local, text_of
from runner.adapters.inventory import LOGIN
from runner.adapters.ssh.client import TryOpenSsh
from runner.adapters.ssh.connections import Connections
from runner.adapters.ssh.openssh import LOGIN_REFUSED, Said, ask_by_openssh, ask_here
from runner.adapters.ssh.settings import SshSettings, read_settings
from runner.adapters.ssh.way import Chosen, Way, is_ssh, way_to


def no_password(name: str) -> str:
    """No login secret is known here."""
    raise SecretMissingError(f"wellkept.yml: secrets.login.{name}: it is not known here.")


class SshHosts:
    """Runs one command on one host, over connections that are kept open; safe to use from many threads."""

    def __init__(
        self,
        *,
        project: Path,
        environ: Mapping[str, str],
        connections: Connections,
        password: Callable[[str], str] = no_password,
    ) -> None:
        """`project` is the folder that Ansible would be started in; paths in ssh arguments are relative to it. `password` finds a login secret by its name."""
        self._project = project
        self._password = password
        self._environ = environ
        self._connections = connections
        self._lock = threading.Lock()
        self._settings: dict[tuple[object, ...], SshSettings] = {}
        self._refused: set[tuple[object, ...]] = set()

    def ask(self, host: str, variables: Variables, run: str, *, time_limit: float) -> Said:
        """Run `run` on the host and give what it said. Raises NoAnswer or CannotAsk."""
        if is_local(variables):
            return ask_here(run, project=self._project, environ=self._environ, time_limit=time_limit)
        settings = self.settings(host, variables)
        return self._ask(host, variables, run, settings=settings, time_limit=time_limit)

    def way(self, host: str, variables: Variables) -> Chosen:
        """How this host is asked, and why so. Raises CannotAsk when it cannot be."""
        settings = self.settings(host, variables) if is_ssh(variables) else None
        if _key(host, variables) in self._refused:
            return Chosen(Way.OPENSSH, "the faster client was not let in")
        return way_to(variables, settings)

    def settings(self, host: str, variables: Variables) -> SshSettings:
        """What OpenSSH would use for this host, remembered until `forget`."""
        key = _key(host, variables)
        with self._lock:
            known = self._settings.get(key)
        if known is None:
            read = read_settings(host, variables, project=self._project, environ=self._environ)
            known = replace(read, password=self._password_for(variables))
            with self._lock:
                self._settings[key] = known
        return known

    def forget(self, host: str, variables: Variables) -> None:
        """Look at this host's settings anew before the next question: ssh_config or known_hosts may be mended until then."""
        with self._lock:
            self._settings.pop(_key(host, variables), None)
            self._refused.discard(_key(host, variables))

    def _ask(self, host: str, variables: Variables, run: str, *, settings: SshSettings, time_limit: float) -> Said:
        if self.way(host, variables).way is Way.PARAMIKO:
            try:
                return self._connections.ask(settings, run, time_limit=time_limit)
            except TryOpenSsh:
                with self._lock:
                    self._refused.add(_key(host, variables))
        try:
            return ask_by_openssh(settings, run, project=self._project, environ=self._environ, time_limit=time_limit)
        except CannotAsk as error:
            if settings.password and str(error).startswith(LOGIN_REFUSED):
                raise CannotAsk(f"{error}; {self._about_the_password(host, variables, settings)}") from error
            raise

    def _password_for(self, variables: Variables) -> str:
        name = text_of(variables, LOGIN)
        try:
            return self._password(name) if name else ""
        except SecretMissingError as error:
            raise CannotAsk(str(error)) from error

    def _about_the_password(self, host: str, variables: Variables, settings: SshSettings) -> str:
        """Why the login secret did not help."""
        told, name = way_to(variables, settings), text_of(variables, LOGIN)
        if told.way is Way.PARAMIKO:
            return f"its keys and the password of secrets.login.{name} were tried"
        return f"the password of secrets.login.{name} cannot be given to OpenSSH, by which {host} is asked since {told.reason}; let it take a key"


def _key(host: str, variables: Variables) -> tuple[object, ...]:
    return (host, *sorted((name, str(value)) for name, value in variables.items()))
