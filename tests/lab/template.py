"""The private part of a host's root: made once as a template with its packages installed, copied for each host."""

import os
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

from tests.lab.errors import LabError
from tests.lab.packages import OLD, ON_EVERY_HOST, PACKAGES
from tests.lab.plan import HostPlan
from tests.lab.repository import SOURCES

FOLDERS = [
    "dev",
    "etc/apt/apt.conf.d",
    "etc/apt/preferences.d",
    "etc/apt/sources.list.d",
    "etc/init.d",
    "etc/ssh",
    "home",
    "opt",
    "proc",
    "root/.ssh",
    "run",
    "srv/repo",
    "sys",
    "tmp",
    "usr",
    "local/bin",
    "local/sbin",
    "var/cache/apt/archives/partial",
    "var/lib/apt/lists/partial",
    "var/lib/dpkg/info",
    "var/lib/dpkg/triggers",
    "var/lib/dpkg/updates",
    "var/log/apt",
    "var/spool",
    "var/tmp",
]

LINKS = ["bin", "sbin", "lib", "lib32", "lib64", "libx32"]

OF_THE_MACHINE = [
    "alternatives",
    "bash.bashrc",
    "debconf.conf",
    "debian_version",
    "default",
    "dpkg",
    "environment",
    "host.conf",
    "ld.so.cache",
    "ld.so.conf",
    "ld.so.conf.d",
    "localtime",
    "login.defs",
    "lsb-release",
    "nsswitch.conf",
    "os-release",
    "pam.conf",
    "pam.d",
    "profile",
    "protocols",
    "python3*",
    "security",
    "services",
    "shells",
    "ssl/openssl.cnf",
    "timezone",
]

SHUTDOWN = """#!/bin/sh
# Reboots this lab host: stops its first process, and the supervisor starts the host again with a new boot id.
echo "$(date -u +%FT%TZ) shutdown $*" >> /var/log/shutdown.log
trap "" HUP
setsid sh -c "sleep 0.5; kill -TERM 1" > /dev/null 2>&1 < /dev/null &
"""

TEXTS = {
    "etc/apt/sources.list": SOURCES,
    "etc/apt/apt.conf.d/99lab": (
        'APT::Sandbox::User "root";\nAPT::Install-Recommends "0";\nAcquire::Languages "none";\n'
        'DPkg::Options { "--force-unsafe-io"; };\n'
    ),
    "etc/passwd": (
        "root:x:0:0:root:/root:/bin/bash\n"
        "_apt:x:100:65534::/nonexistent:/usr/sbin/nologin\n"
        "sshd:x:101:65534::/run/sshd:/usr/sbin/nologin\n"
        "ops:x:1000:1000:a person without rights:/tmp:/bin/sh\n"
        "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n"
    ),
    "etc/group": "root:x:0:\nadm:x:4:\ntty:x:5:\nutmp:x:43:\nops:x:1000:\nnogroup:x:65534:\n",
    "etc/shadow": "root:*:19000:0:99999:7:::\nops:*:19000:0:99999:7:::\n",
    "local/sbin/shutdown": SHUTDOWN,
    **{f"var/lib/dpkg/{name}": "" for name in ("arch", "available", "diversions", "statoverride", "status")},
}


def make_templates(folder: Path, kinds: Iterable[tuple[str, ...]], *, repo: Path) -> None:
    """Make one template below `folder` for each set of packages, all in their old version."""
    skeleton = folder / "skeleton"
    _make_skeleton(skeleton)
    _install(skeleton, ON_EVERY_HOST, repo=repo)
    for packages in dict.fromkeys(kinds):
        target = template_for(folder, packages)
        copy_tree(skeleton, target)
        _install(target, [name for name in packages if name not in ON_EVERY_HOST], repo=repo)


def template_for(folder: Path, packages: tuple[str, ...]) -> Path:
    """Where the template of hosts with `packages` lies."""
    extras = [name for name in packages if name not in ON_EVERY_HOST]
    return folder / "-".join(["host", *extras])


def copy_tree(source: Path, target: Path) -> None:
    """Copy a tree as it is, rights and links included."""
    target.mkdir(parents=True)
    subprocess.run(["cp", "-a", "--reflink=auto", f"{source}/.", str(target)], check=True)


def put_root(root: Path, host: HostPlan, *, template: Path) -> None:
    """Put a fresh root at `root`: the template, with the host's own name and machine id."""
    shutil.rmtree(root, ignore_errors=True)
    copy_tree(template, root)
    (root / "etc/hostname").write_text(f"{host.name}\n")
    (root / "etc/hosts").write_text(f"127.0.0.1 localhost {host.name}\n")
    (root / "etc/machine-id").write_text(f"{host.machine_id}\n")


def _make_skeleton(root: Path) -> None:
    for name in FOLDERS:
        (root / name).mkdir(parents=True, exist_ok=True)
    for name in ("tmp", "var/tmp"):
        (root / name).chmod(0o1777)
    for name in ("root", "root/.ssh"):
        (root / name).chmod(0o700)
    for name in LINKS:
        if Path("/", name).is_symlink():
            (root / name).symlink_to(f"usr/{name}")
    (root / "var/run").symlink_to("/run")
    (root / "var/lock").symlink_to("/run/lock")
    _copy_machine_settings(root)
    for name, text in TEXTS.items():
        (root / name).write_text(text)
    (root / "etc/shadow").chmod(0o600)
    (root / "local/sbin/shutdown").chmod(0o755)


def _copy_machine_settings(root: Path) -> None:
    found = [str(path) for pattern in OF_THE_MACHINE for path in Path("/etc").glob(pattern)]
    command = ["cp", "-a", "--parents", "--no-preserve=ownership", *found, str(root)]
    # A plain user may not read every file below /etc/security; the hosts do without those.
    subprocess.run(command, check=False, stderr=subprocess.DEVNULL)


def _install(root: Path, names: Iterable[str], *, repo: Path) -> None:
    packages = [PACKAGES[name] for name in names]
    if not packages:
        return
    debs = [str(repo / package.suite / package.file_name(OLD)) for package in packages]
    forced = ["--force-not-root", "--force-script-chrootless", "--force-unsafe-io"]
    _dpkg(root, *forced, "--no-triggers", "--log=/dev/null", "--install", *debs)
    if held := [package.name for package in packages if package.held]:
        _dpkg(root, "--set-selections", text="".join(f"{name} hold\n" for name in held))
    for package in packages:
        for name, text in package.leftovers.items():
            path = root / name.lstrip("/")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)


def _dpkg(root: Path, *arguments: str, text: str | None = None) -> None:
    path = os.pathsep.join(["/usr/sbin", "/usr/bin", "/sbin", "/bin"])
    command = ["dpkg", f"--root={root}", *arguments]
    answer = subprocess.run(
        command,
        check=False,
        input=text or "",
        capture_output=True,
        text=True,
        env={**os.environ, "PATH": path, "LC_ALL": "C"},
    )
    if answer.returncode:
        raise LabError(f"{root}: dpkg could not fill the template: {answer.stderr.strip()}")
