"""What each piece of a run asks of Ansible or of probes, and what it makes of the answers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from runner.domain.execution.outcome import NotRun, Result
from runner.domain.execution.run import Stage, Verdict
from runner.domain.health import Answer, Check
from runner.domain.record.record import INSTALLATION
from runner.operations.execution.start_run import Wish, start_by_hand
from runner.ports import PieceOrder
from runner.store import health
from runner.store.execution import debts, outcomes, pieces, runs
from runner.store.record import log, observations
from runner.store.tickets import tickets
from tests.operations.a_site import HOSTS, LOOK, SATURDAY_NIGHT, SCHEDULE, WINDOWS, Bench, all_well, look_text
from tests.operations.conftest import Lay

WHOLE = SCHEDULE + "split: whole\n"
CHECKED = SCHEDULE + "before: [playbooks/ready.yml]\nafter: [health:answers]\n"
HEALTH = 'health: {answers: {probe: ssh, run: "true", hosts: all, every: 1m, down_after: 2}}\n'
READY = "- {name: Ready, hosts: all, tasks: [{name: Enough room, ansible.builtin.command: df}]}\n"


@dataclass
class Probing:
    """Answers health checks as the test wants."""

    exit_codes: Mapping[str, int] = field(default_factory=dict)
    asked: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)

    def ask(self, check: Check, hosts: Mapping[str, Mapping[str, object]]) -> Iterator[Answer]:
        self.asked.append((check.name, tuple(hosts)))
        for host in hosts:
            yield Answer(check.name, host, reached=True, exit_code=self.exit_codes.get(host, 0))


def run(bench: Bench, wish: Wish | None = None) -> runs.Run:
    run_id = start_by_hand("patch", wish or Wish(), site=bench.site)
    bench.play_out(run_id)
    return bench.site.store.read(lambda c: runs.get(c, run_id))


def rows(bench: Bench, run: runs.Run) -> dict[str, outcomes.HostOutcome]:
    return {row.host: row for row in bench.site.store.read(lambda c: outcomes.of_run(c, run.id))}


def stages(bench: Bench, run: runs.Run) -> list[tuple[Stage, int]]:
    return [(piece.stage, piece.step) for piece in bench.site.store.read(lambda c: pieces.of_run(c, run.id))]


def checked(lay: Lay, probe: Probing, **changes: str) -> Bench:
    schedule = changes.pop("schedule", CHECKED)
    return lay(schedule=schedule, health=HEALTH, ready=READY, **changes).but(probe=probe)


@pytest.fixture
def without_ready(lay: Lay) -> Callable[[Probing], Bench]:
    return lambda probe: checked(lay, probe, schedule=SCHEDULE + "after: [health:answers]\n")


def test_one_call_for_all_hosts_has_no_limit_and_is_one_batch(lay: Lay) -> None:
    bench = lay(schedule=WHOLE)

    ended = run(bench)

    applied = [order for order in bench.ansible.orders if order.playbook != LOOK]
    assert [(order.limit, order.forks) for order in applied] == [(None, 5)]
    assert [order.limit for order in bench.ansible.orders if order.playbook == LOOK] == [HOSTS, HOSTS]
    assert ended.verdict is Verdict.SUCCEEDED


@pytest.mark.parametrize(("reserve", "verdict"), [("1h", Verdict.DEGRADED), ("20m", Verdict.SUCCEEDED)])
def test_a_host_without_a_past_begins_only_when_its_reserve_fits(lay: Lay, reserve: str, verdict: Verdict) -> None:
    bench = lay(schedule=SCHEDULE + f"reserve: {reserve}\n", windows=WINDOWS.replace("45m", "5m"))
    bench.time.now = SATURDAY_NIGHT.replace(day=22, hour=3, minute=30)

    ended = run(bench)

    left_out = {row.result.reason for row in rows(bench, ended).values()}
    assert (NotRun.NO_ROOM in left_out) is (verdict is Verdict.DEGRADED)
    assert ended.verdict is verdict


def test_one_call_for_all_hosts_touches_nobody_when_one_of_them_is_not_fit(lay: Lay) -> None:
    bench = lay(schedule=WHOLE)
    bench.ansible.script = lambda order, host: "unreachable" if host == "db-02" else all_well(order, host)

    ended = run(bench)

    assert bench.ansible.played() == []
    assert ended.verdict is Verdict.HALTED
    assert ended.reason == "no host passed its pre-check, so nobody was touched"


def test_steps_before_and_after_happen_in_their_order(without_ready: Callable[[Probing], Bench]) -> None:
    probe = Probing()
    bench = without_ready(probe)

    ended = run(bench, Wish(limit="db"))

    assert stages(bench, ended) == [
        (Stage.PRE_CHECK, 0),
        (Stage.APPLY, 0),
        (Stage.POST_CHECK, 0),
        (Stage.POST_CHECK, 1),
    ]
    assert probe.asked == [("answers", ("db-01", "db-02"))]


def test_a_host_that_its_health_check_finds_ill_afterwards_has_failed(
    without_ready: Callable[[Probing], Bench],
) -> None:
    bench = without_ready(Probing({"web-01": 1}))

    ended = run(bench)

    row = rows(bench, ended)["web-01"].result
    assert (row.result, row.cause, row.task) == (Result.FAILED, "post_check_failed", "health check answers")
    assert ended.verdict is Verdict.HALTED


def test_a_health_check_before_refuses_a_host_and_the_next_one_is_the_canary(lay: Lay) -> None:
    schedule = SCHEDULE + "before: [health:answers]\n"
    bench = lay(schedule=schedule, health=HEALTH).but(probe=Probing({"web-01": 1}))

    ended = run(bench)

    row = rows(bench, ended)["web-01"].result
    assert (row.result, row.reason) == (Result.NOT_RUN, NotRun.PRE_CHECK)
    assert "web-01" not in [host for hosts in bench.ansible.played() for host in hosts]
    assert ended.verdict is Verdict.DEGRADED


def test_findings_of_a_step_are_confirmed_and_recorded_like_any_others(
    without_ready: Callable[[Probing], Bench],
) -> None:
    bench = without_ready(Probing({"web-01": 1}))

    run(bench)

    states = {state.host: state for state in bench.site.store.read(health.states)}
    changes = [json.loads(e.body) for e in bench.site.store.read(lambda c: list(log.entries(c, INSTALLATION)))]
    assert states["web-01"].failures == 1
    assert str(states["web-01"].condition) == "unknown", "down_after is two: once is not confirmed"
    assert [body for body in changes if body["action"] == "health.changed"] == []


def test_a_playbook_before_decides_who_is_fit(lay: Lay) -> None:
    bench = checked(lay, Probing())
    bench.ansible.script = lambda order, host: (
        "failed" if order.playbook.name == "ready.yml" and host == "web-02" else all_well(order, host)
    )

    ended = run(bench)

    found = rows(bench, ended)["web-02"].result
    assert (found.result, found.reason) == (Result.NOT_RUN, NotRun.PRE_CHECK)
    assert ("web-03", "db-01", "db-02") in bench.ansible.played()


def test_a_check_that_no_play_of_is_for_a_host_is_passed_by_it(lay: Lay) -> None:
    bench = checked(lay, Probing())
    bench.ansible.script = lambda order, host: (
        "absent" if order.playbook.name == "ready.yml" and host.startswith("db") else all_well(order, host)
    )

    assert run(bench).verdict is Verdict.SUCCEEDED


def test_a_piece_that_was_ended_at_its_time_limit_fails_whoever_was_not_done(lay: Lay) -> None:
    bench = lay(schedule=SCHEDULE + "time_limit: 1h\n")
    bench.ansible.script = lambda order, host: "lost" if order.playbook != LOOK else "ok"
    bench.ansible.how = "timed_out"

    ended = run(bench)

    applied = next(order for order in bench.ansible.orders if order.playbook != LOOK)
    row = rows(bench, ended)["web-01"].result
    assert applied.time_limit == timedelta(hours=1)
    assert (row.result, row.cause) == (Result.FAILED, "time_out")
    assert ended.verdict is Verdict.HALTED


def test_check_mode_needs_no_window_and_passes_check_to_ansible_but_not_to_the_look(bench: Bench) -> None:
    bench.time.pass_by(timedelta(hours=12))

    ended = run(bench, Wish(check_mode=True))

    assert {order.check for order in bench.ansible.orders if order.playbook != LOOK} == {True}
    assert {order.check for order in bench.ansible.orders if order.playbook == LOOK} == {False}
    assert ended.verdict is Verdict.SUCCEEDED
    assert ended.plan.ends is None


def looks_that_change(order: PieceOrder, host: str, *, seen: set[str]) -> str:
    """nginx 1.0 at the first look at a host, 1.1 at any later one."""
    text = look_text(order, host)
    if host in seen:
        return text.replace("1.0", "1.1")
    seen.add(host)
    return text


@pytest.fixture
def patched(monkeypatch: pytest.MonkeyPatch) -> None:
    """Packages change between two looks."""
    seen: set[str] = set()
    monkeypatch.setattr("tests.operations.a_site.look_text", lambda o, h: looks_that_change(o, h, seen=seen))


@pytest.mark.usefixtures("patched")
def test_what_changed_is_told_by_comparing_the_host_before_and_after(bench: Bench) -> None:
    bench.ansible.script = lambda order, host: "ok"

    ended = run(bench)

    row = rows(bench, ended)["web-01"]
    assert row.result.result is Result.CHANGED
    assert [dict(change) for change in row.packages] == [{"name": "nginx", "before": "1.0", "after": "1.1"}]


@pytest.mark.usefixtures("patched")
def test_check_mode_claims_no_package_that_changed_meanwhile(bench: Bench) -> None:
    bench.ansible.script = lambda order, host: "ok"

    ended = run(bench, Wish(check_mode=True))

    row = rows(bench, ended)["web-01"]
    assert row.result.result is Result.OK
    assert list(row.packages) == []


def test_check_mode_books_and_pays_no_debts(bench: Bench) -> None:
    bench.ansible.script = lambda order, host: "unreachable" if host == "db-02" else all_well(order, host)
    run(bench, Wish(check_mode=True))
    assert owed(bench) == {}

    run(bench)
    bench.ansible.script = all_well
    run(bench, Wish(check_mode=True))

    assert owed(bench) == {"db-02": 1}


def owed(bench: Bench) -> dict[str, int]:
    return {
        debt.host: debt.windows for debt in bench.site.store.read(lambda c: debts.of_schedule(c, "production", "patch"))
    }


def test_a_debt_older_than_three_windows_no_longer_reorders(bench: Bench) -> None:
    bench.ansible.script = lambda order, host: "unreachable" if host == "db-02" else all_well(order, host)
    for _ in range(3):
        run(bench)
        bench.time.pass_by(timedelta(minutes=1))
    carried = start_and_drop(bench)

    run(bench)
    old = start_and_drop(bench)

    assert carried == ("db-02",)
    assert owed(bench) == {"db-02": 4}
    assert old == ()


def start_and_drop(bench: Bench) -> tuple[str, ...]:
    from runner.operations.execution.plan_occurrence import Asking, plan_occurrence

    plan = plan_occurrence("patch", Asking(bench.time.now), definitions=bench.site.current(), site=bench.site)
    return plan.run.carried


def test_a_run_of_some_hosts_pays_only_their_debts(bench: Bench) -> None:
    bench.ansible.script = lambda order, host: "unreachable" if host.startswith("db") else all_well(order, host)
    run(bench)
    bench.ansible.script = all_well

    run(bench, Wish(limit="db-01"))

    assert owed(bench) == {"db-02": 1}


def test_a_play_that_matched_nobody_at_all_makes_the_run_degraded(bench: Bench) -> None:
    bench.ansible.unmatched = lambda order: ("Mail servers",) if order.playbook != LOOK else ()

    assert run(bench).verdict is Verdict.DEGRADED


def test_a_play_that_matched_somebody_in_another_batch_is_no_trouble(bench: Bench) -> None:
    bench.ansible.unmatched = lambda order: ("Databases",) if order.limit == ("web-01",) else ()

    assert run(bench).verdict is Verdict.SUCCEEDED


def test_tags_and_variables_are_for_the_schedules_own_playbook(lay: Lay) -> None:
    bench = checked(lay, Probing(), schedule=CHECKED + "tags: [security]\nextra_vars: {scope: all}\n")

    run(bench)

    by_name = {order.playbook.name: (order.tags, dict(order.extra_vars)) for order in bench.ansible.orders}
    assert by_name["patch.yml"] == (("security",), {"scope": "all"})
    assert by_name["ready.yml"] == ((), {"scope": "all"})
    assert by_name["look.yml"] == ((), {})


def test_what_is_seen_on_a_host_is_an_observation_with_its_machine(bench: Bench) -> None:
    run(bench)

    assert bench.site.store.read(lambda c: observations.machine_ids(c, "production")) == {
        h: f"id-of-{h}" for h in HOSTS
    }


def test_a_host_where_somebody_elses_package_manager_is_at_work_is_not_refused_for_it(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    busy = "@@ processes\n4711 apt-get dist-upgrade\n@@ end\n"
    monkeypatch.setattr(
        "tests.operations.a_site.look_text", lambda order, host: look_text(order, host).replace("@@ end\n", busy)
    )

    assert run(bench).verdict is Verdict.SUCCEEDED


def test_a_look_that_was_cut_off_refuses_its_host(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def cut_off(order: PieceOrder, host: str) -> str:
        text = look_text(order, host)
        return text.removesuffix("@@ end\n") if host == "web-02" else text

    monkeypatch.setattr("tests.operations.a_site.look_text", cut_off)

    ended = run(bench)

    assert rows(bench, ended)["web-02"].result.reason is NotRun.PRE_CHECK
    assert "cut off" in rows(bench, ended)["web-02"].result.text


def test_trouble_is_one_ticket_per_cause(bench: Bench) -> None:
    bench.ansible.script = lambda order, host: "failed" if order.playbook != LOOK else "ok"

    run(bench)

    live = bench.site.store.read(tickets.live)
    assert len([ticket for ticket in live if "web-01" in ticket.hosts]) == 1
