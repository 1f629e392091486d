"""Alerts outside: a slot waits while one fires for its hosts, and a run that is going draws no further hosts."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from runner.adapters.alerts import Alertmanagers
from runner.domain.execution.alerts import Alert
from runner.domain.execution.next_step import Wait
from runner.domain.execution.outcome import NotRun
from runner.domain.execution.run import SlotOutcome, Verdict
from runner.errors import Held
from runner.operations.describe_hosts import Inventories
from runner.operations.execution.advance_run import advance_run
from runner.operations.execution.plan_occurrence import Asking, plan_occurrence
from runner.operations.execution.start_run import Wish, start_by_hand
from runner.operations.explain_host import explain_host
from runner.operations.summarise_status import recorded_at
from runner.ports import PieceOrder
from runner.store.execution import holds, outcomes, runs
from runner.store.time import slots
from tests.adapters.real_alertmanager import alertmanager
from tests.operations.a_site import HOSTS, LOOK, SATURDAY_NIGHT, SCHEDULE, SETTINGS, Alerts, Bench
from tests.operations.conftest import Lay

HOUR, QUARTER_MINUTE = timedelta(hours=1), timedelta(seconds=15)
OPENS, LAST_START = SATURDAY_NIGHT - HOUR / 2, SATURDAY_NIGHT + 4.75 * HOUR
SERVER = 'alerts: {{alertmanager: {{url: "{}", ignore: [Watchdog]}}}}\n'
WAITS = SCHEDULE + "hold_on: [alerts]\n"
DOWN = Alert("HostDown", {"alertname": "HostDown", "instance": "db-01:9100"})
TOLD = "alerts fire for its hosts: HostDown (db-01)"


@pytest.fixture
def watched(lay: Lay) -> Bench:
    """A schedule that waits for alerts to be over."""
    return lay(settings=SETTINGS + SERVER.format("http://127.0.0.1:9"), schedule=WAITS)


def monitoring(bench: Bench) -> Alerts:
    assert isinstance(bench.site.alerts, Alerts)
    return bench.site.alerts


def begins_after_the_canary(bench: Bench, *alerts: Alert, problem: str = "") -> str:
    """A run during whose canary alerts begin to fire."""

    def hook(order: PieceOrder) -> None:
        if order.playbook != LOOK and not bench.ansible.played():
            monitoring(bench).firing_now, monitoring(bench).problem = alerts, problem

    bench.ansible.before_start = hook
    return start_by_hand("patch", Wish(), site=bench.site)


def goes_on(bench: Bench, run_id: str) -> Wait | None:
    """Let a run go on until it waits for a guard, or has ended."""
    for _ in range(50):
        bench.settle()
        step = advance_run(run_id, site=bench.site, dispatcher=bench.dispatcher)
        if step is None or (isinstance(step, Wait) and step.hold):
            return step
    raise AssertionError("it neither ends nor waits")


def verdict(bench: Bench, run_id: str) -> Verdict | None:
    return bench.site.store.read(lambda c: runs.get(c, run_id)).verdict


def test_an_alert_for_a_host_holds_a_run(watched: Bench) -> None:
    monitoring(watched).firing_now = (DOWN,)

    with pytest.raises(Held, match=r"alerts fire for its hosts: HostDown \(db-01\)"):
        start_by_hand("patch", Wish(), site=watched.site)


@pytest.mark.parametrize("name", ["instance", "host"])
def test_an_alert_for_other_hosts_or_of_a_name_that_is_ignored_holds_nothing(watched: Bench, name: str) -> None:
    monitoring(watched).firing_now = (Alert("HostDown", {name: "mail-01"}), Alert("Watchdog", {name: "db-01"}))

    assert start_by_hand("patch", Wish(), site=watched.site)


def test_an_alert_for_a_host_that_is_left_out_holds_nothing(watched: Bench) -> None:
    monitoring(watched).firing_now = (DOWN,)

    assert start_by_hand("patch", Wish(limit="web"), site=watched.site)


def test_a_monitoring_that_cannot_be_asked_is_no_all_clear(watched: Bench) -> None:
    monitoring(watched).problem = "Alertmanager at http://127.0.0.1:9 cannot be asked: connection refused"

    with pytest.raises(Held, match="cannot be asked: connection refused"):
        start_by_hand("patch", Wish(), site=watched.site)


def test_a_schedule_that_does_not_wait_for_alerts_asks_nobody(lay: Lay) -> None:
    bench = lay(settings=SETTINGS + SERVER.format("http://127.0.0.1:9"))
    monitoring(bench).firing_now = (DOWN,)

    bench.play_out(start_by_hand("patch", Wish(), site=bench.site))

    assert monitoring(bench).asked == 0


def test_check_mode_waits_for_no_alert(watched: Bench) -> None:
    monitoring(watched).firing_now = (DOWN,)
    run_id = start_by_hand("patch", Wish(check_mode=True), site=watched.site)
    watched.play_out(run_id)

    assert (verdict(watched, run_id), monitoring(watched).asked) == (Verdict.SUCCEEDED, 0)


def test_what_fires_now_says_nothing_of_next_week(watched: Bench) -> None:
    monitoring(watched).firing_now = (DOWN,)
    definitions, later = watched.site.current(), SATURDAY_NIGHT + timedelta(days=7)

    assert plan_occurrence("patch", Asking(later), definitions=definitions, site=watched.site).holds == ()


def test_a_slot_waits_and_starts_when_the_alert_is_over(watched: Bench) -> None:
    watched.time.now = OPENS - HOUR
    watched.tick()
    monitoring(watched).firing_now = (DOWN,)
    started = []
    for moment in (OPENS, OPENS + HOUR):
        watched.time.now = moment
        watched.tick()
        started.append(bool(slot_of(watched).run_id))
        monitoring(watched).firing_now = ()

    assert started == [False, True]


def test_a_slot_whose_alert_lasts_settles_as_held_by_it(watched: Bench) -> None:
    watched.time.now = OPENS - HOUR
    watched.tick()
    monitoring(watched).firing_now = (DOWN,)
    for moment in (OPENS, LAST_START - timedelta(minutes=1), LAST_START):
        watched.time.now = moment
        watched.tick()

    assert (slot_of(watched).outcome, slot_of(watched).reason) == (SlotOutcome.HELD, TOLD)


def slot_of(bench: Bench) -> slots.Slot:
    (found,) = bench.site.store.read(lambda c: slots.between(c, OPENS, OPENS + HOUR))
    return found


def test_an_alert_after_the_canary_keeps_further_hosts_from_being_drawn(watched: Bench) -> None:
    run_id = begins_after_the_canary(watched, DOWN)

    waited = goes_on(watched, run_id)

    assert waited is not None
    assert waited.hold is not None
    assert (waited.until, waited.hold.reason) == (watched.time.now + QUARTER_MINUTE, TOLD)
    assert watched.ansible.played() == [("web-01",)]


def test_the_canary_itself_is_still_looked_at(watched: Bench) -> None:
    goes_on(watched, begins_after_the_canary(watched, DOWN))

    assert [order.playbook == LOOK for order in watched.ansible.orders] == [True, False, True]


def test_once_the_alert_is_over_the_run_goes_on(watched: Bench) -> None:
    run_id = begins_after_the_canary(watched, DOWN)
    goes_on(watched, run_id)
    monitoring(watched).firing_now = ()
    watched.ansible.before_start = lambda order: None
    watched.time.pass_by(QUARTER_MINUTE)
    watched.play_out(run_id)

    assert verdict(watched, run_id) is Verdict.SUCCEEDED
    assert watched.ansible.played() == [("web-01",), HOSTS[1:]]


def test_hosts_that_waited_for_it_up_to_the_last_start_are_left_over(watched: Bench) -> None:
    run_id = begins_after_the_canary(watched, DOWN)
    watched.time.now = LAST_START - timedelta(minutes=2)
    watched.play_out(run_id)

    rows = {row.host: row.result.reason for row in watched.site.store.read(lambda c: outcomes.of_run(c, run_id))}
    assert rows == {"web-01": None, **dict.fromkeys(HOSTS[1:], NotRun.CUTOFF)}
    run = watched.site.store.read(lambda c: runs.get(c, run_id))
    assert run.verdict is Verdict.DEGRADED
    assert run.reason == f"the window's last start was reached; up to then it waited: {TOLD}"


def test_why_tells_for_what_a_host_that_was_left_over_had_waited(watched: Bench) -> None:
    run_id = begins_after_the_canary(watched, DOWN)
    watched.time.now = LAST_START - timedelta(minutes=2)
    watched.play_out(run_id)

    among = Inventories(watched.site.current().settings, watched.inventory)
    told = [
        explain_host(host, inventory=None, since=OPENS, among=among, site=watched.site).chances[0]
        for host in ("web-01", "db-02")
    ]
    assert (told[0].guard, told[0].cause) == (None, "done as planned")
    assert told[1].guard == "alerts"
    assert told[1].cause.endswith(f"Up to then the run had waited: {TOLD}")


def test_a_run_that_waited_and_then_went_through_needs_no_reason(watched: Bench) -> None:
    run_id = begins_after_the_canary(watched, DOWN)
    goes_on(watched, run_id)
    monitoring(watched).firing_now = ()
    watched.time.pass_by(QUARTER_MINUTE)
    watched.ansible.before_start = lambda order: None
    watched.play_out(run_id)

    assert watched.site.store.read(lambda c: runs.get(c, run_id)).reason == ""


def test_a_monitoring_that_falls_silent_keeps_further_hosts_from_being_drawn(watched: Bench) -> None:
    run_id = begins_after_the_canary(watched, problem="nobody answers")

    waited = goes_on(watched, run_id)

    assert waited is not None
    assert waited.hold is not None
    assert waited.hold.reason == "nobody answers"


def test_a_run_that_waits_asks_every_quarter_of_a_minute_and_says_what_it_waits_for(watched: Bench) -> None:
    run_id = begins_after_the_canary(watched, DOWN)
    goes_on(watched, run_id)
    asked = monitoring(watched).asked
    for _ in range(30):
        watched.time.pass_by(timedelta(seconds=1))
        goes_on(watched, run_id)

    recorded = watched.site.store.read(lambda c: recorded_at(c, now=watched.time.now))
    (kept,) = watched.site.store.read(lambda c: holds.of_run(c, "patch", run_id))
    assert monitoring(watched).asked == asked + 2
    assert (kept.guard, kept.reason) == ("alerts", TOLD)
    assert recorded.running[0].doing == f"waits: {TOLD}"
    assert not recorded.running[0].silent


def test_what_a_person_has_passed_stays_passed(watched: Bench) -> None:
    monitoring(watched).firing_now = (DOWN,)
    wish = Wish(override="the update is what mends it", until=watched.time.now + HOUR)
    run_id = start_by_hand("patch", wish, site=watched.site)
    watched.play_out(run_id)

    assert verdict(watched, run_id) is Verdict.SUCCEEDED


def test_an_edit_that_ignores_the_alert_lets_the_run_go_on(watched: Bench) -> None:
    run_id = begins_after_the_canary(watched, DOWN)
    goes_on(watched, run_id)
    settings = SETTINGS + SERVER.format("http://127.0.0.1:9").replace("Watchdog", "HostDown")
    (watched.site.root / "wellkept.yml").write_text(settings)
    watched.time.pass_by(QUARTER_MINUTE)
    watched.play_out(run_id)

    assert verdict(watched, run_id) is Verdict.SUCCEEDED


def test_it_all_holds_with_a_real_alertmanager(lay: Lay, tmp_path: Path) -> None:
    with alertmanager(tmp_path) as server:
        bench = lay(settings=SETTINGS + SERVER.format(server.url), schedule=WAITS)
        seconds = [0.0]
        real = Alertmanagers(tmp_path, environ={}, monotonic=lambda: seconds[0])
        bench = bench.but(alerts=real)
        server.fire("Watchdog", instance="db-01:9100")
        server.fire("HostDown", instance="db-01:9100")
        with pytest.raises(Held, match=r"alerts fire for its hosts: HostDown \(db-01\)\n"):
            start_by_hand("patch", Wish(), site=bench.site)

        server.end("HostDown", instance="db-01:9100")
        seconds[0] = 60.0
        run_id = start_by_hand("patch", Wish(), site=bench.site)
        bench.play_out(run_id)

        assert verdict(bench, run_id) is Verdict.SUCCEEDED
