"""Long torture: whatever is killed, stopped or taken away at random, and however often, runs end, tell the truth, and leave nothing.

SOAK_N is the number of attacks (default 10), SOAK_SEED makes a series come again (default: the time), SOAK_FROM goes on from a later attack of it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from runner.domain.execution.run import RunState, Verdict
from runner.store.execution import runs
from tests.acceptance.attacks import Attacked
from tests.acceptance.maintenance import Maintenance, New
from tests.acceptance.on_postgresql import on_postgresql
from tests.acceptance.processes import end_all, of_pieces, until
from tests.store import cluster

pytestmark = [pytest.mark.lab, pytest.mark.soak]
ROOT = Path(__file__).resolve().parents[2]
HOSTS = ("web-01", "web-02", "db-01")
ONE_PASS = (
    400  # seconds: a lease that nobody renews may be taken after 180, and a host in doubt may be at work for a while
)


@pytest.fixture(params=["sqlite", "postgresql"])
def attacked(request: pytest.FixtureRequest, new: New, tmp_path: Path) -> Iterator[Attacked]:
    """A maintenance repository to be attacked, once with each database; only a server can go away."""
    if request.param == "sqlite":
        made = new(tmp_path / "maintenance")
        yield Attacked(made, HOSTS)
        clean_up(made)
        return
    with cluster.running_cluster() as running:
        made = on_postgresql(new, running, tmp_path / "maintenance")
        yield Attacked(made, HOSTS, lambda seconds: away(running, seconds))
        clean_up(made)
        made.store.close()


def away(running: cluster.Cluster, seconds: float) -> None:
    """Stop the server, and start it again after a while."""
    cluster.stop(running.process)
    time.sleep(seconds)
    running.process = cluster.start(running.folder)


def clean_up(site: Maintenance) -> None:
    """Leave nothing behind, also when a test failed."""
    end_all(site.root)
    for process in site.started:
        process.wait(10)


def told(site: Maintenance) -> dict[str, list[str]]:
    """What the playbook wrote on each host so far."""
    return {host: site.told("work", host) for host in HOSTS}


def lies(site: Maintenance, run: runs.Run, before: dict[str, list[str]], after: dict[str, list[str]]) -> list[str]:
    """Where the record says something else than the hosts themselves."""
    found = []
    shown = site.json("runs", "show", str(run.number))["run"]["hosts"]
    for host, outcome in ((each["host"], each["outcome"]) for each in shown):
        new = after[host][len(before[host]) :]
        if outcome in {"ok", "changed"} and "done" not in new:
            found.append(f"{host} is said to be {outcome}, and the work never came to its end there: {new}")
        if outcome.startswith("not_run") and "begun" in new:
            found.append(f"{host} is said to be {outcome}, and the work had begun there: {new}")
    if run.verdict is Verdict.SUCCEEDED and any("done" not in after[host][len(before[host]) :] for host in HOSTS):
        found.append(f"a false green: {before}, {after}")
    return found


def begin(site: Maintenance) -> int:
    """Ask for a run, and wait until it was claimed or refused; gives how many there are."""
    number = len(site.runs("work")) + 1
    command = site.start("run", "work")
    until(lambda: len(site.runs("work")) == number or command.poll() is not None, what="a run was claimed")
    return number


@pytest.mark.timeout(12 * 3600)
def test_whatever_happens_runs_end_and_tell_the_truth(attacked: Attacked) -> None:
    site, seed = attacked.site, int(os.environ.get("SOAK_SEED", time.time()))
    number, last = int(os.environ.get("SOAK_FROM", "0")), int(os.environ.get("SOAK_N", "10"))
    site.schedule("work", ":".join(HOSTS), concurrency=2, failure_budget="100%")
    site.work("work", seconds=3)
    daemon = site.serve()

    while number < last:
        before, run_number = told(site), begin(site)
        while number < last and len(site.runs("work")) == run_number and not site.is_settled("work"):
            happened = attacked.attack(number, seed)
            number += bool(happened)
            print(f"seed {seed}, attack {number}, run {run_number}: {happened or 'nobody there'}", flush=True)
            if daemon.poll() is not None:
                daemon = site.serve()
        run = site.until_settled("work", seconds=ONE_PASS)
        until(lambda: not of_pieces(site.root), seconds=60, what="no process of a piece is left")
        print(f"seed {seed}, run {run.number}: {run.verdict}", flush=True)
        after = told(site)
        assert lies(site, run, before, after) == []
        assert all("clash" not in words for words in after.values()), "two worked on one host at once"
        assert site.record_is_whole()

    print(f"seed {seed}: {attacked.seen}")
    end_well(site, daemon)


def end_well(site: Maintenance, daemon: subprocess.Popen[str]) -> None:
    """After all that, a run goes as it should, and nothing is left."""
    until(ends_green(site), seconds=120, what="a run that nobody attacks is green")
    site.stop(daemon)
    assert all(run.state is RunState.SETTLED for run in site.runs("work"))
    until(lambda: site.left() == {}, seconds=60, what="nothing is left")
    assert site.record_is_whole()


def ends_green(site: Maintenance) -> Callable[[], bool]:
    """Whether a run by hand ends well."""
    return lambda: site.run("run", "work", code=None).returncode == 0


@pytest.mark.timeout(900)
def test_the_demo_goes_as_it_should() -> None:
    answer = subprocess.run(
        [sys.executable, "-m", "tests.demo"], check=False, capture_output=True, text=True, cwd=ROOT, timeout=840
    )

    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert "nothing is left running" in answer.stdout
