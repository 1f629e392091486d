"""A process of its own that opens the store, says `ready`, waits for a line, does one thing, and prints what came of it."""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from runner.domain.execution.run import Trigger
from runner.domain.record.record import INSTALLATION
from runner.errors import StoreUnavailable
from runner.store.database import Store
from runner.store.execution import pieces, runs
from runner.store.record import log
from runner.store.time import slots
from tests.store.making import LEASE, NOON, a_run, an_owner


def claim_slot(store: Store, slot: str) -> Any:
    return store.write(lambda c: slots.claim(c, slot, a_run(trigger=Trigger.SLOT)))


def claim_piece(store: Store, piece: str) -> Any:
    owner = an_owner(os.getpid())
    return store.write(lambda c: pieces.claim(c, piece, owner=owner, inventory="production", lease=LEASE))


def append(store: Store, count: str) -> Any:
    for n in range(int(count)):
        store.write(lambda c, n=n: log.append(c, INSTALLATION, [{"by": os.getpid(), "n": n}], at=NOON))
    return count


def insert_runs(store: Store, count: str) -> Any:
    for _ in range(int(count)):
        store.write(lambda c: runs.insert(c, a_run()))
    return count


def stay_inside(store: Store, stream: str) -> Any:
    """Write half of something, and stay in the middle of the transaction until killed."""

    def half(connection: Any) -> None:
        runs.insert(connection, a_run())
        log.append(connection, stream, [{"text": "x" * 1000}] * 5000, at=NOON)  # more than a page cache holds back
        print("inside", flush=True)
        time.sleep(600)

    store.write(half)
    return None


def fill(store: Store, limit: str) -> Any:
    """Write until no file may grow beyond `limit` bytes; what was kept, and what it was told."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit), resource.RLIM_INFINITY))
    return write_until_refused(store)


def write_until_refused(store: Store) -> Any:
    kept = 0
    try:
        while kept < 10_000:
            store.write(lambda c: log.append(c, "run:1", [{"text": "x" * 500}] * 20, at=NOON))
            kept += 20
    except StoreUnavailable as reason:
        return {"kept": kept, "told": str(reason)}
    return {"kept": kept, "told": ""}


def fill_disk(store: Store, _nothing: str) -> Any:
    return write_until_refused(store)


WHAT: dict[str, Callable[[Store, str], Any]] = {
    "claim_slot": claim_slot,
    "claim_piece": claim_piece,
    "append": append,
    "insert_runs": insert_runs,
    "stay_inside": stay_inside,
    "fill": fill,
    "fill_disk": fill_disk,
}


def main(url: str, state_dir: str, what: str, about: str) -> None:
    store = Store.open(url, state_dir=Path(state_dir), patience=60)
    print("ready", flush=True)
    sys.stdin.readline()
    print(json.dumps(WHAT[what](store, about)), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
