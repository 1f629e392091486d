"""Ends the containers that pieces run in, whatever became of those who started them; standard library only, since the leash does it, too.

A container does not always hang on whoever started it: an engine may hand it to a service of its own. So before a piece starts, a note is left of how its
container is removed: the leash does that after its sweep, the feeder when the leash is dead, and whoever looks for strays when all of them are.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Sequence

REMOVED_WITHIN = 30.0  # seconds; an engine that takes longer leaves the piece in doubt


# Docker's `rm --force` kills at once by itself, and has nothing against a container that is not there.
REMOVALS = {"podman": ("rm", "--force", "--ignore", "--time", "0"), "docker": ("rm", "--force")}


def removal(engine: str, name: str) -> list[str]:
    """The command that kills a container at once and removes it; it succeeds as well when there is none."""
    return [engine, *REMOVALS[engine], name]


def remove_container(argv: Sequence[str], *, between: Callable[[], object]) -> list[tuple[int, str]]:
    """Remove a piece's container, if it has one; gives it, as a process that could not be ended, when that fails. `between` is called meanwhile."""
    if not argv:
        return []
    until = time.monotonic() + REMOVED_WITHIN
    try:
        process = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
    except OSError as error:
        return [(0, f"container {argv[-1]}: {argv[0]} cannot be started: {error.strerror}")]
    while process.poll() is None and time.monotonic() < until:
        between()
        time.sleep(0.02)
    if process.poll() is None:
        process.kill()
        process.wait()
    return (
        [] if process.returncode == 0 else [(0, f"container {argv[-1]}: {argv[0]} rm ended with {process.returncode}")]
    )
