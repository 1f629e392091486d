"""What one beat costs with many schedules, and what it takes to write their slots ahead."""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from runner.config import read
from runner.operations.time.keep_ledger import Kept, keep_ledger
from runner.operations.time.tick import tick
from runner.store.execution import runs
from tests.benchmarks import serving
from tests.benchmarks.measure import median, spread, table, timed
from tests.operations.a_site import SATURDAY_NIGHT, Bench, a_bench

DUE = 3
TIMES = 9
SETTLED = 1.5  # seconds after which a tree that nobody has touched is known to be the same
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday")
PATCH = "schedule: patch-{n}\nowner: ops\nwhy: Closes known holes.\nplaybook: playbooks/patch.yml\nhosts: web-0{host}\nwindow: {window}\n"
OWN = '{{day: {day}, start: "{hour:02}:{minute:02}", duration: 4h}}'
WINDOWS = 'windows:\n  due: {day: saturday, start: "22:15", until: "04:00"}\n  later: {day: sunday, start: "22:00", until: "04:00"}\n'
FREEZE = 'freezes:\n  - {name: launch, from: "2026-04-05T22:00Z", to: "2026-04-06T00:00Z", reason: the shop opens}\n'
Rows = dict[str, list[float]]


def measure(*, quick: bool) -> None:
    """(e) Ansible and its inventory are scripted here; files, rules, ledger, snapshots and database are real."""
    few, many = (100, 1000) if quick else (1000, 10_000)
    logging.disable(logging.WARNING)
    try:
        compared(few, in_a_folder(few), many, in_a_folder(many))
    finally:
        logging.disable(logging.NOTSET)
    serving.measure(many, quick=quick)


def compared(few: int, little: Rows, many: int, much: Rows) -> None:
    """Say what both take, and how many times as long the many take."""
    rows = [
        (name, f"{spread(little[name], digits=3)}, {spread(much[name], digits=3)}: {ratio(little[name], much[name])}")
        for name in little
    ]
    note = "Without the time that ansible-inventory takes. What one beat leaves over, the next ones do."
    table(
        f"(e) {few:,} and {many:,} schedules, of which {DUE} are due; and how many times as long it takes",
        rows,
        note=note,
    )


def ratio(little: list[float], much: list[float]) -> str:
    """How many times as much the second is, by medians."""
    return f"{median(much) / median(little):.1f} times"


def in_a_folder(number: int) -> Rows:
    """Measure in a folder of its own."""
    folder = Path(tempfile.mkdtemp(prefix="wk-bench-"))
    try:
        return ticked(folder, number)
    finally:
        for each in [Path(where) for where, _, _ in os.walk(folder)]:
            each.chmod(0o700)  # snapshots are read-only
        shutil.rmtree(folder, ignore_errors=True)


def ticked(root: Path, number: int) -> Rows:
    """Write the schedules down, keep the ledger, and beat."""
    bench = laid_out(root, number)
    site = bench.site

    def beat() -> None:
        tick(site=site, dispatcher=bench.dispatcher, started=bench.time.now, kept=bench.kept)

    rows = {"read the files": [timed(lambda: read(root, environ=os.environ))]}
    rows |= whole("write the ledger, 90 days ahead", bench)
    rows["look at the whole ledger, nothing new"] = [timed(lambda: one_look(bench)) for _ in range(TIMES)]
    bench.kept = Kept()
    rows |= whole("keep the ledger after a restart", bench)
    rows["see an edit, and read the files again"] = [timed(lambda: edit(bench, FREEZE))]
    rows |= whole("follow a freeze that was added", bench)
    rows["the first beat, with the first snapshot"] = [timed(beat)]
    edit(bench, FREEZE.replace("shop", "market"))
    rows["the beat after one more edit, with its snapshot"] = [timed(beat)]
    rows["a beat with nothing due"] = [timed(beat) for _ in range(TIMES)]
    time.sleep(SETTLED)
    bench.time.now = SATURDAY_NIGHT
    rows[f"the beat that starts {DUE} runs"] = [timed(beat)]
    while site.store.read(runs.live) or bench.dispatcher.busy():
        bench.dispatcher.wait_for_change(wait=0.2)
        beat()
    site.store.close()
    return rows


def laid_out(root: Path, number: int) -> Bench:
    """A site with so many schedules: half of them share a window, the others have each their own."""
    (root / "schedules").mkdir(parents=True)
    for n in range(number):
        own = OWN.format(day=DAYS[n % len(DAYS)], hour=n % 24, minute=n % 60)
        window = "due" if n < DUE else "later" if n % 2 else own
        (root / "schedules" / f"patch-{n}.yml").write_text(PATCH.format(n=n, host=1 + n % 3, window=window))
    unused = "schedule: patch\nplaybook: playbooks/patch.yml\nhosts: all\nenabled: false\nwindow: later\n"
    bench = a_bench(root, sparing=time.monotonic, windows=WINDOWS, schedule=unused)
    bench.time.now = SATURDAY_NIGHT - timedelta(hours=1)
    return bench


def edit(bench: Bench, freezes: str) -> None:
    """Edit a file, and look until that is seen: a heavy look is not taken at once again."""
    before = bench.site.current()
    (bench.site.root / "schedules" / "freezes.yml").write_text(freezes)
    while bench.site.current() is before:
        time.sleep(0.01)


def one_look(bench: Bench) -> None:
    """One look at the whole ledger, as long as a beat may take."""
    site = replace(bench.site, monotonic=time.monotonic)  # the bench's own does not go by itself
    keep_ledger(site.current(), site=site, kept=bench.kept)


def whole(name: str, bench: Bench) -> Rows:
    """Keep the ledger until nothing is left over; how long that takes in all, and the longest of its beats."""
    look: Callable[[], None] = lambda: one_look(bench)  # noqa: E731
    taken = [timed(look)]
    while bench.kept.pending:
        taken.append(timed(look))
    return {name: [sum(taken)], f"{name}: the longest beat": [max(taken)]}
