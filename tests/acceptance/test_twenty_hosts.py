"""Twenty real hosts: where the failure budget stops a run, what a window that closes leaves over, and a cancel in the middle of an upgrade."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from runner.domain.execution.run import PieceState, Stage, Verdict
from runner.store.execution import pieces
from tests.acceptance.maintenance import Maintenance
from tests.acceptance.processes import end_all, of_pieces, until
from tests.lab import Lab, Wishes
from tests.lab.plan import default_names

pytestmark = [pytest.mark.lab, pytest.mark.soak]
HOSTS = default_names(20)
SLOW = "db-08"  # its update takes a while
CANARY, EARLY, CONCURRENCY, BUDGET = 1, 5, 3, 2
TOUCHED = {  # the failing wave -> how many hosts are ever touched: what went well before, and the batch that passed the budget
    "canary": CANARY,
    "early": CANARY + CONCURRENCY,
    "rest": CANARY + EARLY + CONCURRENCY,
}
WAVES = "[{name: canary, size: 1}, {name: early, size: 25%}, {name: rest}]"
FAILING = {"canary": HOSTS[:CANARY], "early": HOSTS[CANARY : CANARY + EARLY], "rest": HOSTS[CANARY + EARLY :]}
PLAYBOOK = """\
- name: Work
  hosts: all
  gather_facts: false
  tasks:
    - name: Touch
      ansible.builtin.shell: echo begun >> /root/{mark}; sleep {seconds}
    - name: Fail where it is wanted
      ansible.builtin.command: /bin/false
      when: inventory_hostname in {failing}
"""
UPGRADE = """\
- name: Upgrade
  hosts: all
  gather_facts: false
  tasks:
    - name: Upgrade everything
      ansible.builtin.apt: {upgrade: dist, update_cache: true}
"""


@pytest.fixture(scope="module")
def twenty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with Lab.up(tmp_path_factory.mktemp("twenty"), Wishes(names=HOSTS, extras={SLOW: ("labslow",)})) as lab:
        yield lab


@pytest.fixture
def fleet(twenty: Lab, laid_out: Path, tmp_path: Path) -> Iterator[Maintenance]:
    """A maintenance repository over twenty hosts."""
    root = tmp_path / "maintenance"
    shutil.copytree(laid_out, root)
    made = Maintenance(root, twenty, mark=f"wk-{uuid.uuid4().hex[:8]}")
    made.lay_out()
    yield made
    end_all(made.root)
    for process in made.started:
        process.wait(10)


def playbook(fleet: Maintenance, *failing: str, seconds: float = 0) -> None:
    text = PLAYBOOK.format(mark=fleet.mark_of("work"), failing=list(failing), seconds=seconds)
    (fleet.root / "playbooks" / "work.yml").write_text(text)


def schedule(fleet: Maintenance, window: str, **more: str) -> None:
    text = f"schedule: work\nwhy: Shows it.\nplaybook: playbooks/work.yml\nhosts: all\nwindow: {window}\n"
    (fleet.root / "schedules" / "work.yml").write_text(
        text + "".join(f"{key}: {value}\n" for key, value in more.items())
    )


def long_window() -> str:
    return f'{{day: daily, start: "{datetime.now(UTC) - timedelta(minutes=10):%H:%M}", duration: 3h}}'


def touched(fleet: Maintenance) -> list[str]:
    return [host for host in HOSTS if fleet.told("work", host)]


@pytest.mark.timeout(900)
@pytest.mark.parametrize("wave", TOUCHED)
def test_the_failure_budget_bounds_how_many_hosts_are_ever_touched(fleet: Maintenance, wave: str) -> None:
    schedule(fleet, long_window(), waves=WAVES, concurrency=str(CONCURRENCY), failure_budget="10%")
    playbook(fleet, *FAILING[wave])

    fleet.run("run", "work", code=1)

    run = fleet.runs("work")[0]
    outcomes = fleet.outcomes("work")
    assert run.verdict is Verdict.HALTED
    assert len(touched(fleet)) == TOUCHED[wave]
    assert sum(outcome == "failed" for outcome in outcomes.values()) <= BUDGET + CONCURRENCY
    assert {outcomes[host] for host in HOSTS if host not in touched(fleet)} == {"not_run (budget)"}


@pytest.mark.timeout(900)
def test_a_window_that_closes_leaves_hosts_over_and_the_next_run_takes_them_right_after_its_canary(
    fleet: Maintenance,
) -> None:
    schedule(fleet, long_window(), waves="[{name: all}]")
    playbook(fleet)
    fleet.run("run", "work")  # so that it is known how long each host takes
    playbook(fleet, seconds=6)
    opens = datetime.now(UTC).replace(second=0, microsecond=0) + timedelta(minutes=2)
    window = f'{{day: daily, start: "{opens:%H:%M}", duration: 4m, cutoff: 3m}}'
    schedule(fleet, window, waves="[{name: canary, size: 1}, {name: rest}]", concurrency="2")

    daemon = fleet.serve()
    until(lambda: len(fleet.runs("work")) == 2, seconds=200, what="the window has opened")
    run = fleet.until_settled("work", seconds=300)
    fleet.stop(daemon)
    last_start = run.plan.last_start
    begun = [piece for piece in of_run(fleet, run.id) if piece.stage is Stage.APPLY]
    left = [host for host, outcome in fleet.outcomes("work").items() if outcome.startswith("not_run")]
    schedule(fleet, long_window(), waves="[{name: canary, size: 1}, {name: rest}]", concurrency="4")
    playbook(fleet)
    fleet.run("run", "work")

    assert run.verdict is Verdict.DEGRADED
    assert last_start is not None
    assert all(piece.started_at is not None and piece.started_at < last_start for piece in begun)
    assert 0 < len(left) < len(HOSTS)
    assert {fleet.outcomes("work")[host] for host in left} == {"changed"}
    after = [piece.hosts for piece in of_run(fleet, fleet.runs("work")[0].id) if piece.stage is Stage.APPLY]
    assert len(after[0]) == 1
    assert after[0][0] not in left
    assert [host for hosts in after[1:] for host in hosts][: len(left)] == [host for host in HOSTS if host in left]


def of_run(fleet: Maintenance, run: str) -> list[pieces.Piece]:
    found = fleet.store.read(lambda c: pieces.of_run(c, run))
    return [piece for piece in found if piece.state is PieceState.FINISHED]


@pytest.mark.timeout(900)
def test_a_cancel_in_the_middle_of_an_upgrade_leaves_nothing_here_and_tells_the_truth_about_the_host(
    fleet: Maintenance,
) -> None:
    for name in ("upgrade", "other"):
        fleet.schedule(name, SLOW)
        (fleet.root / "playbooks" / f"{name}.yml").write_text(UPGRADE)
    daemon = fleet.serve()
    fleet.start("run", "upgrade")
    until(lambda: is_updating(fleet), seconds=90, what="the update of labslow is going on")

    fleet.run("runs", "cancel", str(fleet.runs("upgrade")[0].number), "--now")
    until(lambda: not of_pieces(fleet.root), seconds=10, what="nothing of ours is left on this machine")
    still = is_updating(fleet)
    second = fleet.start("run", "other")
    until(lambda: not is_updating(fleet), seconds=60, what="apt has ended by itself")
    first, other = fleet.until_settled("upgrade"), fleet.until_settled("other", seconds=180)
    second.wait(60)
    fleet.stop(daemon)
    shown = fleet.json("runs", "show", str(first.number))["run"]["hosts"][0]

    assert still, "the update went on without us"
    assert first.verdict is Verdict.CANCELLED
    assert other.verdict is Verdict.SUCCEEDED, "it waited for the host, and did not fail on the lock"
    assert "labslow" in str(shown["packages"])
    assert fleet.lab.run(SLOW, ["dpkg", "--audit"]).stdout == ""
    assert fleet.record_is_whole()


def is_updating(fleet: Maintenance) -> bool:
    """Whether the slow package's own script is at work."""
    return fleet.lab.run(SLOW, ["pgrep", "-f", "labslow.postinst"]).returncode == 0
