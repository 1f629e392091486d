"""What a daemon with many schedules and a long horizon takes: its start, its first ledger, and its memory."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from tests.benchmarks.measure import WELLKEPT, environment, memory, spend, table

HORIZON = "365d"
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
PATCH = "schedule: patch-{n}\nowner: admin\nwhy: Closes known holes.\nplaybook: playbooks/facts.yml\nhosts: servers\neffect: change\nwindow: {window}\n"
WEEKLY = '{{day: {day}, start: "{hour:02}:{minute:02}", duration: 2h}}'
MONTHLY = '{{day: day {date}, start: "{hour:02}:{minute:02}", duration: 2h, cutoff: 30m}}'
SETTLING = 15  # seconds of ordinary beats before memory is looked at
LONGEST = 1800  # seconds that a loaded machine may take to write the ledger


def measure(number: int, *, quick: bool) -> None:
    """The real `wellkept serve`, in a process of its own; half of the schedules are weekly, half monthly."""
    folder = Path(tempfile.mkdtemp(prefix="wk-bench-"))
    try:
        root = laid_out(folder / "repository", number)
        rows = [
            ("wellkept validate", f"{spend([str(WELLKEPT), '-C', str(root), 'validate']).wall:.1f} s"),
            *served(root, number),
        ]
    finally:
        for each in [Path(where) for where, _, _ in os.walk(folder)]:
            each.chmod(0o700)  # snapshots are read-only
        shutil.rmtree(folder, ignore_errors=True)
    table(f"(e) A daemon with {number:,} schedules, half weekly, half monthly, {HORIZON} ahead", rows)


def laid_out(root: Path, number: int) -> Path:
    """A repository as `wellkept init` makes it, with other schedules."""
    spend([str(WELLKEPT), "init", str(root)])
    for path in (root / "schedules").glob("*.yml"):
        path.unlink()
    settings = root / "wellkept.yml"
    settings.write_text(f"{settings.read_text()}\nhorizon: {HORIZON}\n")
    for n in range(number):
        rule = WEEKLY if n % 2 else MONTHLY
        window = rule.format(day=WEEKDAYS[n % 7], date=1 + n % 28, hour=n % 24, minute=n % 60)
        (root / "schedules" / f"patch-{n}.yml").write_text(PATCH.format(n=n, window=window))
    return root


def served(root: Path, number: int) -> list[tuple[str, str]]:
    """Serve until the ledger is written, and read what the kernel says."""
    database = next((root / "var").glob("*.db"))
    began = time.monotonic()
    with subprocess.Popen(
        [str(WELLKEPT), "-C", str(root), "serve"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=environment(),
    ) as daemon:
        try:
            first = until(lambda: written(database) > 0, began)
            whole = until(lambda: schedules_in(database) == number, began)
            time.sleep(SETTLING)
            return [
                ("from the start to the first slots", f"{first:.1f} s"),
                (f"until all {written(database):,} slots are written, beside its beats", f"{whole:.0f} s"),
                ("resident then", f"{memory(daemon.pid):.0f} MiB"),
                ("resident at most", f"{memory(daemon.pid, 'VmHWM'):.0f} MiB"),
            ]
        finally:
            daemon.terminate()


def until(reached: Callable[[], bool], began: float) -> float:
    """Wait for something; seconds since the beginning."""
    while not reached():
        if time.monotonic() - began > LONGEST:
            raise SystemExit(f"the ledger was not written within {LONGEST} s")
        time.sleep(0.5)
    return time.monotonic() - began


def written(database: Path) -> int:
    """How many slots there are."""
    return asked(database, "SELECT count(*) FROM slots")


def schedules_in(database: Path) -> int:
    """How many schedules have slots."""
    return asked(database, "SELECT count(DISTINCT schedule) FROM slots")


def asked(database: Path, question: str) -> int:
    """A number from the database, beside the daemon."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        number: int = connection.execute(question).fetchone()[0]
    return number
