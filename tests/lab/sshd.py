"""The SSH server of one host: its key, its configuration, and for those outside the host's root the way into it."""

import subprocess
from pathlib import Path

from tests.lab.machine import program
from tests.lab.plan import HostPlan, Mode
from tests.lab.ports import ADDRESS

HOST_KEY = "ssh_host_ed25519_key"
DOOR_KEYS = "authorized_keys"  # beside the host key: outside the root that a reset throws away
SFTP_SERVERS = ("/usr/lib/openssh/sftp-server", "/usr/libexec/openssh/sftp-server", "/usr/lib/ssh/sftp-server")

INTO_THE_HOST = """#!/bin/sh
# Forced command: runs what was asked inside the host, as its root.
if [ -n "${{SSH_ORIGINAL_COMMAND:-}}" ]; then set -- -c "$SSH_ORIGINAL_COMMAND"; else set -- -l; fi
exec {nsenter} --target "$(cat {host}/pid)" --user --mount --uts --ipc --pid --preserve-credentials --root --wd \\
    env --ignore-environment --chdir=/root HOME=/root USER=root LOGNAME=root SHELL=/bin/bash TERM="${{TERM:-dumb}}" \\
    PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive /bin/bash "$@"
"""

INTO_ITS_HOME = """#!/bin/sh
# Forced command: runs what was asked in the host's own home folder on this machine.
# apt is led to a folder that is not there: a playbook for lab hosts must never patch the machine they share.
if [ -n "${{SSH_ORIGINAL_COMMAND:-}}" ]; then set -- -c "$SSH_ORIGINAL_COMMAND"; else set -- -l; fi
cd {host}/home
HOME={host}/home APT_CONFIG={host}/apt.conf exec /bin/sh "$@"
"""

NO_APT = 'Dir "{host}/no-apt-here/";\nDir::Bin::dpkg "/bin/false";\n'


def make_key(path: Path, *, comment: str) -> None:
    """Make a fresh key pair without a passphrase at `path`."""
    path.unlink(missing_ok=True)
    command = [program("ssh-keygen"), "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", str(path)]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)


def prepare_sshd(folder: Path, host: HostPlan, *, mode: Mode, penalties: bool, public_key: str) -> None:
    """Write what the SSH server of `host` needs into the host's `folder`; `penalties`: this OpenSSH knows that word."""
    (folder / "ssh").mkdir()
    (folder / "ssh" / DOOR_KEYS).write_text(public_key)
    make_key(folder / "ssh" / HOST_KEY, comment=host.name)
    lines = [*_common_lines(host, penalties=penalties), *(_inside() if mode is Mode.ROOT else _outside(folder))]
    (folder / "ssh" / "sshd_config").write_text("\n".join(lines) + "\n")
    if mode is Mode.USER:
        _write_script(folder / "enter", INTO_THE_HOST.format(host=folder, nsenter=program("nsenter")))
    if mode is Mode.PLAIN:
        (folder / "home").mkdir()
        (folder / "apt.conf").write_text(NO_APT.format(host=folder))
        _write_script(folder / "enter", INTO_ITS_HOME.format(host=folder))


def _write_script(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)


def _common_lines(host: HostPlan, *, penalties: bool) -> list[str]:
    lines = [
        f"ListenAddress {ADDRESS}:{host.port}",
        "PidFile none",
        "StrictModes no",
        "UsePAM no",
        "PasswordAuthentication no",
        "KbdInteractiveAuthentication no",
        "PermitRootLogin prohibit-password",
        "UseDNS no",
        "PrintMotd no",
        "PrintLastLog no",
        "MaxStartups 200",
        "MaxSessions 50",
    ]
    # All callers share one address here, so one bad caller would lock out the others.
    return [*lines, "PerSourcePenalties no"] if penalties else lines


def _inside() -> list[str]:
    return [
        f"HostKey /etc/ssh/{HOST_KEY}",
        f"AuthorizedKeysFile /etc/ssh/{DOOR_KEYS}",
        "Subsystem sftp internal-sftp",
        "SetEnv DEBIAN_FRONTEND=noninteractive",
    ]


def _outside(folder: Path) -> list[str]:
    sftp = next((path for path in SFTP_SERVERS if Path(path).exists()), SFTP_SERVERS[0])
    return [
        f"HostKey {folder}/ssh/{HOST_KEY}",
        f"AuthorizedKeysFile {folder}/ssh/{DOOR_KEYS}",
        f"Subsystem sftp {sftp}",
        f"ForceCommand {folder}/enter",
        "PermitTTY no",
    ]
