"""Bring a lab to life: check the folder, make keys, packages, templates and hosts' files, and start the guard."""

import contextlib
import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from tests.lab.errors import LabError
from tests.lab.guard import LOCK, LOG, STATE, clear, made_by_lab, take_lock
from tests.lab.inventory import write_inventory, write_known_hosts
from tests.lab.machine import choose_mode, login_name, require_programs, ssh_version
from tests.lab.packages import NEW, ON_EVERY_HOST
from tests.lab.plan import HostPlan, LabPlan, Mode, check_names, default_names, plan_hosts, write_plan
from tests.lab.ports import held_ports, port_of
from tests.lab.repository import make_repository
from tests.lab.sshd import make_key, prepare_sshd
from tests.lab.template import make_templates, put_root, template_for

CHECKOUT = Path(__file__).resolve().parents[2]
FIRST_WITH_PENALTIES = (9, 8)  # the OpenSSH that brought PerSourcePenalties


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the caller wants: `extras` None means the default ones, `disks` are sizes in MiB, `offer` a version."""

    names: Sequence[str] = default_names(5)
    extras: Mapping[str, Sequence[str]] | None = None
    disks: Mapping[str, int] = field(default_factory=dict)
    offer: str = NEW
    plain: bool = False
    first_port: int | None = None


def start(folder: Path, wishes: Wishes, *, owner: int) -> LabPlan:
    """Start a lab in `folder` that ends with the process `owner`; its hosts are still booting on return."""
    _check_folder(folder)
    check_names(wishes.names)
    mode, notice = choose_mode(plain=wishes.plain)
    require_programs(mode)
    login = login_name()
    existed = folder.exists()
    lock = take_lock(folder)
    if lock is None:
        raise LabError(f"{folder}: this lab is up already; end it with: python -m tests.lab down {folder}")
    try:
        made_folder = not existed or made_by_lab(folder)
        with held_ports(len(wishes.names), first=wishes.first_port) as ports:
            hosts = plan_hosts(
                wishes.names,
                ports=[port_of(port) for port in ports],
                extras=wishes.extras,
                disks=wishes.disks,
                mode=mode,
            )
            plan = LabPlan(mode=mode, login=login, hosts=hosts, notice=notice, made_folder=made_folder)
            clear(folder, keep_lock=True)  # what a killed lab may have left
            _prepare(folder, plan, offer=wishes.offer)
            _launch_guard(folder, lock=lock, owner=owner, ports=[port.fileno() for port in ports])
    except BaseException:
        clear(folder)
        if not existed:
            with contextlib.suppress(OSError):  # gone already
                folder.rmdir()
        raise
    finally:
        os.close(lock)
    return plan


def _check_folder(folder: Path) -> None:
    if re.search(r"[^\w./+=@,-]", str(folder)):
        raise LabError(
            f"{folder}: a lab's folder may have only letters, digits and ._/+=@,- in its path; choose another"
        )
    if folder.exists() and not folder.is_dir():
        raise LabError(f"{folder}: is not a folder; choose another")
    if folder.is_dir() and any(folder.iterdir()) and not (folder / LOCK).exists():
        raise LabError(f"{folder}: is not empty and holds no lab; choose another or an empty folder")


def _prepare(folder: Path, plan: LabPlan, *, offer: str) -> None:
    write_plan(folder / STATE, plan)
    make_key(folder / "id", comment="lab")
    (folder / "repo").mkdir()
    kinds = [host.packages for host in plan.hosts]
    if plan.mode is Mode.PLAIN and os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # root's sshd insists on it, also outside a service
    if plan.mode is not Mode.PLAIN:
        names = dict.fromkeys([*ON_EVERY_HOST, *(name for kind in kinds for name in kind)])
        make_repository(folder / "repo", names, offer=offer)
        make_templates(folder / "templates", kinds, repo=folder / "repo")
    public_key = (folder / "id.pub").read_text()
    penalties = ssh_version() >= FIRST_WITH_PENALTIES

    def prepare(host: HostPlan) -> None:
        place = folder / "hosts" / host.name
        place.mkdir(parents=True)
        prepare_sshd(place, host, mode=plan.mode, penalties=penalties, public_key=public_key)
        if plan.mode is not Mode.PLAIN:
            template = template_for(folder / "templates", host.packages)
            put_root(place / "root", host, template=template)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(prepare, plan.hosts))
    write_known_hosts(folder / "known_hosts", plan)
    write_inventory(folder / "inventory.yml", plan)


def _launch_guard(folder: Path, *, lock: int, owner: int, ports: Sequence[int]) -> None:
    watched = _watch(owner)
    try:
        descriptors = [lock, watched, *ports]
        command = [sys.executable, "-m", "tests.lab", "_guard", str(folder), *map(str, descriptors)]
        with (folder / LOG).open("ab") as log:
            subprocess.run(
                command,
                check=True,
                cwd=CHECKOUT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=descriptors,
                start_new_session=True,
            )
    finally:
        os.close(watched)


def _watch(owner: int) -> int:
    try:
        return os.pidfd_open(owner)
    except OSError as problem:
        raise LabError(f"owner {owner}: there is no such process to watch ({problem.strerror})") from None
