"""Going on with what a run left over: the same work, on the hosts that did not end well, and nothing done twice."""

from __future__ import annotations

from datetime import timedelta

import pytest

from runner.domain.execution.run import RunState, Trigger, Verdict
from runner.domain.record.record import run_stream
from runner.errors import Held, UsageError
from runner.operations.execution.continue_run import continue_run
from runner.operations.execution.start_run import Wish, start_by_hand
from runner.ports import PieceOrder
from runner.store.execution import runs
from runner.store.record import log
from tests.operations.a_site import LOOK, PLAYBOOK, SCHEDULE, Bench, Fate
from tests.operations.conftest import Lay


def run_of(bench: Bench, run_id: str) -> runs.Run:
    return bench.site.store.read(lambda c: runs.get(c, run_id))


def failing_on(*hosts: str) -> object:
    def script(order: PieceOrder, host: str) -> Fate:
        return "ok" if order.playbook == LOOK else "failed" if host in hosts else "changed"

    return script


def ended(bench: Bench, *failed: str, check_mode: bool = False) -> runs.Run:
    """A run that failed on these hosts, and so left over those that it had not reached yet."""
    bench.ansible.script = failing_on(*failed)  # type: ignore[assignment]
    run_id = start_by_hand("patch", Wish(check_mode=check_mode), site=bench.site)
    bench.play_out(run_id)
    bench.ansible.script = failing_on()  # type: ignore[assignment]
    bench.ansible.orders.clear()
    return run_of(bench, run_id)


def test_only_the_hosts_that_did_not_end_well_are_gone_on_with(lay: Lay) -> None:
    bench = lay(schedule=SCHEDULE + "concurrency: 1\n")
    first = ended(bench, "web-02")

    second = run_of(bench, continue_run(first, site=bench.site))
    bench.play_out(second.id)

    assert first.verdict is Verdict.HALTED
    assert second.trigger is Trigger.CONTINUED
    assert second.plan.hosts == ("web-02", "web-03", "db-01", "db-02")
    assert [hosts for order in bench.ansible.played() for hosts in order] == ["web-02", "web-03", "db-01", "db-02"]
    assert run_of(bench, second.id).verdict is Verdict.SUCCEEDED
    opening = next(iter(bench.site.store.read(lambda c: list(log.entries(c, run_stream(second.id)))))).content
    assert (opening["trigger"], opening["continues"]) == ("continued", first.number)


def test_a_run_that_is_alive_is_gone_on_with_itself(bench: Bench) -> None:
    run_id = start_by_hand("patch", Wish(), site=bench.site)

    assert continue_run(run_of(bench, run_id), site=bench.site) == run_id
    assert run_of(bench, run_id).state is RunState.RUNNING


def test_a_run_that_left_nobody_over_is_not_gone_on_with(bench: Bench) -> None:
    first = ended(bench)

    with pytest.raises(UsageError, match="left no host over: each of its 5 ended as it should"):
        continue_run(first, site=bench.site)


def test_a_run_that_only_looked_is_not_gone_on_with(bench: Bench) -> None:
    first = ended(bench, "web-01", check_mode=True)

    with pytest.raises(UsageError, match="only looked"):
        continue_run(first, site=bench.site)


def test_what_has_changed_is_told_and_nothing_is_started(bench: Bench) -> None:
    first = ended(bench, "web-01")
    (bench.site.root / "playbooks" / "patch.yml").write_text(PLAYBOOK.replace("Upgrade", "Upgrade everything"))
    (bench.site.root / "schedules" / "patch.yml").write_text(SCHEDULE + "concurrency: 3\n")

    with pytest.raises(Held) as refused:
        continue_run(first, site=bench.site)

    told = str(refused.value)
    assert "concurrency has another value" in told
    assert "playbooks/patch.yml was edited" in told
    assert "wellkept run patch --limit 'web-01:web-02:web-03:db-01:db-02'" in told
    assert bench.ansible.orders == []


def test_every_guard_is_asked(bench: Bench) -> None:
    first = ended(bench, "web-01")
    bench.time.pass_by(timedelta(hours=12))

    with pytest.raises(Held, match="is closed"):
        continue_run(first, site=bench.site)


def test_a_host_that_is_gone_since_is_not_waited_for(lay: Lay) -> None:
    bench = lay(schedule=SCHEDULE + "concurrency: 1\n")
    first = ended(bench, "web-02")
    bench.inventory.hosts = tuple(host for host in bench.inventory.hosts if host != "db-02")

    second = run_of(bench, continue_run(first, site=bench.site))

    assert second.plan.hosts == ("web-02", "web-03", "db-01")
