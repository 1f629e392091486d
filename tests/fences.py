"""Fences around every test: the home folder is a folder of the tests' own, and this process reaches no network but the loopback."""

from __future__ import annotations

import ipaddress
import os
import shutil
import socket
import tempfile
from collections.abc import Callable
from typing import Any

BY_NAME = {"localhost", ""}


class FenceError(AssertionError):
    """A test tried to leave this machine."""


def may_be_reached(family: int, address: Any) -> bool:
    """Whether an address is on this machine: a socket in the file system, or one of the loopback."""
    if family not in {socket.AF_INET, socket.AF_INET6}:
        return True
    host = str(address[0])
    if host in BY_NAME:
        return True
    try:
        return ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return False


def fenced(connect: Callable[..., Any]) -> Callable[..., Any]:
    """The same way to connect, that refuses addresses elsewhere."""

    def connect_here(self: socket.socket, address: Any) -> Any:
        if not may_be_reached(self.family, address):
            raise FenceError(f"a test tried to connect to {address[0]}; tests reach nothing but this machine")
        return connect(self, address)

    return connect_here


def put_up() -> Callable[[], None]:
    """Put the fences up; gives what takes them down."""
    home, real = tempfile.mkdtemp(prefix="wellkept-home-"), os.environ.get("HOME")
    connect, connect_ex = socket.socket.connect, socket.socket.connect_ex
    os.environ["HOME"] = home
    socket.socket.connect = fenced(connect)  # type: ignore[method-assign]
    socket.socket.connect_ex = fenced(connect_ex)  # type: ignore[method-assign]

    def take_down() -> None:
        socket.socket.connect, socket.socket.connect_ex = connect, connect_ex  # type: ignore[method-assign]
        os.environ.pop("HOME") if real is None else os.environ.__setitem__("HOME", real)
        shutil.rmtree(home, ignore_errors=True)

    return take_down
