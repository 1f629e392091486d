"""Real sshd processes on the loopback address, for tests."""

from __future__ import annotations

import contextlib
import getpass
import os
import signal
import socket
import subprocess
import time
from pathlib import Path

from runner.adapters.ansible.processes import below, read_processes

USER = getpass.getuser()


class Sshd:
    """One sshd with a host key and an authorised key of its own; it logs in the user who runs the tests."""

    def __init__(self, folder: Path, *, certificate_of: Path | None = None) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.port = free_port()
        self.host_key = make_key(folder / "host_key")
        self.login_key = make_key(folder / "login_key")
        (folder / "authorized_keys").write_text(public(self.login_key))
        self.trust()
        lines = [f"HostKey {self.host_key}"]
        if certificate_of:
            argv = [
                "ssh-keygen",
                "-q",
                "-s",
                str(certificate_of),
                "-I",
                "host",
                "-h",
                "-n",
                "127.0.0.1,lab.example",
                f"{self.host_key}.pub",
            ]
            subprocess.run(argv, check=True)
            lines.append(f"HostCertificate {self.host_key}-cert.pub")
        self.start(lines)

    def start(self, lines: list[str]) -> None:
        config = self.folder / "sshd_config"
        config.write_text(
            f"ListenAddress 127.0.0.1:{self.port}\nPidFile none\nStrictModes no\nUsePAM no\n"
            "PasswordAuthentication no\nKbdInteractiveAuthentication no\nPermitRootLogin prohibit-password\nUseDNS no\nMaxStartups 200\n"
            f"SetEnv HOME={self.folder}\nAuthorizedKeysFile {self.folder}/authorized_keys\n" + "\n".join(lines)
        )
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(exist_ok=True)  # sshd wants it from root, and only the service makes it
        argv = ["/usr/sbin/sshd", "-D", "-e", "-f", str(config)]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        self.wait()

    def wait(self) -> None:
        for _ in range(200):
            try:
                with socket.create_connection(("127.0.0.1", self.port), timeout=5) as asked:
                    asked.settimeout(5)
                    if asked.recv(4) == b"SSH-":
                        return
            except OSError:
                time.sleep(0.05)
        raise AssertionError(f"sshd did not start: {(self.folder / 'log').read_text()}")

    def trust(self, key: Path | None = None, names: str = "") -> None:
        """Write known_hosts with this host's own key, or with another."""
        (self.folder / "known_hosts").write_text(
            f"{names or f'[127.0.0.1]:{self.port}'} {public(key or self.host_key)}"
        )

    def variables(self, **more: object) -> dict[str, object]:
        """Connection variables as an inventory would have them; the tester's own ssh_config is left out."""
        common = f"-F none -o UserKnownHostsFile={self.folder}/known_hosts -o GlobalKnownHostsFile=none"
        own = {
            "ansible_host": "127.0.0.1",
            "ansible_port": self.port,
            "ansible_user": USER,
            "ansible_ssh_private_key_file": str(self.login_key),
            "ansible_ssh_common_args": common,
        }
        return {**own, **more}

    def sessions(self) -> list[int]:
        """Processes that serve a connection now; for a plain user's login there are two for each."""
        return list(below(read_processes(), {self.process.pid}))

    def hang(self) -> None:
        signal_all([self.process.pid, *self.sessions()], signal.SIGSTOP)

    def resume(self) -> None:
        signal_all([*self.sessions(), self.process.pid], signal.SIGCONT)

    def drop_sessions(self) -> None:
        signal_all(self.sessions(), signal.SIGKILL)

    def stop(self) -> None:
        self.resume()
        self.drop_sessions()
        self.process.kill()
        self.process.wait()


def signal_all(pids: list[int], which: signal.Signals) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, which)


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def make_key(path: Path) -> Path:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)], check=True)
    return path


def public(key: Path) -> str:
    return Path(f"{key}.pub").read_text()
