"""What we tell the service manager that started us: that we are ready, that we live, that we are stopping (sd_notify(3))."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import MutableMapping


class Systemd:
    """The service manager that started us; where none did, what is told goes nowhere."""

    def __init__(self, environ: MutableMapping[str, str]) -> None:
        """Take its address and its wish for signs of life out of the environment, so that no program below us speaks in our name."""
        self._address = environ.pop("NOTIFY_SOCKET", "").replace("@", "\0", 1)
        self._watches = bool(environ.pop("WATCHDOG_USEC", ""))
        environ.pop("WATCHDOG_PID", None)
        self._is_ready = False

    def alive(self) -> None:
        """Say that we are ready, the first time; after that, that we still live, if somebody watches for it."""
        if not self._is_ready:
            self._tell("READY=1")
            self._is_ready = True
        if self._watches:
            self._tell("WATCHDOG=1")

    def stopping(self) -> None:
        """Say that nothing new begins."""
        self._tell("STOPPING=1")

    def _tell(self, words: str) -> None:
        if not self._address:
            return
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
            line.connect(self._address)
            line.send(words.encode())
