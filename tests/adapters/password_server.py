"""An SSH server on the loopback address that lets in by password only, and runs what is asked by this machine's shell."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

import paramiko

from tests.adapters.real_sshd import make_key, public

USER = "keeper"


class Door(paramiko.ServerInterface):
    """Takes one password, and commands without a terminal."""

    def __init__(self, server: PasswordServer) -> None:
        self._server = server

    def get_allowed_auths(self, username: str) -> str:
        return "password"

    def check_auth_password(self, username: str, password: str) -> int:
        self._server.tried.append(password)
        right = (username, password) == (USER, self._server.password)
        return paramiko.AUTH_SUCCESSFUL if right else paramiko.AUTH_FAILED

    def check_channel_request(self, kind: str, chanid: int) -> int:
        return paramiko.OPEN_SUCCEEDED if kind == "session" else paramiko.OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED

    def check_channel_exec_request(self, channel: paramiko.Channel, command: bytes) -> bool:
        # Not before the answer to this request is on its way, which is sent as soon as we return.
        threading.Timer(0.2, carry_out, args=(channel, command.decode())).start()
        return True


class PasswordServer:
    """Listens from `with` on; `password` may be changed meanwhile, `tried` is what clients gave."""

    def __init__(self, folder: Path, password: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.password = password
        self.tried: list[str] = []
        host_key = make_key(folder / "host_key")
        self._key = paramiko.Ed25519Key.from_private_key_file(str(host_key))
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listening.getsockname()[1])
        self.known_hosts = folder / "known_hosts"
        self.known_hosts.write_text(f"[127.0.0.1]:{self.port} {public(host_key)}")
        self._doors: list[paramiko.Transport] = []

    def variables(self, **more: object) -> dict[str, object]:
        """Connection variables as an inventory would have them; the tester's own ssh_config and keys are left out."""
        common = f"-F none -o UserKnownHostsFile={self.known_hosts} -o GlobalKnownHostsFile=none -o IdentitiesOnly=yes -o IdentityFile=none"
        own = {
            "ansible_host": "127.0.0.1",
            "ansible_port": self.port,
            "ansible_user": USER,
            "ansible_ssh_common_args": common,
        }
        return {**own, **more}

    def __enter__(self) -> Self:
        threading.Thread(target=self._listen, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listening.close()
        for door in self._doors:
            door.close()

    def _listen(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._open, args=(connection,), daemon=True).start()

    def _open(self, connection: socket.socket) -> None:
        door = paramiko.Transport(connection)
        self._doors.append(door)
        door.add_server_key(self._key)
        with contextlib.suppress(paramiko.SSHException, EOFError, OSError):
            door.start_server(server=Door(self))
            kept = []  # a channel that nobody holds is closed
            while door.is_active():
                kept.append(door.accept(1))


def carry_out(channel: paramiko.Channel, command: str) -> None:
    """Run one command for a channel, with its three streams."""
    process = subprocess.Popen(
        ["/bin/sh", "-c", command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdin
    assert process.stdout
    assert process.stderr
    threading.Thread(target=feed, args=(channel, process), daemon=True).start()
    errors = threading.Thread(target=lambda: channel.sendall_stderr(process.stderr.read()))  # type: ignore[union-attr]
    errors.start()
    with contextlib.suppress(OSError, EOFError):
        channel.sendall(process.stdout.read())
        errors.join()
        channel.send_exit_status(process.wait())
        channel.close()


def feed(channel: paramiko.Channel, process: subprocess.Popen[bytes]) -> None:
    """Hand on what the client writes, until it says that this is all."""
    with contextlib.suppress(OSError, EOFError):
        while piece := channel.recv(65536):
            process.stdin.write(piece)  # type: ignore[union-attr]
            process.stdin.flush()  # type: ignore[union-attr]
    with contextlib.suppress(OSError):
        process.stdin.close()  # type: ignore[union-attr]
