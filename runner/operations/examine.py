"""Examines this machine and this maintenance repository: each thing is well, worth a look, or a problem with its way out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial

from runner.domain.execution.guards import LEAST_FREE
from runner.domain.execution.own_ansible import AnsibleSettings
from runner.domain.settings import SecretSource
from runner.errors import FilesInvalid, Unknown, WellkeptError, count
from runner.operations.examine_content import images, requirements
from runner.operations.examined import Examined, Patient, Standing
from runner.ports import Machinery
from runner.store.execution import daemons

GIB = 1024**3
LITTLE_SPACE, TOO_LITTLE_SPACE = 2 * GIB, LEAST_FREE  # bytes
OLDEST_ANSIBLE, GIVES_PASSWORDS = (2, 16), (2, 19)
TZDATA_YEARS = 1  # whole years that zone data may be behind


def examine(patient: Patient) -> Iterator[Examined]:
    """Look at everything, one after the other; trouble with one is told, and the next is looked at all the same."""
    for what, look in LOOKS.items():
        yield from guarded(what, partial(look, patient))


def guarded(what: str, look: Callable[[], Iterator[Examined]]) -> Iterator[Examined]:
    """What one look finds; an error that has a sentence for people becomes a finding."""
    try:
        yield from look()
    except FilesInvalid as error:
        yield Examined(
            what, Standing.PROBLEM, error.summary().split(".")[0], "`wellkept validate` shows every problem."
        )
    except WellkeptError as error:
        yield Examined(what, Standing.PROBLEM, str(error))


def python(patient: Patient) -> Iterator[Examined]:
    """The Python that runs us."""
    yield Examined("Python", Standing.OK, patient.machine.python())


def ansible(patient: Patient) -> Iterator[Examined]:
    """The user's own Ansible, and ansible-runner beside us."""
    folder = patient.settings().ansible.bin
    found = patient.machine.program("ansible-playbook", folder=folder)
    if found is None:
        way_out = "Install ansible-core, or name the folder of its programs under ansible: bin: in wellkept.yml."
        yield Examined("ansible-core", Standing.PROBLEM, "ansible-playbook was not found", way_out)
    else:
        old = version_of(found.version) < OLDEST_ANSIBLE
        way_out = "Versions before 2.16 are not tested. Install a newer one." if old else ""
        standing = Standing.WARNING if old else Standing.OK
        yield Examined("ansible-core", standing, f"{found.version} ({found.path})", way_out)
    runner = patient.machine.distribution("ansible-runner")
    lost = "" if runner else "Install Wellkept's own dependencies again: pip install wellkept"
    yield Examined("ansible-runner", Standing.OK if runner else Standing.PROBLEM, runner or "not installed", lost)


def version_of(text: str) -> tuple[int, ...]:
    """The first two numbers of a version, for comparing."""
    return tuple(int(part) for part in text.split(".")[:2] if part.isdigit())


def programs(patient: Patient) -> Iterator[Examined]:
    """The programs that we call ourselves."""
    needed = {
        "ssh": (Standing.PROBLEM, "Install OpenSSH's client programs (openssh-client)."),
        "ssh-keygen": (Standing.PROBLEM, "The record is signed with it. Install OpenSSH's client programs."),
        "git": (Standing.WARNING, "Without it, runs cannot name the commit that they ran from. Install git."),
    }
    for name, (standing, way_out) in needed.items():
        found = patient.machine.program(name)
        if found:
            yield Examined(name, Standing.OK, f"{found.version} ({found.path})".strip())
        else:
            yield Examined(name, standing, "was not found", way_out)


def configuration(patient: Patient) -> Iterator[Examined]:
    """Which configuration Ansible uses, and what Wellkept adds to it."""
    chosen = patient.settings().ansible
    file = patient.machine.ansible_configuration(chosen)
    added = patient.machine.adds_to_ansible(chosen)
    yield Examined("ansible.cfg", Standing.OK, str(file) if file else "none; Ansible's own defaults hold")
    yield from (Examined("added to it", Standing.OK, words) for words in added)


def home(patient: Patient) -> Iterator[Examined]:
    """What the scheduler does not find, because it lies in the home folder of whoever types this."""
    seen = patient.machine.at_home(patient.settings().state_dir)
    if not seen.paths:
        yield Examined("home folder", Standing.OK, f"Ansible and ssh use nothing in that of {seen.user}")
    elif seen.user == seen.owner:
        yield Examined("home folder", Standing.OK, f"used in that of {seen.user}: {', '.join(seen.paths)}")
    else:
        told = f"in that of {seen.user} only, while the state folder belongs to {seen.owner}: {', '.join(seen.paths)}"
        way_out = f"Ask as the scheduler's user: sudo -u {seen.owner} wellkept doctor. Roles and ansible.cfg belong beside wellkept.yml."
        yield Examined("home folder", Standing.WARNING, told, way_out)


def files(patient: Patient) -> Iterator[Examined]:
    """The files of the maintenance repository."""
    found = patient.definitions()
    told = f"valid: {count(len(found.schedules), 'schedule')}, {count(len(found.checks), 'health check')}"
    yield Examined("files", Standing.OK, f"{told} ({patient.root})")


def inventories(patient: Patient) -> Iterator[Examined]:
    """What Ansible says about each inventory."""
    settings = patient.settings()
    for name, inventory in settings.inventories.items():
        what = f"inventory {name}"
        answer = patient.inventories().read(inventory, project=settings.root)
        if answer.errors:
            way_out = f"Look at it with: ansible-inventory -i {inventory.source} --list"
            told = "; ".join(error.removeprefix(f"{what}: ") for error in answer.errors)
            yield Examined(what, Standing.PROBLEM, told, way_out)
        elif len(answer.hosts) < inventory.min_hosts:
            way_out = "Runs are held until they are back, or min_hosts is set lower."
            yield Examined(what, Standing.WARNING, f"{count(len(answer.hosts), 'host')}, fewer than min_hosts", way_out)
        else:
            yield Examined(what, Standing.OK, count(len(answer.hosts), "host"))
    if not settings.inventories:
        yield Examined("inventory", Standing.PROBLEM, "there is none", "Name one under inventories: in wellkept.yml.")


def secrets(patient: Patient) -> Iterator[Examined]:
    """Whether each secret can be found by this user; what it is stays unsaid."""
    settings = patient.settings()
    for kind, by_name in settings.secrets.by_kind.items():
        for name, source in by_name.items():
            yield secret(patient.machine, kind, name, source)
    if settings.secrets.login:
        yield from gives_passwords(patient, settings.ansible)


def secret(machine: Machinery, kind: str, name: str, source: SecretSource) -> Examined:
    """Whether one secret can be found, and whether it is kept well."""
    what = f"secret {kind}.{name}"
    try:
        is_open = machine.secret(kind, name, source)
    except Unknown as error:
        return Examined(what, Standing.PROBLEM, f"not found by this user. {error}")
    if is_open:
        way_out = "Only the user of Wellkept needs to read it: chmod 600, and chown if need be."
        return Examined(what, Standing.WARNING, f"found, but everybody may read {source.file}", way_out)
    return Examined(what, Standing.OK, "found")


def gives_passwords(patient: Patient, chosen: AnsibleSettings) -> Iterator[Examined]:
    """Whether the user's Ansible can give passwords to ssh: it does so itself from 2.19 on, and before by sshpass."""
    ours, found = patient.machine, patient.machine.program("ansible-playbook", folder=chosen.bin)
    needed = found is not None and (
        version_of(found.version) < GIVES_PASSWORDS or ours.gives_passwords_by(chosen) == "sshpass"
    )
    if needed and ours.program("sshpass") is None:
        way_out = "Install sshpass, or ansible-core 2.19 or newer without password_mechanism in ansible.cfg."
        yield Examined("sshpass", Standing.PROBLEM, "was not found; Ansible logs in with passwords by it", way_out)


def state_folder(patient: Patient) -> Iterator[Examined]:
    """Rights and space of the state folder."""
    path = patient.settings().state_dir
    folder = patient.machine.folder(path)
    if folder is None:
        yield Examined("state folder", Standing.PROBLEM, f"{path} is not there", "`wellkept db upgrade` makes it.")
        return
    if not folder.ours:
        yield Examined("state folder", Standing.PROBLEM, f"{path} cannot be written", "Let this user write there.")
    elif folder.open_to_others:
        yield Examined("state folder", Standing.WARNING, f"{path} is open to others", f"chmod 700 {path}")
    else:
        yield Examined("state folder", Standing.OK, f"{path}, ours alone")
    yield space(folder.free_bytes)


def space(free: int) -> Examined:
    """Whether the record can grow."""
    standing = Standing.OK if free >= LITTLE_SPACE else Standing.WARNING
    standing = Standing.PROBLEM if free < TOO_LITTLE_SPACE else standing
    way_out = "" if standing is Standing.OK else "Make room: no run starts when the record cannot be written."
    return Examined("free space", standing, f"{free / GIB:.1f} GiB", way_out)


def database(patient: Patient) -> Iterator[Examined]:
    """Whether the database answers, and is ours."""
    store = patient.store()
    yield Examined("database", Standing.OK, f"answers; installation {store.installation.id}")


def signing(patient: Patient) -> Iterator[Examined]:
    """Whether the record can be signed."""
    settings = patient.settings()
    own = settings.signing_key or settings.state_dir / "signing.key"
    if settings.signing_key is None and not own.exists():
        yield Examined("signing key", Standing.OK, f"none yet; the first signature makes {own}")
        return
    patient.signer().sign(b"examined")
    yield Examined("signing key", Standing.OK, f"signs ({own})")


def clock(patient: Patient) -> Iterator[Examined]:
    """Whether times can be trusted: the clock, the zone, and what is known about zones."""
    right, zone = patient.machine.clock_is_set(), patient.settings().timezone
    words = {True: "follows a time server", False: "does NOT follow a time server", None: "this system does not say"}
    way_out = "" if right is not False else "Windows open by this clock. Switch a time service on."
    standing = Standing.WARNING if right is False else Standing.OK
    yield Examined("clock", standing, f"{words[right]}; zone {zone}", way_out)
    yield zone_data(patient.machine.tzdata(), patient.clock())


def zone_data(release: str, now: datetime) -> Examined:
    """Whether what is known about time zones is old; governments change their clocks at short notice."""
    year = int(release[:4]) if release[:4].isdigit() else 0
    if year >= now.year - TZDATA_YEARS:
        return Examined("zone data", Standing.OK, release)
    return Examined(
        "zone data", Standing.WARNING, release or "unknown", "Update tzdata of the system, or pip install -U tzdata"
    )


def daemon(patient: Patient) -> Iterator[Examined]:
    """Whether schedules run by themselves."""
    alive = patient.store().read(daemons.alive)
    if alive:
        yield Examined("daemon", Standing.OK, f"alive, process {', '.join(str(each.pid) for each in alive)}")
    else:
        yield Examined(
            "daemon", Standing.WARNING, "not running: no schedule starts by itself", "Start it: wellkept serve"
        )


def control_path(patient: Patient) -> Iterator[Examined]:
    """Whether ssh's sockets fit into the longest path that sockets may have."""
    left = patient.machine.control_path_left(patient.settings().state_dir)
    if left < 0:
        yield Examined(
            "ssh sockets", Standing.PROBLEM, f"their path is {-left} bytes too long", "Use a shorter state_dir."
        )
    else:
        yield Examined("ssh sockets", Standing.OK, f"their path is short enough ({left} bytes to spare)")


LOOKS: dict[str, Callable[[Patient], Iterator[Examined]]] = {
    "Python": python,
    "ansible-core": ansible,
    "programs": programs,
    "files": files,
    "inventory": inventories,
    "ansible.cfg": configuration,
    "requirements": requirements,
    "images": images,
    "home folder": home,
    "secrets": secrets,
    "state folder": state_folder,
    "database": database,
    "daemon": daemon,
    "signing key": signing,
    "clock": clock,
    "ssh sockets": control_path,
}
