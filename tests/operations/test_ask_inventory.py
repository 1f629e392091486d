"""An inventory that is a program is heard again before hosts are drawn: who is gone is left out, who came is named, and an error tells nothing."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest

from runner.adapters.inventory import AnsibleInventory
from runner.domain.execution.next_step import Wait
from runner.domain.execution.outcome import NotRun, Result
from runner.domain.execution.run import StopReason, Verdict
from runner.domain.record.record import run_stream
from runner.domain.settings import Inventory
from runner.operations.execution.advance_run import advance_run
from runner.operations.execution.load_record import load_record
from runner.operations.execution.settle_run import STOPPED_IN_WORDS
from runner.operations.execution.start_run import Wish, start_by_hand
from runner.operations.site import Snapshotted
from runner.operations.time.plan_once import Wanted, plan_once
from runner.ports import InventoryAnswer, PieceOrder
from runner.store.execution import holds, inventories, outcomes, runs
from runner.store.record import log
from tests.operations.a_site import HOSTS, LOOK, SATURDAY_NIGHT, SCHEDULE, SETTINGS, Bench
from tests.operations.conftest import Lay

PROGRAM = SETTINGS.replace("hosts.ini", "hosts.sh")
ENVIRON = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
BROKEN = "exit 3"
HOUR = timedelta(hours=1)
LAST_START = SATURDAY_NIGHT + timedelta(hours=4, minutes=45)


@dataclass
class Counted:
    """The real reader; it counts how often it is asked."""

    reader: AnsibleInventory = field(default_factory=lambda: AnsibleInventory(environ=ENVIRON))
    asked: int = 0

    def read(self, inventory: Inventory, *, project: Path) -> InventoryAnswer:
        self.asked += 1
        return self.reader.read(inventory, project=project)

    def may_change(self, inventory: Inventory, *, project: Path) -> bool:
        return self.reader.may_change(inventory, project=project)


@dataclass
class Cloud:
    """A bench whose inventory is a script that asks what lies outside the repository."""

    bench: Bench
    reader: Counted
    says: Path

    def answer(self, *hosts: str) -> None:
        listed = {"web": {"hosts": [host for host in hosts if host.startswith("web")]}}
        listed["db"] = {"hosts": [host for host in hosts if host not in listed["web"]["hosts"]]}
        self.says.write_text(f"cat <<'END'\n{json.dumps({**listed, '_meta': {'hostvars': {}}})}\nEND\n")

    def fail(self) -> None:
        self.says.write_text(BROKEN)

    def another_process(self) -> Cloud:
        """The same files and record, as a process sees them that has just been started."""
        site = self.bench.site
        fresh = Snapshotted(site.state_dir / "snapshots", os.environ, self.reader)
        return replace(self, bench=self.bench.but(snapshotted=fresh))


@pytest.fixture
def cloud(lay: Lay, tmp_path: Path) -> Cloud:
    bench = lay()
    script = bench.site.root / "hosts.sh"
    script.write_text(f"#!/bin/sh\n. {tmp_path}/answer\n")
    script.chmod(0o755)
    (bench.site.root / "wellkept.yml").write_text(PROGRAM)
    return a_cloud(bench, tmp_path)


def a_cloud(bench: Bench, tmp_path: Path) -> Cloud:
    reader = Counted()
    snapshotted = Snapshotted(bench.site.state_dir / "snapshots", os.environ, reader)
    found = Cloud(bench.but(inventories=reader, snapshotted=snapshotted), reader, tmp_path / "answer")
    found.answer(*HOSTS)
    return found


def at_the_canary(cloud: Cloud, happens: Callable[[], object], wish: Wish | None = None) -> runs.Run:
    """A run during whose canary an hour passes and something happens."""
    in_an_hour(cloud, happens)
    run_id = start_by_hand("patch", wish or Wish(), site=cloud.bench.site)
    cloud.bench.play_out(run_id)
    return cloud.bench.site.store.read(lambda c: runs.get(c, run_id))


def in_an_hour(cloud: Cloud, happens: Callable[[], object]) -> None:
    """While the next canary is played, an hour passes and something happens."""

    def hook(order: PieceOrder) -> None:
        if order.playbook != LOOK and not cloud.bench.ansible.played():
            cloud.bench.time.pass_by(HOUR)
            happens()

    cloud.bench.ansible.before_start = hook


def ends(cloud: Cloud, run: runs.Run) -> dict[str, str]:
    rows = cloud.bench.site.store.read(lambda c: outcomes.of_run(c, run.id))
    return {row.host: str(row.result.reason or row.result.result) for row in rows}


def told(cloud: Cloud, run: runs.Run, action: str) -> list[dict[str, object]]:
    bodies = cloud.bench.site.store.read(lambda c: [json.loads(e.body) for e in log.entries(c, run_stream(run.id))])
    return [body for body in bodies if body["action"] == action]


def test_a_host_that_is_gone_when_it_would_be_drawn_has_vanished(cloud: Cloud) -> None:
    run = at_the_canary(cloud, lambda: cloud.answer("web-01", "web-02", "web-03", "db-01"))

    assert cloud.bench.ansible.played() == [("web-01",), ("web-02", "web-03", "db-01")]
    assert ends(cloud, run) == {**dict.fromkeys(HOSTS[:4], str(Result.CHANGED)), "db-02": str(NotRun.VANISHED)}
    assert run.verdict is Verdict.DEGRADED


def test_a_host_that_came_is_left_out_and_named_in_the_run(cloud: Cloud) -> None:
    run = at_the_canary(cloud, lambda: cloud.answer(*HOSTS, "db-03"))

    (entry,) = told(cloud, run, "inventory.changed")
    assert (entry["gone"], entry["came"]) == ([], ["db-03"])
    assert set(ends(cloud, run)) == set(HOSTS)


def test_hosts_that_a_person_left_out_by_a_pattern_did_not_come(cloud: Cloud) -> None:
    run = at_the_canary(cloud, lambda: cloud.answer(*HOSTS, "db-03", "web-04"), Wish(limit="db"))

    assert run.plan.limit == "db"
    assert told(cloud, run, "inventory.changed") == [], "two hosts are one batch, so nothing is drawn later"


def test_only_the_hosts_that_the_run_would_mean_came(cloud: Cloud) -> None:
    bench = cloud.bench
    run_id = start_by_hand("patch", Wish(limit="db"), site=bench.site)
    cloud.answer(*HOSTS, "db-03", "web-04")
    bench.time.pass_by(HOUR)

    bench.play_out(run_id)

    (entry,) = told(cloud, bench.site.store.read(lambda c: runs.get(c, run_id)), "inventory.changed")
    assert entry["came"] == ["db-03"]


def test_an_inventory_that_fails_lets_nobody_vanish_and_the_run_waits_until_it_answers(cloud: Cloud) -> None:
    bench = cloud.bench
    run_id = start_by_hand("patch", Wish(), site=bench.site)
    cloud.fail()
    bench.time.pass_by(HOUR)
    first = advance_run(run_id, site=bench.site, dispatcher=bench.dispatcher)
    asked = cloud.reader.asked
    advance_run(run_id, site=bench.site, dispatcher=bench.dispatcher)
    again = cloud.reader.asked
    cloud.answer(*HOSTS)

    bench.play_out(run_id)

    run = bench.site.store.read(lambda c: runs.get(c, run_id))
    (held,) = bench.site.store.read(lambda c: holds.of_run(c, "patch", run_id))
    assert isinstance(first, Wait)
    assert again == asked, "it is not asked at every step"
    assert "cannot be trusted" in held.reason
    assert len(told(cloud, run, "run.held")) == 1
    assert run.verdict is Verdict.SUCCEEDED


def test_a_run_that_waited_for_its_inventory_up_to_the_last_start_says_what_it_waited_for(cloud: Cloud) -> None:
    bench = cloud.bench
    run_id = start_by_hand("patch", Wish(), site=bench.site)
    bench.time.now = LAST_START - timedelta(seconds=30)
    cloud.answer("web-01", "web-02", "web-03")
    advance_run(run_id, site=bench.site, dispatcher=bench.dispatcher)
    bench.time.now = LAST_START

    bench.play_out(run_id)

    run = bench.site.store.read(lambda c: runs.get(c, run_id))
    waited = "the window's last start was reached; up to then it waited: inventory 'production' lost 2 of 5 hosts"
    assert run.reason.startswith(waited)


def test_an_inventory_that_lost_too_many_hosts_is_waited_for_until_the_last_start(cloud: Cloud) -> None:
    bench = cloud.bench
    run_id = start_by_hand("patch", Wish(), site=bench.site)
    bench.time.pass_by(HOUR)
    cloud.answer("web-01", "web-02", "web-03")
    waits = advance_run(run_id, site=bench.site, dispatcher=bench.dispatcher)
    bench.time.now = LAST_START

    bench.play_out(run_id)

    run = bench.site.store.read(lambda c: runs.get(c, run_id))
    assert isinstance(waits, Wait)
    assert cloud.bench.ansible.orders == []
    assert run.reason == STOPPED_IN_WORDS[StopReason.CUTOFF]
    assert ends(cloud, run) == dict.fromkeys(HOSTS, str(NotRun.CUTOFF))


def test_work_without_a_last_start_goes_on_with_the_hosts_that_it_has(cloud: Cloud) -> None:
    always = cloud.bench.site.root / "schedules" / "patch.yml"
    always.write_text(SCHEDULE.replace("window: saturday-night", "window: always"))

    run = at_the_canary(cloud, cloud.fail)

    assert run.verdict is Verdict.SUCCEEDED
    assert len(told(cloud, run, "run.held")) == 1


def test_whoever_continues_a_run_hears_the_inventory_before_the_next_batch(cloud: Cloud) -> None:
    run_id = start_by_hand("patch", Wish(), site=cloud.bench.site)
    cloud.answer(*HOSTS[:4])
    cloud.bench.time.pass_by(HOUR)
    later = cloud.another_process()

    later.bench.play_out(run_id)

    run = cloud.bench.site.store.read(lambda c: runs.get(c, run_id))
    assert ends(later, run)["db-02"] == NotRun.VANISHED
    assert load_record(run_id, site=cloud.another_process().bench.site).vanished == {"db-02"}


def test_a_host_that_vanished_and_is_back_before_its_turn_is_done(cloud: Cloud) -> None:
    bench = cloud.bench
    run_id = start_by_hand("patch", Wish(), site=bench.site)
    bench.site.store.write(lambda c: inventories.remember(c, "production", HOSTS[:4], at=bench.time.now))
    bench.time.pass_by(HOUR)

    bench.play_out(run_id)

    assert bench.site.store.read(lambda c: runs.get(c, run_id)).verdict is Verdict.SUCCEEDED


def test_an_answer_that_is_fresh_is_not_asked_for_again(cloud: Cloud) -> None:
    run_id = start_by_hand("patch", Wish(), site=cloud.bench.site)

    cloud.bench.play_out(run_id)

    assert cloud.reader.asked == 2, "once for the plan, and once for the groups of the snapshot"


def test_an_inventory_that_lies_whole_in_the_snapshot_is_not_asked_again(lay: Lay, tmp_path: Path) -> None:
    still = a_cloud(lay(), tmp_path)

    run = at_the_canary(still, lambda: (still.bench.site.root / "hosts.ini").write_text("web-01\n"))

    assert still.reader.asked == 2
    assert run.verdict is Verdict.SUCCEEDED


def test_work_that_is_done_once_hears_its_inventory_again_too(cloud: Cloud) -> None:
    bench = cloud.bench
    begins = bench.time.now + timedelta(minutes=1)
    wanted = Wanted(playbook="playbooks/patch.yml", hosts="all", at=begins, span="4h", why="The disk is full.")
    name = plan_once(wanted, site=bench.site).schedule.name
    bench.time.now = begins
    in_an_hour(cloud, lambda: cloud.answer("web-01", "web-02", "web-03", "db-01", "db-03"))

    bench.tick()
    (run,) = bench.site.store.read(lambda c: runs.recent(c, 1))
    bench.play_out(run.id)

    (entry,) = told(cloud, run, "inventory.changed")
    assert run.schedule == name
    assert (entry["gone"], entry["came"]) == (["db-02"], ["db-03"])
