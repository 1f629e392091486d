"""Windows in real time: a run starts by itself when its window opens, late when the daemon was down, and not at all outside it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from runner.domain.execution.run import Trigger, Verdict
from tests.acceptance.maintenance import Maintenance
from tests.acceptance.processes import end_all, until
from tests.lab.lab import Lab

pytestmark = [pytest.mark.lab]
AN_HOUR_AGO = timedelta(hours=1)
SOON = timedelta(seconds=8)  # the daemons are up by then
PATCH = "playbooks/patch.yml"


@pytest.fixture(scope="module", autouse=True)
def served(
    new: Callable[[Path], Maintenance], lab: Lab, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Maintenance]:
    """Two daemons on one database that were down for the last hour: one window was missed, one is open, one opens within the next minute.

    They are started before the first test of this file, and looked at by the last ones.
    """
    lab.reset("web-03")
    made = new(tmp_path_factory.mktemp("served") / "maintenance")
    made.schedule("missed", "web-01", opened=timedelta(minutes=40), open_for=timedelta(minutes=30))
    made.schedule("late", "web-03", opened=timedelta(minutes=5), extra_vars="{patch_scope: all, reboot: never}")
    made.schedule("soon", "web-02", opened=to_next_minute())
    for name in ("missed", "soon"):
        made.work(name, seconds=1)
    (made.root / "playbooks" / "late.yml").write_text((made.root / PATCH).read_text())
    made.ledger_as_of(AN_HOUR_AGO)
    for _ in range(2):
        made.serve()
    yield made
    end_all(made.root)
    for process in made.started:
        process.wait(10)


def to_next_minute() -> timedelta:
    """How long ago the next full minute was, that is at least SOON ahead: less than nothing."""
    now = datetime.now(UTC)
    return now - (now + SOON + timedelta(minutes=1)).replace(second=0, microsecond=0)


def test_a_closed_window_refuses_and_names_the_next_opening(site: Maintenance) -> None:
    site.schedule("closed", "web-01", opened=timedelta(minutes=40), open_for=timedelta(minutes=30))
    site.work("closed", seconds=0)

    answer = site.run("run", "closed", code=3)

    assert "is closed" in answer.stderr
    assert f"Next opening: {datetime.now(UTC) + timedelta(days=1, minutes=-40):%a %Y-%m-%d}" in answer.stderr
    assert site.told("closed", "web-01") == []
    assert site.runs("closed") == []


def test_a_freeze_refuses_and_an_override_passes_it_into_the_auditors_report(site: Maintenance) -> None:
    now = datetime.now(UTC)
    freeze = f'{{name: launch, from: "{now - AN_HOUR_AGO:%Y-%m-%dT%H:%MZ}", to: "{now + AN_HOUR_AGO:%Y-%m-%dT%H:%MZ}", reason: the launch}}'
    (site.root / "schedules" / "freezes.yml").write_text(f"freezes: [{freeze}]\n")
    site.schedule("frozen", "web-01")
    site.work("frozen", seconds=0)

    refused = site.run("run", "frozen", code=3)
    passed = site.run("run", "frozen", "--override", "a hole is exploited", "--until", "1h")
    period = f"{now - timedelta(days=1):%Y-%m-%d}..{now + timedelta(days=1):%Y-%m-%d}"
    site.run("report", "auditor", "--period", period, "--format", "json", "--output", str(site.root / "out"))

    report = json.loads(next((site.root / "out").glob("*.json")).read_text())
    assert "change freeze 'launch': the launch" in refused.stderr
    assert "web-01" in passed.stdout
    assert site.told("frozen", "web-01") == ["begun", "done"]
    assert [(each["reason"], each["run"]) for each in report["overrides"]] == [("a hole is exploited", 1)]
    assert "change freeze" in report["overrides"][0]["guards"]


def test_a_run_starts_late_when_the_daemon_was_down_at_the_opening(served: Maintenance) -> None:
    run = served.until_settled("late")

    shown = served.json("runs", "show", str(run.number))["run"]
    assert run.trigger is Trigger.SLOT
    assert run.late_seconds is not None
    assert timedelta(minutes=5) <= timedelta(seconds=run.late_seconds) < timedelta(minutes=30)
    assert run.verdict is Verdict.SUCCEEDED
    assert any("labkernel" in package for package in shown["hosts"][0]["packages"])


def test_a_slot_that_nobody_served_is_missed_with_a_ticket(served: Maintenance) -> None:
    until(lambda: served.slots("missed")[-1].outcome, what="the missed slot is settled")

    slot = served.slots("missed")[-1]
    tickets = [ticket for ticket in served.json("tickets", "list")["tickets"] if "missed" in json.dumps(ticket)]
    assert (slot.outcome, slot.reason) == ("missed", "the scheduler was not running while the window was open")
    assert slot.run_id is None
    assert len(tickets) == 1
    assert served.told("missed", "web-01") == []


def test_a_run_starts_by_itself_when_its_window_opens_and_once_under_two_daemons(served: Maintenance) -> None:
    until(lambda: served.runs("soon"), seconds=90, what="the window has opened")
    run = served.until_settled("soon")
    time.sleep(3)  # a second daemon would have started a second run by now

    status = served.json("status")["status"]["recorded"]
    slot = served.slots("soon")[-1]
    assert (run.trigger, run.verdict, run.slot_id) == (Trigger.SLOT, Verdict.SUCCEEDED, slot.id)
    assert slot.outcome == "succeeded"
    assert len(served.runs("soon")) == len(served.runs("late")) == 1
    assert served.told("soon", "web-02") == ["begun", "done"]
    assert status["daemon"]["alive"] is True
    assert {(past["schedule"], past["verdict"]) for past in status["last_runs"]} == {
        ("soon", "succeeded"),
        ("late", "succeeded"),
    }
    assert [served.stop(daemon) for daemon in served.started] == [0, 0]
    assert served.left() == {}
    assert served.record_is_whole()
