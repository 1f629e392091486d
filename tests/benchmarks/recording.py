"""How fast events go through the fold into the record, and whether memory stays flat."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from types import SimpleNamespace

from runner.domain.execution.fold import PieceFold
from runner.domain.execution.outcome import Event, EventKind
from runner.domain.execution.run import Stage
from runner.domain.record.record import piece_stream
from runner.operations.execution.execute_playbook import append_events
from runner.store.database import Store, create
from tests.benchmarks.measure import PYTHON, ROOT, memory, table
from tests.store.making import a_claimed_piece, a_kept_run

AT_ONCE = 300  # as many events as a piece hands out together
HOSTS = tuple(f"host-{n:03}" for n in range(50))
WORDS = "The packages were brought up to date; the service was not restarted. " * 4


def measure(*, quick: bool) -> None:
    """(d) In a process of its own, so that its memory is its own."""
    number = 10_000 if quick else 100_000
    command = [PYTHON, "-m", "tests.benchmarks.recording", str(number)]
    told = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT).stdout.split()
    rate, first, last = map(float, told)
    rows = [
        ("events a second", f"{rate:,.0f}"),
        ("resident at most, after a tenth", f"{first:.0f} MiB"),
        ("resident at most, after all", f"{last:.0f} MiB"),
        ("growth", f"{last - first:.1f} MiB"),
    ]
    table(f"(d) {number:,} events of 50 hosts through the fold into SQLite, {AT_ONCE} a transaction", rows)


def record(number: int) -> tuple[float, float, float]:
    """Record so many events; events a second, and the highest memory after a tenth and after all."""
    folder = Path(tempfile.mkdtemp(prefix="wk-bench-"))
    url = f"sqlite:///{folder}/var/wellkept.db"
    create(url, state_dir=folder / "var", now=datetime.now(UTC))
    store = Store.open(url, state_dir=folder / "var")
    piece, fence = a_claimed_piece(store, a_kept_run(store), hosts=HOSTS)
    work = SimpleNamespace(piece=SimpleNamespace(id=piece), fence=fence, stream=piece_stream(piece))
    fold, first, began = PieceFold(HOSTS, Stage.APPLY), 0.0, time.monotonic()
    for position in range(0, number, AT_ONCE):
        events = list(made(position, min(AT_ONCE, number - position)))
        for event in events:
            fold.add(event)
        store.write(partial(append_events, events=events, work=work))  # type: ignore[arg-type]
        if not first and position >= number / 10:
            first = memory(name="VmHWM")
    rate = number / (time.monotonic() - began)
    store.close()
    shutil.rmtree(folder, ignore_errors=True)
    return rate, first, memory(name="VmHWM")


def made(after: int, number: int) -> Iterator[Event]:
    """Events as a playbook tells them, host by host."""
    now = datetime.now(UTC)
    for n in range(after + 1, after + number + 1):
        yield Event(
            n, n * 500, EventKind.HOST_OK, now, counter=n, host=HOSTS[n % len(HOSTS)], play="Patch", task=f"Task {n // 50}",
            module="ansible.builtin.apt", role="patch", changed=n % 7 == 0, seconds=1.25, text=WORDS,
        )  # fmt: skip


if __name__ == "__main__":
    print(*record(int(sys.argv[1])))
