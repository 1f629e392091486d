"""A service manager hears from us that we are ready, that we live and that we stop; nobody below us speaks in our name."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from runner.adapters.systemd import Systemd


@pytest.fixture
def line(tmp_path: Path) -> Iterator[socket.socket]:
    """The service manager's end of the line."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as bound:
        bound.bind(str(tmp_path / "notify"))
        bound.settimeout(5)
        yield bound


def told(line: socket.socket, times: int) -> list[str]:
    return [line.recv(1024).decode() for _ in range(times)]


def test_it_hears_that_we_are_ready_then_that_we_live_and_that_we_stop(line: socket.socket) -> None:
    manager = Systemd({"NOTIFY_SOCKET": line.getsockname(), "WATCHDOG_USEC": "900000000"})

    manager.alive()
    manager.alive()
    manager.stopping()

    assert told(line, 4) == ["READY=1", "WATCHDOG=1", "WATCHDOG=1", "STOPPING=1"]


def test_where_nobody_watches_it_is_not_told_again_and_again(line: socket.socket) -> None:
    manager = Systemd({"NOTIFY_SOCKET": line.getsockname()})

    manager.alive()
    manager.alive()
    manager.stopping()

    assert told(line, 2) == ["READY=1", "STOPPING=1"]


def test_an_abstract_socket_is_found(tmp_path: Path) -> None:
    name = f"wellkept-{tmp_path.name}-{id(tmp_path)}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as bound:
        bound.bind(f"\0{name}")
        bound.settimeout(5)

        Systemd({"NOTIFY_SOCKET": f"@{name}"}).alive()

        assert told(bound, 1) == ["READY=1"]


def test_no_program_below_us_can_speak_in_our_name() -> None:
    environ = {"NOTIFY_SOCKET": "/run/systemd/notify", "WATCHDOG_USEC": "1", "WATCHDOG_PID": "1", "PATH": "/bin"}

    Systemd(environ)

    assert environ == {"PATH": "/bin"}


def test_without_a_service_manager_or_with_one_that_is_gone_nothing_happens(tmp_path: Path) -> None:
    for environ in ({}, {"NOTIFY_SOCKET": str(tmp_path / "gone")}):
        manager = Systemd(environ)

        manager.alive()
        manager.stopping()
