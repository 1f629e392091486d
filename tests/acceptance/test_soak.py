"""Long torture: whatever is killed at random, and however often, runs end, tell the truth, and leave nothing.

SOAK_N is the number of kills (default 10), SOAK_SEED makes a series that failed come again (default: the time).
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from runner.domain.execution.run import RunState, Verdict
from tests.acceptance.maintenance import Maintenance
from tests.acceptance.processes import of_pieces, until

pytestmark = [pytest.mark.lab, pytest.mark.soak]
ROOT = Path(__file__).resolve().parents[2]
HOSTS = ("web-01", "web-02", "db-01")
WORDS = {  # by which word each kind of process is known
    "daemon": " serve ",
    "detached executor": " execute-run ",
    "watching command": " run work",
    "leash": "leash.py",
    "executor": "runner.adapters.ansible.executor",
    "ansible": "bin/ansible-playbook",
}


def kill_one(site: Maintenance, chance: random.Random) -> str:
    """Kill a process of a kind that is there at all, drawn by kind; says which."""
    kinds = {
        kind: sorted(pid for pid, line in site.left().items() if word in f"{line} ") for kind, word in WORDS.items()
    }
    there = [kind for kind, pids in kinds.items() if pids]
    if not there:
        return "nobody"
    kind = chance.choice(there)
    with contextlib.suppress(ProcessLookupError):
        os.kill(chance.choice(kinds[kind]), signal.SIGKILL)
    return kind


def done(site: Maintenance) -> dict[str, int]:
    """How often the work came to its end on each host."""
    return {host: site.told("work", host).count("done") for host in HOSTS}


@pytest.mark.timeout(6 * 3600)
def test_random_kills_never_lose_a_run_or_make_a_false_green(site: Maintenance) -> None:
    seed = int(os.environ.get("SOAK_SEED", time.time()))
    chance, kills = random.Random(seed), int(os.environ.get("SOAK_N", "10"))
    site.schedule("work", ":".join(HOSTS), concurrency=2, failure_budget="100%")
    site.work("work", seconds=3)
    daemon, killed, green = site.serve(), 0, 0

    while killed < kills:
        before = done(site)
        site.start("run", "work")
        number = len(site.runs("work")) + 1
        until(
            lambda number=number: len(site.runs("work")) == number or site.started[-1].poll(), what="a run was claimed"
        )
        while killed < kills and len(site.runs("work")) == number and not site.is_settled("work"):
            time.sleep(chance.uniform(0.2, 8))
            whom = kill_one(site, chance)
            killed += whom != "nobody"
            print(f"seed {seed}, kill {killed}, run {number}: {whom}", flush=True)
            time.sleep(0.3)  # until it is dead
            if daemon.poll() is not None:
                daemon = site.serve()
        run = site.until_settled("work", seconds=300)
        print(f"seed {seed}, run {run.number}: {run.verdict}", flush=True)
        if run.verdict is Verdict.SUCCEEDED:
            green += 1
            after = done(site)
            assert all(after[host] > before[host] for host in HOSTS), f"a false green: {before}, {after}"

    until(lambda: not of_pieces(site.root), seconds=60, what="no process of a piece is left")
    site.run("run", "work")
    site.stop(daemon)
    assert all(run.state is RunState.SETTLED for run in site.runs("work"))
    assert all("clash" not in site.told("work", host) for host in HOSTS)
    until(lambda: site.left() == {}, seconds=60, what="nothing is left")
    assert site.record_is_whole()


@pytest.mark.timeout(900)
def test_the_demo_goes_as_it_should() -> None:
    answer = subprocess.run(
        [sys.executable, "-m", "tests.demo"], check=False, capture_output=True, text=True, cwd=ROOT, timeout=840
    )

    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert "nothing is left running" in answer.stdout
