"""What a lab is to be: its hosts, their groups, packages, ports and identities, as frozen values and as state.json."""

import json
import re
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path

from tests.lab.errors import LabError
from tests.lab.packages import BY_CHOICE, ON_EVERY_HOST

HOST_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
DEFAULT_EXTRAS: Mapping[str, Sequence[str]] = {"web-03": ("labkernel",), "db-02": ("labbroken",)}
SMALLEST_DISK_MIB = 4


class Mode(StrEnum):
    """How hosts are made: namespaces as root, namespaces as a plain user, or plain SSH servers without an own root."""

    ROOT = "root"
    USER = "user"
    PLAIN = "plain"


@dataclass(frozen=True, slots=True)
class HostPlan:
    """One host: `disk_mib` is the size of its root file system, 0 for as much as the machine has."""

    name: str
    port: int
    packages: tuple[str, ...]
    disk_mib: int
    machine_id: str

    @property
    def group(self) -> str:
        """Its inventory group: the name without its number."""
        return group_of(self.name)


@dataclass(frozen=True, slots=True)
class LabPlan:
    """A whole lab. `notice` is the one line that says what a plain lab cannot do; `login` the user who logs in."""

    mode: Mode
    login: str
    hosts: tuple[HostPlan, ...]
    notice: str | None = None
    made_folder: bool = False

    def host(self, name: str) -> HostPlan:
        """The host called `name`; LabError when there is none."""
        for host in self.hosts:
            if host.name == name:
                return host
        raise LabError(f"there is no host {name!r}; the lab has {', '.join(host.name for host in self.hosts)}")

    def groups(self) -> dict[str, tuple[str, ...]]:
        """Host names by group, in the order given."""
        groups: dict[str, tuple[str, ...]] = {}
        for host in self.hosts:
            groups[host.group] = (*groups.get(host.group, ()), host.name)
        return groups


def default_names(count: int) -> tuple[str, ...]:
    """`count` names, three of five in group web and the rest in group db."""
    web = -(-count * 3 // 5)
    return (*(f"web-{i:02}" for i in range(1, web + 1)), *(f"db-{i:02}" for i in range(1, count - web + 1)))


def group_of(name: str) -> str:
    """The group of a host: web-01 is in web, app-eu-3 in app_eu, and a name without a number in hosts."""
    numbered = re.fullmatch(r"([a-z].*?)-?\d+", name)
    return numbered[1].replace("-", "_") if numbered else "hosts"


def choose_extras(names: Sequence[str], asked: Mapping[str, Sequence[str]] | None) -> dict[str, tuple[str, ...]]:
    """Which host has which of the packages by choice: as asked, else by default where the default hosts exist."""
    if asked is None:
        asked = {name: DEFAULT_EXTRAS[name] for name in names if name in DEFAULT_EXTRAS}
    for host, packages in asked.items():
        _known(host, names, what="host")
        for package in packages:
            _known(package, BY_CHOICE, what="package to choose")
    return {name: tuple(sorted(set(asked.get(name, ())))) for name in names}


def plan_hosts(
    names: Sequence[str],
    *,
    ports: Sequence[int],
    extras: Mapping[str, Sequence[str]] | None,
    disks: Mapping[str, int],
    mode: Mode,
) -> tuple[HostPlan, ...]:
    """Plan the hosts `names`; LabError for a name that cannot be or a choice that names nothing."""
    check_names(names)
    chosen = choose_extras(names, extras)
    for name, size in disks.items():
        _known(name, names, what="host")
        if size < SMALLEST_DISK_MIB:
            raise LabError(f"{name}: a disk of {size} MiB is too small; give it {SMALLEST_DISK_MIB} or more")
    return tuple(
        HostPlan(
            name=name,
            port=port,
            packages=() if mode is Mode.PLAIN else (*ON_EVERY_HOST, *chosen[name]),
            disk_mib=disks.get(name, 0),
            machine_id=uuid.uuid4().hex,
        )
        for name, port in zip(names, ports, strict=True)
    )


def check_names(names: Sequence[str]) -> None:
    """LabError unless `names` are distinct host names."""
    if not names:
        raise LabError("a lab needs at least one host")
    for name in names:
        if not HOST_NAME.fullmatch(name):
            raise LabError(f"{name!r} is no host name; use small letters, digits and hyphens, such as web-01")
        if group_of(name) in names:
            raise LabError(f"{group_of(name)!r} would be a host and a group of the inventory; choose another name")
    if len(set(names)) < len(names):
        raise LabError(f"a host name is given twice: {', '.join(names)}")


def _known(name: str, known: Iterable[str], *, what: str) -> None:
    if name not in known:
        raise LabError(f"there is no {what} {name!r}; there are {', '.join(known)}")


def write_plan(path: Path, plan: LabPlan) -> None:
    """Keep `plan` as JSON for the supervisor and for later commands."""
    path.write_text(json.dumps(asdict(plan), indent=1) + "\n")


def read_plan(path: Path) -> LabPlan:
    """The plan kept in `path`; LabError when there is no lab."""
    try:
        kept = json.loads(path.read_text())
    except FileNotFoundError:
        raise LabError(
            f"{path.parent}: there is no lab here; start one with: python -m tests.lab up {path.parent}"
        ) from None
    hosts = tuple(HostPlan(**{**host, "packages": tuple(host["packages"])}) for host in kept.pop("hosts"))
    return LabPlan(**{**kept, "mode": Mode(kept["mode"]), "hosts": hosts})
