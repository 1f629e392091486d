"""A probe that is made when the first question is put: its libraries take long to load, and most commands ask no host anything."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping

from runner.domain.health import Answer, Check
from runner.ports import HostProbe


class ProbeOnDemand:
    """Asks by the probe that `make` gives, made once."""

    def __init__(self, make: Callable[[], HostProbe]) -> None:
        """Nothing is made yet."""
        self._make, self._making = make, threading.Lock()
        self._probe: HostProbe | None = None

    def ask(self, check: Check, hosts: Mapping[str, Mapping[str, object]]) -> Iterator[Answer]:
        """Ask every host, as `HostProbe` says."""
        with self._making:
            self._probe = self._probe or self._make()
        return self._probe.ask(check, hosts)
