"""What one beat costs with many schedules."""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
from datetime import timedelta
from pathlib import Path

from runner.config import read
from runner.operations.time.keep_ledger import Kept, keep_ledger
from runner.operations.time.tick import tick
from runner.store.execution import runs
from tests.benchmarks.measure import spread, table, timed
from tests.operations.a_site import SATURDAY_NIGHT, a_bench

DUE = 3
WEEKLY = "schedule: patch-{n}\nowner: ops\nwhy: Closes known holes.\nplaybook: playbooks/patch.yml\nhosts: web-0{host}\nwindow: {window}\n"


def measure(*, quick: bool) -> None:
    """(e) Ansible and its inventory are scripted here; files, rules, ledger, snapshots and database are real."""
    number = 100 if quick else 1000
    logging.disable(logging.WARNING)
    folder = Path(tempfile.mkdtemp(prefix="wk-bench-"))
    try:
        rows = ticked(folder, number)
    finally:
        subfolders = [Path(where) for where, _, _ in os.walk(folder)]
        for each in subfolders:
            each.chmod(0o700)  # snapshots are read-only
        shutil.rmtree(folder, ignore_errors=True)
        logging.disable(logging.NOTSET)
    table(
        f"(e) {number:,} schedules, of which {DUE} are due", rows, note="Without the time that ansible-inventory takes."
    )


def ticked(root: Path, number: int) -> list[tuple[str, str]]:
    """Write the schedules down, keep the ledger, and beat."""
    windows = 'windows:\n  due: {day: saturday, start: "22:15", until: "04:00"}\n  later: {day: sunday, start: "22:00", until: "04:00"}\n'
    (root / "schedules").mkdir(parents=True)
    for n in range(number):
        text = WEEKLY.format(n=n, host=1 + n % 3, window="due" if n < DUE else "later")
        (root / "schedules" / f"patch-{n}.yml").write_text(text)
    unused = "schedule: patch\nplaybook: playbooks/patch.yml\nhosts: all\nenabled: false\nwindow: later\n"
    bench = a_bench(root, windows=windows, schedule=unused)
    bench.time.now = SATURDAY_NIGHT - timedelta(hours=1)
    site = bench.site

    def beat() -> None:
        tick(site=site, dispatcher=bench.dispatcher, started=bench.time.now, kept=bench.kept)

    def keep() -> None:
        keep_ledger(site.current(), site=site, kept=bench.kept)

    rows = [
        ("read the files", spread([timed(lambda: read(root, environ=os.environ))])),
        ("write the ledger, 90 days ahead", spread([timed(keep)])),
        ("look at it again, its entries being ours", spread([timed(keep)], digits=3)),
        ("keep the ledger, nothing new", spread([timed(keep) for _ in range(5)], digits=3)),
    ]
    bench.kept = Kept()
    rows.append(("keep the ledger after a restart", spread([timed(keep)])))
    beat()
    rows.append(("a beat with nothing due", spread([timed(beat) for _ in range(5)], digits=3)))
    bench.time.now = SATURDAY_NIGHT
    rows.append((f"the beat that starts {DUE} runs", spread([timed(beat)], digits=3)))
    while site.store.read(runs.live) or bench.dispatcher.busy():
        bench.dispatcher.wait_for_change(wait=0.2)
        beat()
    site.store.close()
    return rows
