"""Starts a process of our own that outlives the command that started it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path


def start_detached(arguments: Sequence[str], *, log: Path) -> int:
    """Start `wellkept ARGUMENTS` in a session of its own, with its words in `log` (0600); gives its pid."""
    log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        process = subprocess.Popen(
            [sys.executable, "-m", "runner", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=handle,
            stderr=handle,
            start_new_session=True,
            env={**os.environ, "PYTHONPATH": python_path()},
        )
    finally:
        os.close(handle)
    return process.pid


def python_path() -> str:
    """Where the child finds this very package, also from a checkout."""
    own = str(Path(__file__).parents[2])
    given = os.environ.get("PYTHONPATH")
    return f"{own}{os.pathsep}{given}" if given else own
