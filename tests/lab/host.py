"""One running host: its namespaces, its SSH server, and what can be done to both."""

import signal
import subprocess
import time
from enum import StrEnum
from pathlib import Path

from tests.lab import processes
from tests.lab.machine import AS_ROOT_INSIDE, NAMESPACES, program
from tests.lab.plan import HostPlan, Mode
from tests.lab.sshd import DOOR_KEYS, HOST_KEY, make_key
from tests.lab.template import put_root, template_for

KEPT_KEY = f"{HOST_KEY}.kept"
BOOT = Path(__file__).with_name("boot.sh")
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
WITH_US = ("setpriv", "--pdeathsig", "KILL")
INTO = ("--mount", "--uts", "--ipc", "--pid", "--root", "--wd")
# What a host of root's could otherwise do to the machine: its clock, network, devices, modules and mounts.
NOT_FOR_HOSTS = "-mac_admin,-mknod,-net_admin,-sys_admin,-sys_boot,-sys_module,-sys_rawio,-sys_time,-syslog"
WITHOUT_THE_MACHINE = ("setpriv", f"--bounding-set={NOT_FOR_HOSTS}")

LABINIT = "labinit"  # what boot.sh becomes inside
PAUSE = 0.3
SHORT_LIFE = 1.0
TRIES = 3


class HostState(StrEnum):
    """Where a host is between off and answering; a failed one is not started again."""

    OFF = "off"
    BOOTING = "booting"
    UP = "up"
    FAILED = "failed"


class Host:
    """A host that is kept running: booted again after a reboot or a crash, its SSH server too."""

    def __init__(self, plan: HostPlan, *, folder: Path, mode: Mode) -> None:
        """Keep the host of `plan`, whose files lie in `folder`/hosts/NAME; nothing is started yet."""
        self.plan = plan
        self.state = HostState.OFF
        self.pid: int | None = None
        self.boots = 0
        self.refusing = False
        self.hung = False
        self.stays_down = False
        self._lab = folder
        self._folder = folder / "hosts" / plan.name
        self._mode = mode
        self._init: subprocess.Popen[bytes] | None = None
        self._sshd: subprocess.Popen[bytes] | None = None
        self._started = 0.0
        self._not_before = 0.0
        self._short_lives = 0

    @property
    def settled(self) -> bool:
        """Whether nothing is expected to change by itself soon."""
        return (
            self.state is HostState.FAILED
            or (self.stays_down and self.state is HostState.OFF)
            or (self.state is HostState.UP and (self.refusing or self._sshd is not None))
        )

    def look_after(self, *, now: float) -> None:
        """Take the next step towards a host that answers, if it is time; `now` is a monotonic clock in seconds."""
        if self.state is HostState.FAILED or now < self._not_before:
            return
        if self.state is HostState.OFF:
            if not self.stays_down:
                self._boot(now)
        elif self._init is not None and self._init.poll() is not None:
            self.halt()
            self._pause_after_an_end(now)
        elif self.state is HostState.BOOTING:
            self._finish_boot()
        elif not self.refusing:
            self._keep_sshd(now)

    def hang(self) -> None:
        """Stop every process of the host where it is; connections stay open and nothing answers."""
        for _ in range(2):  # the second time for what the first pass saw being forked
            processes.send(signal.SIGSTOP, self._everything())
        self.hung = True

    def resume(self) -> None:
        """Let a hung host go on."""
        processes.send(signal.SIGCONT, self._everything())
        self.hung = False

    def crash(self) -> None:
        """Cut the power: all processes end at once, and the host boots again."""
        self.halt()
        self._not_before = time.monotonic() + PAUSE

    def refuse(self) -> None:
        """End the SSH server and its connections; the host itself lives on, and callers are refused."""
        self.refusing = True
        self._end_sshd(spare_commands=True)

    def stay_down(self) -> None:
        """From now on the host does not boot again once it is down, as one whose disk or firmware has a fault."""
        self.stays_down = True

    def refuse_login(self) -> None:
        """Forget the key that opens the host; connections that are open stay."""
        (self._folder / "ssh" / DOOR_KEYS).write_text("")

    def heal(self) -> None:
        """Undo hang, refuse, a refused login, a new host key, and let the host boot again."""
        self.resume()
        self.refusing = self.stays_down = False
        (self._folder / "ssh" / DOOR_KEYS).write_text((self._lab / "id.pub").read_text())
        if (self._folder / "ssh" / KEPT_KEY).exists():
            self._move_key(KEPT_KEY, HOST_KEY)
            self._end_sshd()  # it is started again with the key it finds

    def change_host_key(self) -> None:
        """Give the host another key, which known_hosts does not know; the first one is kept for `heal`."""
        if not (self._folder / "ssh" / KEPT_KEY).exists():
            self._move_key(HOST_KEY, KEPT_KEY)
        make_key(self._folder / "ssh" / HOST_KEY, comment=self.plan.name)
        self._end_sshd()

    def reset(self) -> None:
        """Throw the host's files away and boot it from its template again, with its own key and identity."""
        self.halt()
        self.heal()
        if self._mode is not Mode.PLAIN:
            template = template_for(self._lab / "templates", self.plan.packages)
            put_root(self._folder / "root", self.plan, template=template)
        self.state, self._not_before, self._short_lives = HostState.OFF, 0.0, 0

    def halt(self) -> None:
        """End every process of the host."""
        self._end_sshd()
        (self._folder / "pid").unlink(missing_ok=True)
        if self._init is not None:
            processes.send(signal.SIGKILL, [*processes.descendants(self._init.pid), self._init.pid])
            self._init.wait()
        self._init, self.pid, self.hung, self.state = None, None, False, HostState.OFF

    def _boot(self, now: float) -> None:
        self.state, self._started = HostState.BOOTING, now
        self.boots += 1
        if self._mode is not Mode.PLAIN:
            (self._folder / "ready").unlink(missing_ok=True)
            self._init = self._spawn(self._boot_command(), log="console.log")

    def _boot_command(self) -> list[str]:
        # Making a user namespace clears the parent-death signal, so it comes first.
        begin = [*AS_ROOT_INSIDE, *WITH_US] if self._mode is Mode.USER else [*WITH_US]
        arguments = [self._folder, self.plan.name, self._mode, self.plan.disk_mib, self._lab / "repo"]
        return [*begin, "unshare", *NAMESPACES, "sh", str(BOOT), *map(str, arguments)]

    def _finish_boot(self) -> None:
        if self._init is None:
            self.state = HostState.UP
        elif inside := self._inside(self._init.pid):
            self.pid = inside
            (self._folder / "pid").write_text(f"{self.pid}\n")
            self.state = HostState.UP

    def _inside(self, init: int) -> int | None:
        """The first process within; None before it has become labinit: until then its root is the machine's, and who enters there is in the wrong house."""
        found = processes.descendants(init) if (self._folder / "ready").exists() else []
        return found[0] if found and processes.name_of(found[0]) == LABINIT else None

    def _keep_sshd(self, now: float) -> None:
        if self._sshd is None:
            self._started = now
            self._sshd = self._spawn(self._sshd_command(), log="sshd.log")
        elif self._sshd.poll() is not None:
            self._sshd = None
            self._pause_after_an_end(now)

    def _sshd_command(self) -> list[str]:
        server = [program("sshd"), "-D", "-e", "-f"]
        if self._mode is Mode.ROOT:
            enter = ["nsenter", "--target", str(self.pid), *INTO]
            return [*WITH_US, *enter, *WITHOUT_THE_MACHINE, *server, "/etc/ssh/sshd_config"]
        return [*WITH_US, *server, str(self._folder / "ssh" / "sshd_config")]

    def _spawn(self, command: list[str], *, log: str) -> subprocess.Popen[bytes]:
        with (self._folder / log).open("ab") as output:
            return subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd="/",
                start_new_session=True,
                env={"PATH": PATH, "LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive"},
            )

    def _pause_after_an_end(self, now: float) -> None:
        """Wait longer after each short life, and give up after too many."""
        self._short_lives = self._short_lives + 1 if now - self._started < SHORT_LIFE else 0
        self._not_before = now + PAUSE * 2**self._short_lives
        if self._short_lives >= TRIES:
            self.halt()
            self.state = HostState.FAILED

    def _move_key(self, old: str, new: str) -> None:
        for suffix in ("", ".pub"):
            (self._folder / "ssh" / f"{old}{suffix}").replace(self._folder / "ssh" / f"{new}{suffix}")

    def _end_sshd(self, *, spare_commands: bool = False) -> None:
        if self._sshd is None:
            return
        below = processes.descendants(self._sshd.pid)
        if spare_commands:
            below = [pid for pid in below if processes.name_of(pid).startswith("sshd")]
        processes.send(signal.SIGKILL, [self._sshd.pid, *below])
        self._sshd.wait()
        self._sshd = None

    def _everything(self) -> list[int]:
        found = [] if self._init is None else processes.descendants(self._init.pid)
        return found if self._sshd is None else [self._sshd.pid, *processes.descendants(self._sshd.pid), *found]
