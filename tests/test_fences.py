"""The fences around the tests hold."""

from __future__ import annotations

import os
import pwd
import socket
import subprocess
from pathlib import Path

import pytest

from tests.fences import FenceError, may_be_reached


def test_the_home_folder_is_none_of_the_users() -> None:
    real = Path(pwd.getpwuid(os.getuid()).pw_dir)

    assert Path.home() != real
    assert Path("~/x").expanduser().parent == Path.home()
    assert Path.home().is_dir()


def test_programs_that_tests_start_have_that_home_too() -> None:
    told = subprocess.run(["sh", "-c", "echo $HOME"], capture_output=True, text=True, check=True).stdout.strip()

    assert told == str(Path.home())


@pytest.mark.parametrize("address", [("192.0.2.1", 80), ("example.com", 443)])
def test_no_connection_leaves_this_machine(address: tuple[str, int]) -> None:
    with socket.socket() as out, pytest.raises(FenceError, match="reach nothing but this machine"):
        out.connect(address)


def test_not_even_one_that_would_only_report_an_error_number() -> None:
    with socket.socket() as out, pytest.raises(FenceError):
        out.connect_ex(("192.0.2.1", 80))


def test_not_over_the_newer_protocol_either() -> None:
    with socket.socket(socket.AF_INET6) as out, pytest.raises(FenceError):
        out.connect(("2001:db8::1", 80))


def test_the_loopback_can_be_reached() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket() as out:
        out.connect(server.getsockname())

        assert out.getpeername() == server.getsockname()


def test_a_socket_in_the_file_system_can_be_reached(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as out:
        server.bind(str(tmp_path / "s"))
        server.listen()

        out.connect(str(tmp_path / "s"))


@pytest.mark.parametrize(
    ("host", "reached"),
    [("localhost", True), ("127.9.9.9", True), ("::1", True), ("0.0.0.0", False), ("8.8.8.8", False)],
)
def test_what_counts_as_this_machine(host: str, reached: bool) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET

    assert may_be_reached(family, (host, 1)) is reached
