"""SSH connections in this process, kept open between questions, bounded in number and closed when idle."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import paramiko

from runner.adapters.asking import NoAnswer
from runner.adapters.ssh.client import as_answers, connected, read_output, session
from runner.adapters.ssh.openssh import Said
from runner.adapters.ssh.settings import SshSettings

MOST_OPEN = 256
MOST_CONNECTIONS_TO_ONE_HOST = 8
IDLE_SECONDS = 300.0
_SHORTEST = 0.05  # seconds; a time limit of 0 means none to a socket


@dataclass(slots=True)
class _Kept:
    """One connection, or the place where one will be; `lock` lets one thread at a time connect."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    client: paramiko.SSHClient | None = None
    used: float = 0.0
    users: int = 0
    replaced: list[paramiko.SSHClient] = field(default_factory=list)

    @property
    def is_open(self) -> bool:
        transport = self.client.get_transport() if self.client else None
        return transport is not None and transport.is_active()

    def replace(self, client: paramiko.SSHClient) -> None:
        """Take another client; the one before may still serve others' questions, and is closed when nobody is left."""
        if self.client:
            self.replaced.append(self.client)
        self.client = client

    def close_replaced(self) -> None:
        while self.replaced:
            self.replaced.pop().close()

    def close(self) -> None:
        self.close_replaced()
        if self.client:
            self.client.close()
        self.client = None


class Connections:
    """Connections by how they are reached (user, address, port, keys, password); safe to use from many threads."""

    def __init__(
        self,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        most_open: int = MOST_OPEN,
        idle_seconds: float = IDLE_SECONDS,
    ) -> None:
        """More than `most_open` may be open only while that many are in use; the idle ones are closed after `idle_seconds` at the next question."""
        logging.getLogger("paramiko").setLevel(logging.CRITICAL)  # or it prints a traceback for each host that is away
        self._monotonic = monotonic
        self._most_open = most_open
        self._idle_seconds = idle_seconds
        self._lock = threading.Lock()
        self._kept: dict[tuple[object, ...], _Kept] = {}

    def ask(self, settings: SshSettings, run: str, *, time_limit: float) -> Said:
        """Run `run` by the login shell of the host. Raises NoAnswer, CannotAsk or TryOpenSsh."""
        ends = self._monotonic() + time_limit
        with self._held(settings) as kept, as_answers(time_limit):
            channel = self._channel(kept, settings, ends)
            try:
                return self._run(channel, run, ends)
            finally:
                with contextlib.suppress(EOFError, OSError):
                    channel.close()

    def open_count(self) -> int:
        """How many connections are open now."""
        with self._lock:
            return sum(kept.is_open for kept in self._kept.values())

    def close(self) -> None:
        """Close all of them."""
        with self._lock:
            for kept in self._kept.values():
                kept.close()
            self._kept.clear()

    @contextmanager
    def _held(self, settings: SshSettings) -> Iterator[_Kept]:
        key = (settings.hostname, settings.port, settings.user, settings.keys, settings.known, settings.password)
        with self._lock:
            self._close_idle()
            kept = self._kept.setdefault(key, _Kept())
            kept.users += 1
        try:
            yield kept
        finally:
            with self._lock:
                kept.users -= 1
                kept.used = self._monotonic()
                if not kept.users:
                    kept.close_replaced()

    def _close_idle(self) -> None:
        """Close those that were not used for long, and the longest unused ones of too many."""
        unused = ((kept.used, key) for key, kept in self._kept.items() if not kept.users)
        free = sorted(unused, key=lambda pair: pair[0])
        too_many = len(self._kept) - self._most_open + 1
        for number, (used, key) in enumerate(free):
            if number < too_many or self._monotonic() - used > self._idle_seconds:
                self._kept.pop(key).close()

    def _channel(self, kept: _Kept, settings: SshSettings, ends: float) -> paramiko.Channel:
        """A channel on the kept connection; when that one gives none (dead without saying so, or full), on a new one."""
        used_up: paramiko.SSHClient | None = None
        for _ in range(MOST_CONNECTIONS_TO_ONE_HOST):
            client, is_new = self._client(kept, settings, ends, not_this=used_up)
            try:
                return session(client, self._left(ends) if is_new else self._left(ends) / 2)
            except paramiko.ChannelException:
                pass  # as many questions at once as the host takes on one connection
            except (paramiko.SSHException, EOFError, OSError):
                if is_new:
                    raise
            used_up = client
        raise NoAnswer("the host takes no more questions at the same time")

    def _client(
        self, kept: _Kept, settings: SshSettings, ends: float, *, not_this: paramiko.SSHClient | None
    ) -> tuple[paramiko.SSHClient, bool]:
        """The kept client, and whether it is new; it is connected by whoever comes first."""
        if not kept.lock.acquire(timeout=self._left(ends)):
            raise TimeoutError
        try:
            if kept.client is not None and kept.client is not not_this and kept.is_open:
                return kept.client, False
            client = connected(settings, self._left(ends))
            kept.replace(client)
            return client, True
        finally:
            kept.lock.release()

    def _run(self, channel: paramiko.Channel, run: str, ends: float) -> Said:
        channel.settimeout(self._left(ends))
        channel.set_combine_stderr(False)
        channel.exec_command(run)
        channel.shutdown_write()
        said = read_output(channel, lambda: self._renew(channel, ends))
        if not channel.status_event.wait(self._left(ends)):
            raise TimeoutError
        return Said(channel.recv_exit_status(), said)

    def _renew(self, channel: paramiko.Channel, ends: float) -> None:
        """Allow the next wait only what is left of the whole time."""
        if self._monotonic() >= ends:
            raise TimeoutError
        channel.settimeout(self._left(ends))

    def _left(self, ends: float) -> float:
        return max(_SHORTEST, ends - self._monotonic())
