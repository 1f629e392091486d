"""The unit by which systemd runs the scheduler: it waits for what is in flight, and notices when the scheduler hangs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

UNIT = """\
# Written by `wellkept doctor --systemd`. Put it to /etc/systemd/system/wellkept.service, then: systemctl enable --now wellkept
[Unit]
Description=Planned maintenance of {root}
Wants=network-online.target
After=network-online.target time-sync.target

[Service]
Type=notify
NotifyAccess=main
User={user}
ExecStart={program} -C {root} serve
Environment={path}
UMask=0077
# Only the scheduler hears SIGTERM; it lets the batch in flight finish, and nothing new begins.
KillMode=mixed
# As long as your longest batch takes, with its checks.
TimeoutStopSec=3h
TimeoutStartSec=10min
# A scheduler that hangs is ended and started again; it goes on from the record.
WatchdogSec=15min
Restart=on-failure
RestartSec=30

[Install]
WantedBy=multi-user.target
"""


@dataclass(frozen=True, slots=True)
class Place:
    """Whose scheduler it is, where its program and its maintenance repository lie, and where Ansible, ssh and git are found."""

    user: str
    program: Path
    root: Path
    path: str


def systemd_unit(place: Place) -> str:
    """The unit's text (systemd.service(5))."""
    return UNIT.format(
        user=place.user,
        program=quoted(str(place.program)).replace("$", "$$"),
        root=quoted(str(place.root)).replace("$", "$$"),
        path=quoted(f"PATH={place.path}"),
    )


def quoted(word: str) -> str:
    """One word as systemd reads it: `%` is doubled, and quotes are put where a word needs them (systemd.syntax(7)); `$` means something only in commands."""
    plain = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{plain}"' if any(sign in plain for sign in " '\";\\") else plain
