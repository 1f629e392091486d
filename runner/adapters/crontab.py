"""The crontab of the user that we run as."""

from __future__ import annotations

from collections.abc import Mapping

from runner.adapters.programs import run_program

SECONDS = 20
MOST_BYTES = 1_000_000


def own_crontab(environ: Mapping[str, str]) -> str:
    """What `crontab -l` prints; empty when there is none, or no cron on this machine."""
    try:
        ran = run_program(["crontab", "-l"], environ=environ, time_limit=SECONDS, most_bytes=MOST_BYTES)
    except OSError:
        return ""
    return ran.stdout if ran.succeeded else ""
