"""Questions put to many hosts at once: tcp, http and ssh."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import replace
from pathlib import Path

from runner.adapters.asking import CannotAsk, NoAnswer, Variables
from runner.adapters.http import HttpClient
from runner.adapters.probes.http import ask_http
from runner.adapters.probes.ssh import ask_ssh
from runner.adapters.probes.tcp import ask_tcp
from runner.adapters.secrets import Known
from runner.adapters.ssh.asking import SshHosts, no_password
from runner.adapters.ssh.connections import Connections
from runner.adapters.ssh.way import Chosen
from runner.domain.health import Answer, Check, Probe

AT_ONCE = 20
"""How many hosts are asked at the same time."""


class Probes:
    """Asks hosts one question each; one that hangs keeps no other waiting."""

    def __init__(
        self,
        *,
        project: Path,
        environ: Mapping[str, str],
        monotonic: Callable[[], float] = time.monotonic,
        at_once: int = AT_ONCE,
        authorities: str | None = None,
        known: Known | None = None,
    ) -> None:
        """`project` is the folder that Ansible would be started in; `authorities` a file of certificate authorities beside the system's.

        `known` are the secrets: login passwords come from it, and none of them stays in an answer.
        """
        self._monotonic = monotonic
        self._known = known
        self._at_once = at_once
        self._connections = Connections(monotonic=monotonic)
        password = known.login_password if known else no_password
        self._hosts = SshHosts(project=project, environ=environ, connections=self._connections, password=password)
        self._http = HttpClient(monotonic=monotonic, authorities=authorities)
        self._ask: Mapping[Probe, Callable[[Check, str, Variables], Answer]] = {
            Probe.TCP: lambda check, host, variables: ask_tcp(check, host, variables, hosts=self._hosts),
            Probe.HTTP: lambda check, host, variables: ask_http(check, host, variables, client=self._http),
            Probe.SSH: lambda check, host, variables: ask_ssh(check, host, variables, hosts=self._hosts),
        }

    def ask(self, check: Check, hosts: Mapping[str, Variables]) -> Iterator[Answer]:
        """Ask every host (name -> connection variables) and give each answer as it comes; a host that cannot be asked is an answer too."""
        if not hosts:
            return
        if self._known:
            self._known.renew()
        with ThreadPoolExecutor(min(self._at_once, len(hosts)), thread_name_prefix="probe") as threads:
            asked = [threads.submit(self._answer, check, host, variables) for host, variables in hosts.items()]
            try:
                for answered in as_completed(asked):
                    yield answered.result()
            finally:
                threads.shutdown(wait=False, cancel_futures=True)

    def way(self, host: str, variables: Variables) -> Chosen:
        """By which way an ssh question goes to this host, and why. Raises CannotAsk when it goes by none."""
        return self._hosts.way(host, variables)

    def close(self) -> None:
        """Close the connections that were kept open."""
        self._connections.close()
        self._http.close()

    def _answer(self, check: Check, host: str, variables: Variables) -> Answer:
        answer = self._asked(check, host, variables)
        if not answer.reached:
            self._hosts.forget(host, variables)
        return self._without_secrets(answer)

    def _without_secrets(self, answer: Answer) -> Answer:
        known = self._known
        return (
            replace(answer, text=known.redacted(answer.text), error=known.redacted(answer.error)) if known else answer
        )

    def _asked(self, check: Check, host: str, variables: Variables) -> Answer:
        started = self._monotonic()
        try:
            return self._ask[check.probe](check, host, variables)
        except NoAnswer as error:
            return Answer(check.name, host, reached=False, error=str(error), seconds=self._monotonic() - started)
        except CannotAsk as error:
            return Answer(check.name, host, reached=False, asked=False, error=str(error))
        except Exception as error:  # noqa: BLE001 - one host's trouble is an answer, and never another host's
            return Answer(check.name, host, reached=False, asked=False, error=f"{type(error).__name__}: {error}")
