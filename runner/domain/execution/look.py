"""What a host is at one moment, from the text of the look that ran there, and which packages changed between two looks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

INSTALLED = "i"  # dpkg's second letter: n not there, c configuration files, H half-installed, U unpacked, F half-configured, W and t triggers, i installed
ABSENT = frozenset("nc")
HELD = "h"
RUNNING = "running"


class UnreadableLookError(ValueError):
    """The text is not a whole look; the message says what is missing."""


@dataclass(frozen=True, slots=True)
class HostLook:
    """A host at one moment.

    `packages` maps each properly installed package to its version (several versions of one name are joined by a comma); `broken` are those that are not
    properly installed, `held` those that stay at their version. `busy` says in words what must not be disturbed: package managers, locks, modules of ours.
    `services` maps each service that starts with the system, and runs or is about to, to `running` or `starting`.
    `free_bytes` maps `/` and `/var` to the free space of their file systems. `uptime` is in seconds. A text is empty where the host could not tell.
    """

    machine_id: str = ""
    boot_id: str = ""
    system: str = ""
    kernel: str = ""
    uptime: float = 0.0
    reboot_required: bool = False
    reboot_packages: tuple[str, ...] = ()
    packages: Mapping[str, str] = field(default_factory=dict)
    broken: tuple[str, ...] = ()
    held: tuple[str, ...] = ()
    busy: tuple[str, ...] = ()
    free_bytes: Mapping[str, int] = field(default_factory=dict)
    services: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_quiet(self) -> bool:
        """Whether nothing goes on there that must not be disturbed."""
        return not self.busy


@dataclass(frozen=True, slots=True, order=True)
class PackageChange:
    """One package before and after; None where it was not properly installed."""

    name: str
    before: str | None
    after: str | None


def read_look(text: str) -> HostLook:
    """The look that a host printed; UnreadableLookError when its last line is missing, since a list that was cut off would read as packages removed."""
    sections = parted(text)
    if "end" not in sections:
        raise UnreadableLookError("the look was cut off: its last line, `@@ end`, is missing. Look at the host again.")
    rows = [row for row in (line.split("\t") for line in sections.get("packages", ())) if len(row) == 3]  # noqa: PLR2004
    return HostLook(
        machine_id=first(sections.get("machine")),
        boot_id=first(sections.get("boot")),
        system=first(sections.get("system")),
        kernel=first(sections.get("kernel")),
        uptime=number(first(sections.get("uptime"))),
        reboot_required="required" in sections.get("reboot", ()),
        reboot_packages=tuple(sorted(set(sections.get("reboot-packages", ())))),
        packages=installed(rows),
        broken=tuple(sorted({name for status, name, _ in rows if is_broken(status)})),
        held=tuple(sorted({*sections.get("held", ()), *(name for status, name, _ in rows if status.startswith(HELD))})),
        busy=tuple(sections.get("busy", ())),
        free_bytes=free_space(sections.get("free", ())),
        services=dict(pairs(sections.get("services", ()))),
    )


def parted(text: str) -> dict[str, list[str]]:
    """The lines of each section, without empty ones; a section begins with `@@ NAME`."""
    sections: dict[str, list[str]] = {}
    lines: list[str] = []
    for line in text.splitlines():
        if line.startswith("@@ "):
            lines = sections.setdefault(line[3:].strip(), [])
        elif line.strip():
            lines.append(line.rstrip())
    return sections


def first(lines: Sequence[str] | None) -> str:
    """The first line of a section; empty where there is none."""
    return lines[0].strip() if lines else ""


def number(text: str) -> float:
    """A number of seconds; 0 where the host did not tell."""
    try:
        return float(text)
    except ValueError:
        return 0.0


def is_broken(status: str) -> bool:
    """Whether dpkg's three letters (wanted, present, error) speak of a package that is there, but not properly."""
    return (status[1:2] not in ABSENT and status[1:2] != INSTALLED) or bool(status[2:].strip())


def installed(rows: Iterable[Sequence[str]]) -> dict[str, str]:
    """Versions of the properly installed packages, by name."""
    versions: dict[str, list[str]] = {}
    for status, name, version in rows:
        if status[1:2] == INSTALLED and not is_broken(status):
            versions.setdefault(name, []).append(version)
    return {name: ", ".join(sorted(found)) for name, found in sorted(versions.items())}


def free_space(lines: Iterable[str]) -> dict[str, int]:
    """Free bytes by path, from lines of kilobytes and path."""
    rows = (line.partition("\t") for line in lines)
    return {path: int(kilobytes) * 1024 for kilobytes, _, path in rows if kilobytes.isdigit()}


def pairs(lines: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Name and value of lines that have both."""
    for line in lines:
        name, _, value = line.partition("\t")
        if name and value:
            yield name, value


def was_rebooted(before: HostLook, after: HostLook) -> bool:
    """Whether the host was started anew between two looks."""
    return bool(before.boot_id and after.boot_id) and before.boot_id != after.boot_id


def not_running_again(before: HostLook, after: HostLook) -> tuple[str, ...]:
    """The services that ran before a restart of the host and do not run after it, nor are about to.

    One that the work removed on purpose is among them: a person has to tell that from one that is missing.
    """
    if not was_rebooted(before, after):
        return ()
    return tuple(
        sorted(name for name, state in before.services.items() if state == RUNNING and name not in after.services)
    )


def packages_changed(before: HostLook, after: HostLook) -> tuple[PackageChange, ...]:
    """Every package whose properly installed version is another one now, by name; what Ansible called changed plays no part."""
    names = sorted({*before.packages, *after.packages})
    changes = (PackageChange(name, before.packages.get(name), after.packages.get(name)) for name in names)
    return tuple(change for change in changes if change.before != change.after)
