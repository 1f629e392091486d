"""The lab's own Debian packages: what each one is for, and how its .deb is built."""

import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.lab.errors import LabError

OLD, NEW = "1.0", "1.1"

LABSVC_INIT = """#!/bin/sh
### BEGIN INIT INFO
# Provides:          labsvc
# Required-Start:
# Required-Stop:
# Default-Start:     2 3 4 5
# Default-Stop:      0 1 6
# Short-Description: a service that only sleeps
### END INIT INFO
PIDFILE=/run/labsvc.pid
case "$1" in
    start) start-stop-daemon --start --oknodo --quiet --background --make-pidfile --pidfile $PIDFILE \\
               --startas /usr/bin/sleep -- infinity ;;
    stop) start-stop-daemon --stop --oknodo --quiet --remove-pidfile --pidfile $PIDFILE ;;
    restart|force-reload) "$0" stop; "$0" start ;;
    status) start-stop-daemon --status --pidfile $PIDFILE ;;
    *) echo "usage: $0 start|stop|restart|status" >&2; exit 2 ;;
esac
"""

ASK_FOR_REBOOT = """mkdir -p /run
echo "*** System restart required ***" > /run/reboot-required
echo labkernel >> /run/reboot-required.pkgs"""

FAIL_WHILE_LEGACY_DATA_IS_THERE = """if [ -e /etc/labbroken/legacy-data ]; then
    echo "labbroken: cannot migrate /etc/labbroken/legacy-data: unknown format 0" >&2
    echo "labbroken: move that file away, then run: dpkg --configure -a" >&2
    exit 1
fi"""

SLEEP_AS_TOLD = 'sleep "$(cat /etc/labslow/seconds 2>/dev/null || echo 20)"'


@dataclass(frozen=True, slots=True)
class Package:
    """One package in its versions: what it carries, needs and does when it is configured on a host."""

    name: str
    purpose: str
    versions: tuple[str, ...] = (OLD, NEW)
    security: bool = False
    held: bool = False
    depends: Mapping[str, str] = field(default_factory=dict)
    postinst: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    conffiles: tuple[str, ...] = ()
    leftovers: Mapping[str, str] = field(default_factory=dict)
    blob_mib: int = 0

    @property
    def suite(self) -> str:
        """Which of the two repositories offers it."""
        return "security" if self.security else "main"

    def file_name(self, version: str) -> str:
        """The name of its .deb."""
        return f"{self.name}_{version}_all.deb"

    def control(self, version: str) -> str:
        """Its control file, without a final line end."""
        needs = f"\nDepends: {self.depends[version]}" if version in self.depends else ""
        return (
            f"Package: {self.name}\nVersion: {version}\nArchitecture: all\nSection: admin\nPriority: optional\n"
            f"Maintainer: Lab <lab@example.invalid>{needs}\nDescription: {self.purpose}"
        )


PACKAGES: dict[str, Package] = {
    package.name: package
    for package in (
        Package("labapp", "an ordinary update"),
        Package(
            "labconf",
            "an update with a configuration file",
            files={"/etc/labconf.conf": "version={version}\n"},
            conffiles=("/etc/labconf.conf",),
        ),
        Package("labdep", "an update that needs a new package", depends={NEW: "labnewdep"}),
        Package("labheld", "an update that the host holds back", held=True),
        Package("labnewdep", "the new package that labdep needs", versions=(NEW,)),
        Package("labsec", "a security update", security=True),
        Package(
            "labsvc",
            "an update of a running service",
            files={"/etc/init.d/labsvc": LABSVC_INIT},
            postinst=dict.fromkeys((OLD, NEW), "/etc/init.d/labsvc restart"),
        ),
        Package("labkernel", "a security update that asks for a reboot", security=True, postinst={NEW: ASK_FOR_REBOOT}),
        Package(
            "labbroken",
            "an update whose own script fails until someone mends the host",
            postinst={NEW: FAIL_WHILE_LEGACY_DATA_IS_THERE},
            leftovers={"/etc/labbroken/legacy-data": "format=0\n"},
        ),
        Package(
            "labslow",
            "an update that takes /etc/labslow/seconds",
            postinst={NEW: SLEEP_AS_TOLD},
            leftovers={"/etc/labslow/seconds": "20\n"},
        ),
        Package("labbig", "an update that is too big for a small disk", blob_mib=24),
    )
}

ON_EVERY_HOST = ("labapp", "labconf", "labdep", "labheld", "labsec", "labsvc")
BY_CHOICE = ("labbig", "labbroken", "labkernel", "labslow")


def build(package: Package, version: str, target: Path) -> None:
    """Make `package` in `version` as a .deb in the folder `target`."""
    tree = target / f".{package.name}_{version}"
    _lay_out(package, version, tree)
    _write_scripts(package, version, tree / "DEBIAN")
    deb = target / package.file_name(version)
    command = ["dpkg-deb", "--root-owner-group", "-Znone", "--build", str(tree), str(deb)]
    answer = subprocess.run(command, check=False, capture_output=True, text=True)
    shutil.rmtree(tree)
    if answer.returncode:
        raise LabError(f"{deb}: dpkg-deb could not build it: {answer.stderr.strip()}")


def _lay_out(package: Package, version: str, tree: Path) -> None:
    contents = {f"/opt/{package.name}/VERSION": "{version}\n", **package.files}
    for name, text in contents.items():
        path = tree / name.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.replace("{version}", version))
        path.chmod(0o755 if "/init.d/" in name else 0o644)
    if package.blob_mib and version == NEW:
        (tree / f"opt/{package.name}/blob").write_bytes(b"\1" * (package.blob_mib << 20))


def _write_scripts(package: Package, version: str, control: Path) -> None:
    control.mkdir()
    (control / "control").write_text(package.control(version) + "\n")
    if package.conffiles:
        (control / "conffiles").write_text("".join(f"{name}\n" for name in package.conffiles))
    if script := package.postinst.get(version):
        path = control / "postinst"
        # With DPKG_ROOT set, dpkg is filling a template and the script runs on this machine: it must do nothing.
        path.write_text(f'#!/bin/sh\nset -e\n[ "$1" = configure ] || exit 0\n[ -z "$DPKG_ROOT" ] || exit 0\n{script}\n')
        path.chmod(0o755)
