"""Whatever dies, is edited or frozen, and however the clock steps: each slot has one outcome, no run starts twice, and none outside its window.

SOAK_N is the number of kills of the long test (default 200), SOAK_SEED makes a series that failed come again (default: the time).
"""

from __future__ import annotations

import logging
import os
import random
import time
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from runner.domain.execution.run import SlotState
from tests.operations.simulation import BEGIN, World

HALF_A_YEAR = timedelta(days=182)


@pytest.fixture
def root() -> Iterator[Path]:
    """A folder in memory, where nothing waits for a disk."""
    logging.disable(logging.CRITICAL)
    memory = Path("/dev/shm")
    with TemporaryDirectory(dir=memory if memory.is_dir() else None, ignore_cleanup_errors=True) as folder:
        yield Path(folder)
        for path, _, _ in os.walk(folder):
            Path(path).chmod(0o700)  # snapshots are read-only
    logging.disable(logging.NOTSET)


def look_at_everything(world: World) -> None:
    """Every promise about slots and runs, over everything that happened."""
    ledger = world.ledger()
    started = {run.id: run for run in world.runs()}
    unsettled = [slot for slot in ledger if slot.state not in {SlotState.SETTLED, SlotState.WITHDRAWN}]
    assert unsettled == []
    assert [slot for slot in ledger if slot.state is SlotState.SETTLED and not slot.outcome] == []
    identities = Counter((slot.schedule, slot.rule_date, slot.ordinal) for slot in ledger)
    openings = Counter((slot.schedule, slot.opens_at) for slot in ledger if slot.state is SlotState.SETTLED)
    assert max(identities.values(), default=1) == max(openings.values(), default=1) == 1
    assert len(started) == len([slot for slot in ledger if slot.run_id])
    for name in world.never_edited():
        kept = {slot.opens_at for slot in ledger if slot.schedule == name and slot.state is SlotState.SETTLED}
        assert {world.local(each, name) for each in world.expected(name) - kept} == set()
        assert {world.local(each, name) for each in kept - world.expected(name)} == set()
    for run_id, at in world.started:
        plan = started[run_id].plan
        assert plan.opens <= at < plan.last_start


def test_half_a_year_with_two_schedulers_that_die_now_and_then(root: Path) -> None:
    world = World(root, random.Random(20260102))

    world.store.odds = 0.01
    world.go_on(until=BEGIN + HALF_A_YEAR)
    world.come_to_rest()

    look_at_everything(world)
    assert world.store.kills > 10
    assert len(world.started) > 20


@pytest.mark.soak
@pytest.mark.timeout(6 * 3600)
def test_years_of_kills(root: Path) -> None:
    seed, kills = int(os.environ.get("SOAK_SEED", time.time())), int(os.environ.get("SOAK_N", "200"))
    chance, world, killed = random.Random(seed), None, 0
    while killed < kills:
        number = chance.randrange(10**9)
        print(f"world {number} of seed {seed}, {killed} kills so far", flush=True)
        world = World(root / str(number), random.Random(number), number=10)
        world.store.odds = chance.choice((0.005, 0.02, 0.05))
        world.go_on(until=BEGIN + 2 * HALF_A_YEAR)
        world.come_to_rest()
        look_at_everything(world)
        killed += world.store.kills
