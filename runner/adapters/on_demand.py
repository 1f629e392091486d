"""A probe that is made when the first question is put: its libraries take long to load, and most commands ask no host anything."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from runner.domain.health import Answer, Check
from runner.ports import HostProbe

if TYPE_CHECKING:
    from runner.adapters.secrets import Known


class ProbeOnDemand:
    """Asks by `Probes`, made once."""

    def __init__(self, *, project: Path, environ: Mapping[str, str], known: Known | None = None) -> None:
        """What `Probes` wants to know; nothing is made yet."""
        self._project, self._environ, self._known = project, environ, known
        self._making = threading.Lock()
        self._probe: HostProbe | None = None

    def ask(self, check: Check, hosts: Mapping[str, Mapping[str, object]]) -> Iterator[Answer]:
        """Ask every host, as `HostProbe` says."""
        from runner.adapters.probes import Probes

        with self._making:
            self._probe = self._probe or Probes(project=self._project, environ=self._environ, known=self._known)
        return self._probe.ask(check, hosts)
