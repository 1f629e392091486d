"""What we need from the outside, by need; a clock is `Callable[[], datetime]` and answers aware UTC."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Protocol

from runner.domain.execution.alerts import Alert
from runner.domain.execution.outcome import Event
from runner.domain.execution.own_ansible import AnsibleSettings
from runner.domain.execution.requirements import Installed, NotInstalled, Requirements
from runner.domain.health import Answer, Check
from runner.domain.settings import Alertmanager, Inventory, Secrets, SecretSource
from runner.domain.time.events import Events
from runner.domain.time.window import StartSource
from runner.domain.time.workdays import DateSource
from runner.errors import Problem

Clock = Callable[[], datetime]
Monotonic = Callable[[], float]


@dataclass(frozen=True, slots=True)
class PieceOrder:
    """Everything that one call of Ansible needs; all paths are absolute.

    `folder` is the piece's own private folder (0700): spool, private_data_dir and log live there. `control_path` is the run's short private folder for ssh
    masters. `limit` None means no limit (split: whole). `project` is the snapshot that the run executes from, and the working folder of Ansible.
    `requirements` is the folder of installed roles and collections that are found behind the user's own; None without any.
    `time_limit` ends the piece hard. `fence` and `piece` mark every local process as WELLKEPT_PIECE=<piece>:<fence>.
    """

    run: str
    piece: str
    fence: int
    folder: Path
    control_path: Path
    project: Path
    playbook: Path
    inventory: tuple[str, ...]
    limit: tuple[str, ...] | None
    extra_vars: Mapping[str, object] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    skip_tags: tuple[str, ...] = ()
    forks: int = 10
    check: bool = False
    diff: bool = False
    ansible: AnsibleSettings = AnsibleSettings()
    requirements: Path | None = None
    secrets: Secrets = Secrets()
    become_hosts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # secret's name -> the hosts it is for
    login_hosts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # the same for login secrets
    time_limit: timedelta | None = None
    pipelined: tuple[
        str, ...
    ] = ()  # hosts for which pipelining is switched on, where nothing else says anything about it


@dataclass(frozen=True, slots=True)
class PieceEnd:
    """How a piece's processes ended; `gone` is True only when nothing of it is left on this machine.

    `how` is finished | cancelled | timed_out | lost. `complete` means that the final play stats and the executor's own last line were both heard.
    """

    how: str
    gone: bool
    complete: bool
    note: str = ""


class RunningPiece(Protocol):
    """One call of Ansible, going on below its leash."""

    def events(self, *, wait: float) -> Sequence[Event]:
        """Events that came since the last call, at most a few hundred; waits up to `wait` seconds for the first one."""

    def feed(self, seconds: float) -> None:
        """Tell the leash that its owner is alive for that many more seconds."""

    def stop_softly(self) -> None:
        """Start no further task; what is running goes on to its end."""

    def cancel(self) -> None:
        """End everything of this piece on this machine now: TERM, then KILL."""

    def end(self) -> PieceEnd | None:
        """How it ended, once all events were handed out; None while it goes on."""


@dataclass(frozen=True, slots=True)
class Stray:
    """A process that could not be ended, and whose it is: a piece's, or a run's that is known by its control path; neither when that cannot be told."""

    pid: int
    title: str
    piece: str | None = None
    control_path: Path | None = None


@dataclass(frozen=True, slots=True)
class Strays:
    """Processes of pieces without a live lease: how many were ended, and which could not be."""

    ended: int
    left: tuple[Stray, ...] = ()


class PlaybookExecutor(Protocol):
    """Runs playbooks so that they can always be stopped."""

    @property
    def look_playbook(self) -> Path:
        """The built-in playbook that looks at a host and changes nothing."""

    def pipelining_by(self, *, project: Path, playbook: Path | None, ansible: AnsibleSettings) -> str | None:
        """The version of the Ansible that would be called; None where the user's own configuration says anything about pipelining."""

    def in_the_way(self, ansible: AnsibleSettings) -> str:
        """Why nothing could be started with this Ansible now, as the image that it lives in is not on this machine; empty when it could."""

    def start(self, order: PieceOrder) -> RunningPiece:
        """Start one piece below its run's leash (the leash is started with the run's first piece)."""

    def drain(self, folder: Path, *, offset: int) -> Iterator[Event]:
        """The events that a piece left in its spool after `offset`, when its executor is gone; a torn last line is left out."""

    def end_strays(self, *, live: Callable[[], Collection[tuple[str, int]]]) -> Strays:
        """End every process on this machine that is marked with a piece and fence that `live` does not name, ssh masters included.

        `live` is asked anew after each look at the processes, so that a piece which began meanwhile is never taken for a stray.
        """

    def finish_run(self, run: str, control_path: Path) -> bool:
        """Close the run's ssh masters and its leash; True when nothing of it is left."""


class Galaxy(Protocol):
    """Keeps the roles and collections that requirements files name; only `install` may use a network."""

    def installed(self, wanted: Requirements, ansible: AnsibleSettings) -> Installed | None:
        """What was installed for these requirements with this Ansible, if it is there and untouched; raises Unknown when that cannot be told."""

    def trouble(self, wanted: Requirements, ansible: AnsibleSettings) -> NotInstalled | None:
        """Why the last attempt to install them failed; None when it did not, or there was none."""

    def kept(self, digest: str) -> Installed | None:
        """What lies in the folder of that digest, if it is there and untouched."""

    def folder(self, digest: str) -> Path:
        """Where that content lies."""

    def folder_for(self, wanted: Requirements, ansible: AnsibleSettings) -> Path | None:
        """Where it lies installed; None when it is not, or is left to the user."""

    def install(self, wanted: Requirements, ansible: AnsibleSettings, *, project: Path) -> Installed:
        """Install them by the user's own `ansible-galaxy`, from an unchanging copy of the repository; raises Unknown with its reason."""


@dataclass(frozen=True, slots=True)
class InventoryAnswer:
    """What an inventory says now: hosts in inventory order with their variables, groups with their hosts, and what went wrong while reading.

    Secret-looking values never leave the adapter: only connection variables and the ones asked for are kept.
    """

    hosts: Mapping[str, Mapping[str, object]]
    groups: Mapping[str, tuple[str, ...]]
    errors: tuple[str, ...] = ()


class InventoryReader(Protocol):
    """Reads an inventory as Ansible does."""

    def read(self, inventory: Inventory, *, project: Path) -> InventoryAnswer:
        """Ask `ansible-inventory` of the inventory's own Ansible; a plugin's failure or warning is an error in the answer, never an exception."""

    def may_change(self, inventory: Inventory, *, project: Path) -> bool:
        """Whether the files in `project` may give another answer later, though none of them is changed."""


class AlertSource(Protocol):
    """Tells which alerts of the monitoring outside fire."""

    def firing(self, source: Alertmanager) -> Sequence[Alert]:
        """The alerts that fire now, and are neither silenced nor inhibited; raises Unknown, with the reason, when that cannot be heard."""


class HostProbe(Protocol):
    """Asks hosts one question each."""

    def ask(self, check: Check, hosts: Mapping[str, Mapping[str, object]]) -> Iterator[Answer]:
        """Ask every host (name -> connection variables) and give each answer as it comes; a host that cannot be asked is an answer too."""


class Signer(Protocol):
    """Signs checkpoints with an OpenSSH Ed25519 key."""

    def sign(self, message: bytes) -> str:
        """The armoured SSHSIG signature of `message` in the namespace `wellkept-record`."""

    def public_key(self) -> str:
        """The public key in OpenSSH's one-line form."""


@dataclass(frozen=True, slots=True)
class Seal:
    """A signature of an approval, and the public key that made it, in OpenSSH's one-line form."""

    signature: str
    public_key: str


class Seals(Protocol):
    """Signs approvals with the approver's own key, which stays in ssh-agent, and checks such signatures."""

    def sign(self, message: bytes, *, keys: Sequence[str]) -> Seal:
        """A signature in the namespace `wellkept-approval` by the first of these public keys that the agent holds; raises UsageError when it holds none."""

    def verify(self, message: bytes, signature: str, *, signer: str, keys: Sequence[str]) -> bool:
        """Whether one of these public keys made the signature, as stock `ssh-keygen -Y verify` sees it."""


@dataclass(frozen=True, slots=True)
class SnapshotTaken:
    """An immutable copy of the maintenance repository that a run executes from."""

    digest: str
    path: Path
    commit: str | None
    dirty: bool


class Snapshots(Protocol):
    """Keeps immutable copies of the maintenance repository."""

    def take(self, root: Path, *, besides: Collection[str] = ()) -> SnapshotTaken:
        """Copy the files as they are now, content-addressed; the same content gives the same digest and path.

        `besides` names files relative to `root` that belong to the copy wherever they lie, also if Git ignores them.
        """

    def names(self, root: Path) -> Collection[str]:
        """What a copy taken now would hold: names relative to `root`, with `/` between folders."""


class Dispatcher(Protocol):
    """Carries the names of pieces to whoever does them."""

    def dispatch(self, piece: str) -> None:
        """Have this piece done, soon, once."""

    def busy(self) -> bool:
        """Whether a piece that was handed over is still being done here."""

    def drain(self, *, wait: float) -> bool:
        """Take nothing new and wait for what is in flight; True when nothing is left."""


@dataclass(frozen=True, slots=True)
class Program:
    """A program of this machine: where it is, and its version as it tells it (empty when it tells none)."""

    path: str
    version: str


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder: whether we may read and write there, whether others may do anything there, and its free space in bytes."""

    ours: bool
    open_to_others: bool
    free_bytes: int


@dataclass(frozen=True, slots=True)
class AtHome:
    """What Ansible and ssh find in the home folder of `user`; `owner` is whom the state folder belongs to, so that it is the scheduler's user."""

    user: str
    owner: str
    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PlaybookAsked:
    """A playbook, the Ansible that is to play it, what requirements name for it, and variables that names in it may be made of."""

    playbook: str
    ansible: AnsibleSettings
    requirements: Requirements = field(default_factory=Requirements)
    extra_vars: Mapping[str, object] = field(default_factory=dict)


class PlaybookSyntax(Protocol):
    """What Ansible itself says is wrong with playbooks; nothing of them is executed."""

    def problems(self, asked: Sequence[PlaybookAsked], *, project: Path) -> list[Problem]:
        """The first problem of each playbook that has one: its syntax, or a role, a collection or an imported file that is not to be found."""


class Machinery(Protocol):
    """What can be asked of this machine and its ways to hosts; nothing of it changes anything."""

    def program(self, name: str, *, folder: str | None = None) -> Program | None:
        """A program on PATH, or first in `folder`; None when it is not there or does not start."""

    def python(self) -> str:
        """The version of the Python that runs us."""

    def distribution(self, name: str) -> str:
        """The version of an installed distribution, or nothing."""

    def tzdata(self) -> str:
        """The release of the time zone data, such as `2026a`."""

    def folder(self, path: Path) -> Folder | None:
        """Rights and free space of a folder; None when there is none."""

    def at_home(self, state_dir: Path) -> AtHome:
        """What another user's Ansible and ssh would not find, because it lies in this user's home folder."""

    def clock_is_set(self) -> bool | None:
        """Whether the system says that its clock follows a time server; None where it cannot tell."""

    def control_path_left(self, state_dir: Path) -> int:
        """How many bytes ssh's sockets have to spare; negative when the path is too long."""

    def in_the_way(self, ansible: AnsibleSettings) -> str:
        """Why nothing could be started with this Ansible now; empty when it could."""

    def ansible_configuration(self, ansible: AnsibleSettings) -> Path | None:
        """The configuration file that Ansible would use here."""

    def adds_to_ansible(self, ansible: AnsibleSettings, *, requirements: Path | None = None) -> tuple[str, ...]:
        """What Wellkept adds to the user's own Ansible, one sentence each; `requirements` is the folder of installed roles and collections."""

    def secret(self, kind: str, name: str, source: SecretSource) -> bool:
        """Look a secret up and forget it; whether others may read the file that holds it. Raises Unknown when it is not found."""

    def gives_passwords_by(self, ansible: AnsibleSettings) -> str:
        """The program by which the user's Ansible is told to give passwords to ssh; nothing when the user says nothing."""

    def way(self, host: str, variables: Mapping[str, object]) -> tuple[str, str]:
        """How a host is reached (user, address and client), and why so; raises Unknown."""

    def look(self, host: str, variables: Mapping[str, object]) -> str:
        """What the look that begins every run says there; raises Unknown or BadResult."""


@dataclass(frozen=True, slots=True)
class HostKey:
    """A host's key: its kind, its fingerprint as `ssh-keygen -l` prints it, and the marker that it stands under in known_hosts."""

    kind: str
    fingerprint: str
    marker: str = ""


@dataclass(frozen=True, slots=True)
class HostKeySeen:
    """The key shown now and those known in `file`; `trusted` if ssh would accept it, `line` is what would be written, `hashed` if names are hidden there."""

    address: str
    file: str
    known: tuple[HostKey, ...]
    shown: HostKey
    line: str
    trusted: bool
    hashed: bool = False


class HostKeys(Protocol):
    """Looks at the keys of hosts, and writes one down when a person says that it is right."""

    def look(self, host: str, variables: Mapping[str, object]) -> HostKeySeen:
        """What the host shows and what is known for it; raises Unknown, and BadResult when it cannot be reached."""

    def accept(self, host: str, variables: Mapping[str, object], seen: HostKeySeen) -> None:
        """Write that very key down in the place of the old ones; raises Unknown when it cannot be."""


class DateSources(Protocol):
    """Reads rules about dates that are written in languages of their own; each raises ValueError with the way out."""

    def rrule(self, text: str, *, since: date) -> StartSource:
        """The dates of a recurrence rule of RFC 5545 whose DTSTART is `since`."""

    def cron(self, text: str) -> StartSource:
        """The starts of a cron expression."""

    def holidays(self, country: str, subdivision: str | None) -> DateSource:
        """The public holidays of a country or a part of it."""

    def events(self, files: Mapping[str, bytes], *, summary: str | None, zone: str) -> Events:
        """The events of calendar files by name, of that summary if one is given; whole days are days of `zone`."""
