"""Stopping, killing and interrupting in the middle of a run: nothing is left, nothing is lost, nothing is done twice."""

from __future__ import annotations

import os
import re
import signal
from datetime import timedelta

import pytest

from runner.domain.execution.run import RunState, Verdict
from runner.store.execution import pieces
from tests.acceptance.maintenance import Maintenance
from tests.acceptance.processes import of_pieces, until

pytestmark = [pytest.mark.lab]
TEN_MINUTES = timedelta(minutes=10)


def stops_asked_for(site: Maintenance) -> list[str]:
    """How the record says that people asked for a stop, in order."""
    entries = site.json("record", "show")["entries"]
    return [entry["body"]["how"] for entry in entries if entry["action"] == "run.stop_requested"]


def test_sigterm_lets_the_batch_finish_and_the_next_daemon_goes_on(site: Maintenance) -> None:
    site.schedule("work", "web-01:web-02", opened=timedelta(minutes=5), concurrency=1)
    site.work("work", seconds=3)
    site.ledger_as_of(TEN_MINUTES)
    daemon = site.serve()
    site.until_told("work", "web-01", "begun")

    code = site.stop(daemon)
    left, live = site.left(), site.runs("work")[0].state
    told = [site.told("work", host) for host in ("web-01", "web-02")]
    site.serve()
    run = site.until_settled("work")

    assert code == 0
    assert left == {}
    assert live is RunState.RUNNING
    assert told == [["begun", "done"], []]
    assert (run.verdict, run.record_incomplete) == (Verdict.SUCCEEDED, False)
    assert [site.told("work", host) for host in ("web-01", "web-02")] == [["begun", "done"], ["begun", "done"]]
    assert len(site.runs("work")) == 1


def test_a_killed_daemon_leaves_nothing_and_the_next_one_ends_the_run_truthfully(site: Maintenance) -> None:
    site.schedule("work", "web-01:web-02", opened=timedelta(minutes=5))
    site.work("work", seconds=6)
    site.ledger_as_of(TEN_MINUTES)
    daemon = site.serve()
    for host in ("web-01", "web-02"):
        site.until_told("work", host, "begun")

    daemon.kill()
    daemon.wait()
    until(lambda: not of_pieces(site.root), seconds=30, what="the leash has ended what it held")
    site.serve()
    run = site.until_settled("work")
    told = [site.told("work", host) for host in ("web-01", "web-02")]

    assert run.verdict is Verdict.SUCCEEDED
    assert run.record_incomplete
    assert all("clash" not in words for words in told)
    assert all(words[-1] == "done" for words in told)
    assert not of_pieces(site.root)
    assert [slot.outcome for slot in site.slots("work")] == ["succeeded"]
    assert site.record_is_whole()


def test_with_pipelining_a_killed_leash_leaves_work_on_the_hosts_that_is_waited_for_and_never_met_by_a_second_one(
    site: Maintenance,
) -> None:
    hosts = ("web-01", "web-02")
    site.schedule("work", "web-01:web-02", opened=timedelta(minutes=5))
    site.work("work", seconds=8)
    site.ledger_as_of(TEN_MINUTES)
    for host in hosts:
        assert "pipelining           works by ansible-core" in site.run("doctor", host).stdout
    (planned,) = site.json("plan", "work")["plans"]
    site.serve()
    for host in hosts:
        site.until_told("work", host, "begun")

    (leash,) = [pid for pid, words in site.left().items() if "leash.py" in words]
    os.kill(leash, signal.SIGKILL)
    run = site.until_settled("work", seconds=180)
    told = [site.told("work", host) for host in hosts]

    assert any(words.startswith("pipelining on 2 of 2 hosts") for words in planned["adds_to_ansible"])
    assert (run.verdict, run.record_incomplete) == (Verdict.SUCCEEDED, True)
    assert told == [["begun", "done", "begun", "done"]] * 2, "the first goes on without a terminal, and is waited for"
    assert not of_pieces(site.root)
    assert site.record_is_whole()


def test_a_daemon_takes_over_from_a_killed_executor(site: Maintenance) -> None:
    site.schedule("work", "web-01")
    site.work("work", seconds=4)
    command = site.start("run", "work")
    site.until_told("work", "web-01", "begun")
    executor = int(re.findall(r"process (\d+) executes it", site.said_by().read_text())[0])

    os.kill(executor, signal.SIGKILL)
    site.serve()
    run = site.until_settled("work")

    assert run.verdict is Verdict.SUCCEEDED
    assert command.wait(20) == 1, "the record has a gap, and the exit code says so"
    assert "clash" not in site.told("work", "web-01")
    assert not of_pieces(site.root)
    assert site.record_is_whole()


def test_an_ansible_that_is_killed_before_it_reached_a_host_is_no_configuration_error(site: Maintenance) -> None:
    site.schedule("work", "web-01")
    site.work("work", seconds=0)
    command = site.start("run", "work")

    until(lambda: ansible_playbooks(site), what="Ansible was started")
    for pid in ansible_playbooks(site):
        os.kill(pid, signal.SIGKILL)
    command.wait(120)

    first = site.store.read(lambda c: pieces.of_run(c, site.runs("work")[0].id))[0]
    entries = site.json("record", "show", "--stream", f"piece:{first.id}")["entries"]
    assert [entry["body"]["status"] for entry in entries if entry["action"] == "end"] == ["failed"]
    assert (first.problem, first.complete) == (None, False)
    assert site.runs("work")[0].verdict is Verdict.SUCCEEDED
    assert site.told("work", "web-01") == ["begun", "done"]


def ansible_playbooks(site: Maintenance) -> list[int]:
    """The processes of ansible-playbook that work for this repository."""
    return [pid for pid, words in of_pieces(site.root).items() if "bin/ansible-playbook" in words]


def test_ctrl_c_finishes_the_batch_and_begins_no_other(site: Maintenance) -> None:
    site.schedule("work", "web-01:web-02", concurrency=1)
    site.work("work", seconds=3)
    command = site.start("run", "work")
    site.until_told("work", "web-01", "begun")

    command.send_signal(signal.SIGINT)

    assert command.wait(60) == 1
    assert "The batch in flight is finished" in site.said_by(0).read_text()
    assert site.runs("work")[0].verdict is Verdict.CANCELLED
    assert site.outcomes("work") == {"web-01": "changed", "web-02": "not_run (cancelled)"}
    assert stops_asked_for(site) == ["finish"]
    assert site.told("work", "web-01") == ["begun", "done"]
    assert site.told("work", "web-02") == []
    until(lambda: site.left() == {}, seconds=20, what="nothing is left")


def test_ctrl_c_twice_ends_it_now(site: Maintenance) -> None:
    site.schedule("work", "web-01")
    site.work("work", seconds=40)
    command = site.start("run", "work")
    site.until_told("work", "web-01", "begun")

    command.send_signal(signal.SIGINT)
    until(lambda: "finished" in site.said_by(0).read_text())
    command.send_signal(signal.SIGINT)

    assert command.wait(30) == 1
    assert site.runs("work")[0].verdict is Verdict.CANCELLED
    assert site.outcomes("work") == {"web-01": "in_doubt"}
    assert stops_asked_for(site) == ["finish", "cancel"]
    until(lambda: site.left() == {}, seconds=20, what="nothing is left")
