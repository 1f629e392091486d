"""The one process that owns all hosts of a lab: it keeps them running, takes wishes, and knows when to end."""

import os
import selectors
import signal
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import FrameType

from tests.lab import control
from tests.lab.errors import LabError
from tests.lab.host import Host, HostState
from tests.lab.plan import LabPlan

WHILE_STARTING = 0.02
AT_REST = 0.5

HOST_WISHES: Mapping[str, Callable[[Host], None]] = {
    "hang": Host.hang,
    "resume": Host.resume,
    "crash": Host.crash,
    "refuse": Host.refuse,
    "refuse-login": Host.refuse_login,
    "stay-down": Host.stay_down,
    "heal": Host.heal,
    "new-host-key": Host.change_host_key,
    "reset": Host.reset,
}


class Supervisor:
    """Keeps the hosts of `plan` until told to stop, signalled, or left by its owner."""

    def __init__(self, plan: LabPlan, *, folder: Path, owner: int) -> None:
        """`owner` is a process descriptor (pidfd): the lab ends when that process does, unless it is released."""
        self._hosts = {host.name: Host(host, folder=folder, mode=plan.mode) for host in plan.hosts}
        self._listener = control.listen(folder)
        self._owner = owner
        self._stopping = False
        self._selector = selectors.DefaultSelector()

    def serve(self) -> None:
        """Run until the end of the lab; the hosts are ended by the guard above us."""
        signal.signal(signal.SIGTERM, self._on_signal)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        self._selector.register(self._listener, selectors.EVENT_READ, self._answer)
        self._selector.register(self._owner, selectors.EVENT_READ, self._stop)
        while not self._stopping:
            self._look_after_hosts()
            for key, _ in self._selector.select(self._pause()):
                key.data()

    def _look_after_hosts(self) -> None:
        now = time.monotonic()
        for host in self._hosts.values():
            host.look_after(now=now)

    def _pause(self) -> float:
        return AT_REST if all(host.settled for host in self._hosts.values()) else WHILE_STARTING

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self._stop()

    def _stop(self) -> None:
        self._stopping = True

    def _release(self) -> None:
        if self._owner in self._selector.get_map():
            self._selector.unregister(self._owner)

    def _answer(self) -> None:
        control.answer(self._listener, self._reply_to)

    def _reply_to(self, request: dict[str, object]) -> dict[str, object]:
        wish, names = request.get("wish"), request.get("hosts")
        if wish == "status":
            return self._status()
        if wish == "stop":
            self._stop()
        elif wish == "release":
            self._release()
        elif wish in HOST_WISHES and isinstance(names, list):
            for host in [self._host(name) for name in names]:
                HOST_WISHES[str(wish)](host)
        else:
            raise LabError(f"the supervisor knows no wish {wish!r}")
        return {}

    def _host(self, name: str) -> Host:
        if name not in self._hosts:
            raise LabError(f"there is no host {name!r}; the lab has {', '.join(self._hosts)}")
        return self._hosts[name]

    def _status(self) -> dict[str, object]:
        hosts = {
            name: {"state": _word_for(host), "pid": host.pid, "boots": host.boots} for name, host in self._hosts.items()
        }
        return {"supervisor": os.getpid(), "guard": os.getppid(), "hosts": hosts}


def _word_for(host: Host) -> str:
    if host.hung:
        return "hung"
    return "refusing" if host.state is HostState.UP and host.refusing else host.state.value
