"""What a daemon takes while nothing is due."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from tests.benchmarks.measure import WELLKEPT, environment, memory, processor_seconds, spend, table

SCHEDULES = 10
SCHEDULE = """\
schedule: idle-{n}
playbook: playbooks/facts.yml
hosts: servers
effect: change
window: {{day: last day, months: [{month}], start: "02:00", duration: 1h}}
"""
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


def measure(*, quick: bool) -> None:
    """(c) Resident memory and processor time of `wellkept serve` with ten schedules of which none is due."""
    seconds = 15 if quick else 60
    folder = Path(tempfile.mkdtemp(prefix="wk-bench-"))
    try:
        rows = served(folder / "repository", seconds)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    table(f"(c) An idle daemon with {SCHEDULES} schedules, after {seconds} s", rows)


def served(root: Path, seconds: int) -> list[tuple[str, str]]:
    """Serve for a while, and read what the kernel says."""
    spend([str(WELLKEPT), "init", str(root)])
    for path in (root / "schedules").glob("*.yml"):
        path.unlink()
    later = MONTHS[(time.gmtime().tm_mon + 4) % 12]
    for n in range(SCHEDULES):
        (root / "schedules" / f"idle-{n}.yml").write_text(SCHEDULE.format(n=n, month=later))
    with subprocess.Popen(
        [str(WELLKEPT), "-C", str(root), "serve"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=environment(),
    ) as daemon:
        try:
            time.sleep(5)
            before = processor_seconds(daemon.pid)
            time.sleep(seconds - 5)
            used = (processor_seconds(daemon.pid) - before) / (seconds - 5)
            rows = [
                ("resident now", f"{memory(daemon.pid):.0f} MiB"),
                ("resident at most", f"{memory(daemon.pid, 'VmHWM'):.0f} MiB"),
                ("processor", f"{100 * used:.1f} % of one"),
            ]
        finally:
            daemon.terminate()
    return rows
