"""A restart is verified: the services that ran before run again, and who does not come back is told apart."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from runner.domain.execution.outcome import Result
from runner.operations.execution.start_run import Wish, start_by_hand
from runner.ports import PieceOrder
from runner.store.execution import outcomes
from tests.operations import a_site
from tests.operations.a_site import LOOK, SCHEDULE, Ansible, Bench, all_well
from tests.operations.conftest import Lay

REBOOT = SCHEDULE + "effect: reboot\nwaves: [{name: all}]\nfailure_budget: 5\n"
Told = Callable[[str, int], tuple[str, str, int]]  # host, look of that host from 0 -> boot, services, uptime


@pytest.fixture
def bench(lay: Lay) -> Bench:
    return lay(schedule=REBOOT)


def looking(monkeypatch: pytest.MonkeyPatch, told: Told) -> list[str]:
    """Each host answers each of its looks as told; gives the hosts that were looked at, in order."""
    looked: list[str] = []

    def text(order: PieceOrder, host: str) -> str:
        boot, services, uptime = told(host, looked.count(host))
        looked.append(host)
        return f"@@ machine\nid-of-{host}\n@@ boot\n{boot}\n@@ uptime\n{uptime}\n@@ services\n{services}@@ packages\n@@ end\n"

    monkeypatch.setattr(a_site, "look_text", text)
    return looked


def run(bench: Bench) -> dict[str, outcomes.HostOutcome]:
    found = start_by_hand("patch", Wish(), site=bench.site)
    bench.play_out(found)
    return {row.host: row for row in bench.site.store.read(lambda c: outcomes.of_run(c, found))}


def test_a_restart_after_which_everything_runs_is_noted_and_well(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    looking(monkeypatch, lambda host, look: (f"boot-{look}", "nginx\trunning\n", 900))

    rows = run(bench)

    assert {row.result.result for row in rows.values()} == {Result.CHANGED}
    assert rows["web-01"].reboot == {"done": True, "needed": False}


def test_a_service_that_does_not_run_after_the_restart_makes_its_host_failed(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def told(host: str, look: int) -> tuple[str, str, int]:
        gone = look and host == "web-02"
        return f"boot-{look}", "cron\trunning\n" + ("" if gone else "nginx\trunning\n"), 900

    looking(monkeypatch, told)

    rows = run(bench)

    result = rows["web-02"].result
    assert (result.result, result.cause) == (Result.FAILED, "service_did_not_start")
    assert result.text == "These services ran before the restart and do not run after it: nginx"
    assert rows["web-01"].result.result.is_good


def test_a_host_that_is_still_starting_up_is_looked_at_again(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    services = {0: "nginx\trunning\n", 1: "", 2: "nginx\trunning\n"}
    looked = looking(monkeypatch, lambda host, look: (f"boot-{min(look, 1)}", services[look], 20))

    rows = run(bench)

    assert looked.count("web-01") == 3
    assert {row.result.result for row in rows.values()} == {Result.CHANGED}


def test_the_looking_again_ends(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    looked = looking(monkeypatch, lambda host, look: (f"boot-{min(look, 1)}", "" if look else "nginx\trunning\n", 20))

    rows = run(bench)

    assert looked.count("web-01") == 4, "once before, three times after"
    assert rows["web-01"].result.cause == "service_did_not_start"


def test_a_service_that_stopped_without_a_restart_is_for_the_checks_to_judge(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    looking(monkeypatch, lambda host, look: ("boot-1", "" if look else "nginx\trunning\n", 900))

    assert {row.result.result.is_good for row in run(bench).values()} == {True}


def never_back(ansible: Ansible) -> Callable[[PieceOrder, str], str]:
    """web-02 is not reached any more once the playbook was played."""

    def script(order: PieceOrder, host: str) -> str:
        played = any(other.playbook.name == "patch.yml" for other in ansible.orders)
        return "unreachable" if order.playbook == LOOK and played and host == "web-02" else all_well(order, host)

    return script


def test_a_host_that_does_not_come_back_is_lost_over_the_restart(bench: Bench) -> None:
    bench.ansible.script = never_back(bench.ansible)

    result = run(bench)["web-02"].result

    assert (result.result, result.cause) == (Result.UNREACHABLE, "lost_after_reboot")


def test_where_nothing_restarts_a_host_it_is_just_not_reached(lay: Lay) -> None:
    bench = lay(schedule=REBOOT.replace("effect: reboot", "effect: change"))
    bench.ansible.script = never_back(bench.ansible)

    assert run(bench)["web-02"].result.cause == "unreachable"
