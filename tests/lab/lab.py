"""The lab as its users see it: bring hosts up, look into them, break and mend them, and take everything down."""

import contextlib
import os
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from tests.lab import control, repository
from tests.lab.errors import LabError
from tests.lab.faults import BY_SUPERVISOR, INSIDE
from tests.lab.guard import LOCK, LOG, STATE, is_alive, is_held
from tests.lab.host import INTO, WITHOUT_THE_MACHINE
from tests.lab.inventory import ssh_options
from tests.lab.plan import LabPlan, Mode, read_plan
from tests.lab.ports import ADDRESS, greets
from tests.lab.start import Wishes, start

SECONDS_TO_START = 30.0
SECONDS_TO_END = 60.0  # of fifty hosts on a busy machine
ENVIRONMENT = {
    "HOME": "/root",
    "USER": "root",
    "LOGNAME": "root",
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "DEBIAN_FRONTEND": "noninteractive",
    "LC_ALL": "C.UTF-8",
}


class Lab:
    """A lab that is up in `folder`; as a context manager it is down at the end."""

    def __init__(self, folder: Path, plan: LabPlan) -> None:
        """Use `Lab.up` or `Lab.open`."""
        self.folder = folder
        self.plan = plan

    @classmethod
    def up(
        cls, folder: Path, wishes: Wishes | None = None, *, owner: int | None = None, detached: bool = False
    ) -> Self:
        """Bring a lab up and wait until every host answers.

        It ends with the process `owner`, which is this one unless told otherwise; a `detached` one lives until `down`.
        """
        folder = folder.absolute()
        plan = start(folder, wishes or Wishes(), owner=owner or os.getpid())
        lab = cls(folder, plan)
        try:
            lab.wait_up()
            if detached:
                control.ask(folder, "release")
        except BaseException:
            lab.down()
            raise
        return lab

    @classmethod
    def open(cls, folder: Path) -> Self:
        """The lab that is up in `folder`; LabError when there is none."""
        folder = folder.absolute()
        control.ask(folder, "status")
        return cls(folder, read_plan(folder / STATE))

    def __enter__(self) -> Self:
        """The lab itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Take the lab down."""
        self.down()

    @property
    def mode(self) -> Mode:
        """How its hosts are made."""
        return self.plan.mode

    @property
    def notice(self) -> str | None:
        """The one line that says what a plain lab cannot do; None for hosts with roots of their own."""
        return self.plan.notice

    @property
    def hosts(self) -> tuple[str, ...]:
        """The names of its hosts."""
        return tuple(host.name for host in self.plan.hosts)

    @property
    def groups(self) -> dict[str, tuple[str, ...]]:
        """Host names by inventory group."""
        return self.plan.groups()

    @property
    def inventory(self) -> Path:
        """The inventory for Ansible."""
        return self.folder / "inventory.yml"

    @property
    def known_hosts(self) -> Path:
        """The real keys of the hosts."""
        return self.folder / "known_hosts"

    @property
    def private_key(self) -> Path:
        """The key that opens every host."""
        return self.folder / "id"

    def port(self, host: str) -> int:
        """The port of a host on 127.0.0.1."""
        return self.plan.host(host).port

    def ssh(self, host: str, *command: str) -> list[str]:
        """The ssh command that runs `command` (or a shell) on `host`, keys checked, as a list for subprocess."""
        options = [*ssh_options(self.folder), "-i", str(self.private_key), "-p", str(self.port(host))]
        return ["ssh", *options, f"{self.plan.login}@{ADDRESS}", *command]

    def status(self) -> dict[str, object]:
        """The process ids of supervisor and guard, and state, pid and number of boots of every host."""
        return control.ask(self.folder, "status")

    def down(self) -> None:
        """End every host and remove every file of the lab; no matter if it is down already."""
        with contextlib.suppress(FileNotFoundError), (self.folder / LOCK).open("rb") as lock:
            self._wait_for_the_end(lock)

    def run(
        self, host: str, argv: Sequence[str], *, text: str | None = None, seconds: float = 60
    ) -> subprocess.CompletedProcess[str]:
        """Run a program inside a host, past its SSH server (so also on a hung one); `text` is its input."""
        return subprocess.run(
            [*self._enter(host), *argv], check=False, input=text or "", capture_output=True, text=True, timeout=seconds
        )

    def publish(self, version: str) -> None:
        """Offer the packages of `version` in the repository of all hosts."""
        repository.publish(self.folder / "repo", version)

    def reset(self, *hosts: str) -> None:
        """Boot hosts (all if none is named) from their templates again, without faults, and wait until they answer."""
        names = hosts or self.hosts
        control.ask(self.folder, "reset", names)
        self.wait_up(*names)

    def wait_up(self, *hosts: str, seconds: float = SECONDS_TO_START) -> None:
        """Wait until hosts (all if none is named) greet; LabError with their last words when one does not."""
        names = hosts or self.hosts
        deadline = time.monotonic() + seconds + len(names)
        for host in names:
            while not greets(self.port(host), seconds=1):
                if self._state(host) == "failed":
                    raise LabError(f"{host} was given up: {self._last_words(host)}")
                if time.monotonic() > deadline:
                    raise LabError(f"{host} did not come up within {seconds:g} s: {self._last_words(host)}")
                time.sleep(0.03)

    def break_host(self, host: str, fault: str) -> None:
        """Give a host one of the faults of `faults.py`, by name."""
        if fault in BY_SUPERVISOR:
            control.ask(self.folder, fault, [host])
        elif fault in INSIDE:
            self._break_inside(host, fault)
        else:
            raise LabError(f"there is no fault {fault!r}; there are {', '.join([*BY_SUPERVISOR, *INSIDE])}")

    def heal(self, *hosts: str) -> None:
        """Undo every fault of hosts (all if none is named) and wait until they answer; a crash heals by itself."""
        names = hosts or self.hosts
        control.ask(self.folder, "heal", names)
        self.wait_up(*names)
        if self.mode is not Mode.PLAIN:
            for host in names:
                for fault in INSIDE.values():
                    self._must_run(host, fault.undo)

    def _break_inside(self, host: str, fault: str) -> None:
        if self.mode is Mode.PLAIN:
            raise LabError(f"{host}: {fault} needs a host with a root of its own, and this is a plain lab")
        if fault == "fill-disk" and not self.plan.host(host).disk_mib:
            raise LabError(f"{host}: its disk is this machine's; give it a small one of its own: --small {host}=40")
        self._must_run(host, INSIDE[fault].make)

    def _must_run(self, host: str, argv: Sequence[str]) -> None:
        answer = self.run(host, argv)
        if answer.returncode:
            raise LabError(f"{host}: {answer.stderr.strip() or f'{argv[0]} ended with {answer.returncode}'}")

    def _enter(self, host: str) -> list[str]:
        environment = [f"{name}={value}" for name, value in ENVIRONMENT.items()]
        if self.mode is Mode.PLAIN:
            raise LabError(f"{host}: a plain host has no inside; use ssh")
        path = self.folder / "hosts" / self.plan.host(host).name / "pid"
        try:
            target = path.read_text().strip()
        except FileNotFoundError:
            raise LabError(f"{host} has not booted") from None
        user = ["--user", "--preserve-credentials"] if self.mode is Mode.USER else []
        less = WITHOUT_THE_MACHINE if self.mode is Mode.ROOT else ()
        enter = ["nsenter", "--target", target, *user, *INTO, *less]
        return [*enter, "env", "--ignore-environment", "--chdir=/root", *environment]

    def _state(self, host: str) -> object:
        """How the supervisor sees a host; None while it does not listen yet, LabError when it is gone."""
        try:
            hosts = self.status()["hosts"]
        except LabError:
            if not is_alive(self.folder):
                raise
            return None
        return hosts[host]["state"] if isinstance(hosts, dict) else None

    def _last_words(self, host: str) -> str:
        logs = [
            self.folder / "hosts" / host / "console.log",
            self.folder / "hosts" / host / "sshd.log",
            self.folder / LOG,
        ]
        lines = [
            line.strip() for log in logs if log.exists() for line in log.read_text(errors="replace").splitlines()[-2:]
        ]
        return " | ".join(filter(None, lines)) or "it said nothing"

    def _wait_for_the_end(self, lock: BinaryIO) -> None:
        deadline = time.monotonic() + SECONDS_TO_END
        while is_held(lock):
            with contextlib.suppress(LabError):  # its supervisor may not listen yet, or be ending already
                control.ask(self.folder, "stop")
            if time.monotonic() > deadline:
                raise LabError(
                    f"{self.folder}: the lab did not end within {SECONDS_TO_END:g} s; see {self.folder / LOG}"
                )
            time.sleep(0.02)
