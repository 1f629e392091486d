"""What is going on at hosts while a piece runs, as far as its events tell; some of it must not be ended half-way."""

from __future__ import annotations

from dataclasses import dataclass, field

from runner.domain.execution.outcome import Event, EventKind
from runner.domain.tickets.cause import short_module

# Modules that restart a host, or change its packages. What a playbook does by `shell` and `command` is not told by its events.
DELICATE = frozenset({
    "apk", "apt", "apt_rpm", "dnf", "dnf5", "flatpak", "homebrew", "installp", "macports", "openbsd_pkg", "opkg",
    "package", "pacman", "pkg5", "pkgin", "pkgng", "portage", "reboot", "rpm_ostree_pkg", "slackpkg", "snap",
    "sorcery", "svr4pkg", "swdepot", "urpmi", "win_chocolatey", "win_package", "win_reboot", "win_updates", "xbps",
    "yum", "zypper",
})  # fmt: skip
OVER = frozenset({EventKind.HOST_OK, EventKind.HOST_FAILED, EventKind.HOST_UNREACHABLE, EventKind.HOST_SKIPPED})


@dataclass(slots=True)
class UnderWay:
    """Host -> the module that works there now; feed it with `take`, in the order of the events."""

    modules: dict[str, str] = field(default_factory=dict)

    def take(self, event: Event) -> None:
        """One event more."""
        if event.kind is EventKind.HOST_START:
            self.modules[event.host] = short_module(event.module)
        elif event.kind in OVER:
            self.modules.pop(event.host, None)

    @property
    def is_delicate(self) -> bool:
        """Whether a package manager or a restart is under way on any host."""
        return not DELICATE.isdisjoint(list(self.modules.values()))
