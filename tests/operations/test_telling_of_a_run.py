"""A run as people and programs read it: while it goes, and when it has ended."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

from runner.domain.execution.guards import ALERTS, Hold
from runner.domain.execution.next_step import Wait
from runner.domain.execution.run import PieceState
from runner.domain.execution.waits_for import WaitsFor
from runner.operations.drain_work import drain_work
from runner.operations.execution.advance_run import advance_run
from runner.operations.execution.follow_run import is_settled, news, waiting
from runner.operations.execution.show_run import RunShown, package_in_words, show_run
from runner.operations.execution.start_run import Wish, start_by_hand
from runner.operations.summarise_status import going
from runner.store.execution import holds, runs
from tests.operations.a_site import LOOK, SCHEDULE, Bench, all_well
from tests.operations.conftest import Lay


def a_run(bench: Bench) -> runs.Run:
    run_id = start_by_hand("patch", Wish(), site=bench.site)
    bench.play_out(run_id)
    return bench.site.store.read(lambda c: runs.get(c, run_id))


def told(bench: Bench) -> RunShown:
    return show_run(a_run(bench).id, store=bench.site.store)


def test_a_run_that_went_well_is_told_in_one_sentence(bench: Bench) -> None:
    assert told(bench).summary == "Run 1 succeeded: 5 of 5 hosts done as planned."


def test_a_halted_run_says_why_and_how_many_were_left(bench: Bench) -> None:
    bench.ansible.script = lambda order, host: "failed" if order.playbook != LOOK else "ok"

    found = told(bench)

    assert found.summary == "Run 1 halted: 0 of 5 hosts done as planned, 4 not touched (a canary failed)."
    assert {host.host: host.outcome for host in found.hosts}["db-01"] == "not_run (budget)"
    assert [ticket.state for ticket in found.tickets] == ["open"] * len(found.tickets)
    assert found.tickets


def test_a_run_that_goes_on_says_so(bench: Bench) -> None:
    run_id = start_by_hand("patch", Wish(), site=bench.site)

    found = show_run(run_id, store=bench.site.store)

    assert (found.summary, found.verdict, found.ended) == ("Run 1 is going on.", None, None)
    assert is_settled(run_id, site=bench.site) is None


def test_packages_are_told_before_and_after() -> None:
    assert package_in_words({"name": "nginx", "before": "1.0", "after": "1.1"}) == "nginx 1.0 -> 1.1"
    assert package_in_words({"name": "nginx", "before": None, "after": "1.1"}) == "nginx 1.1 (new)"
    assert (
        package_in_words({"name": "nginx", "before": "1.0", "after": None})
        == "nginx 1.0 (no longer properly installed)"
    )


def test_news_is_told_once_and_in_order(bench: Bench) -> None:
    bench.ansible.script = lambda order, host: "unreachable" if host == "db-02" else all_well(order, host)
    run, said = a_run(bench), set[tuple[str, PieceState]]()

    first = [progress.text for progress in news(run, said, site=bench.site)]

    assert first == ["canary: web-01 changed", "rest: web-02 changed, web-03 changed, db-01 changed"]
    assert list(news(run, said, site=bench.site)) == []


SOAKS = SCHEDULE + "waves: [{name: canary, size: 1, soak: 10m}, {name: rest}]\n"


def until_it_waits(bench: Bench) -> runs.Run:
    """Execute a run up to where nothing can be begun for now."""
    run_id = start_by_hand("patch", Wish(), site=bench.site)
    for _ in range(50):
        bench.settle()
        if (
            isinstance(advance_run(run_id, site=bench.site, dispatcher=bench.dispatcher), Wait)
            and not bench.dispatcher.busy()
        ):
            break
    return bench.site.store.read(lambda c: runs.get(c, run_id))


def waits(bench: Bench, run: runs.Run) -> WaitsFor | None:
    return bench.site.store.read(partial(waiting, run=run, now=bench.site.clock()))


def test_a_wave_that_is_watched_is_told_with_its_end(lay: Lay) -> None:
    bench = lay(schedule=SOAKS)

    run = until_it_waits(bench)

    found = waits(bench, run)
    assert found is not None
    assert found.reason == "the hosts of wave 'canary' are watched before the next wave"
    assert found.until is not None
    assert found.until - bench.time.now <= timedelta(minutes=10)


def test_a_run_that_watches_a_wave_is_silent_for_good_reason(lay: Lay) -> None:
    bench = lay(schedule=SOAKS)
    run = until_it_waits(bench)
    bench.time.pass_by(timedelta(minutes=5))

    seen = bench.site.store.read(partial(going, run=run, now=bench.time.now))

    assert not seen.silent
    assert seen.doing == "waits: the hosts of wave 'canary' are watched before the next wave"


def test_what_a_guard_says_is_what_a_run_waits_for(bench: Bench) -> None:
    run_id = start_by_hand("patch", Wish(), site=bench.site)
    run = bench.site.store.read(lambda c: runs.get(c, run_id))
    hold = Hold(ALERTS, "alert HighLoad fires for web-01")
    bench.site.store.write(partial(holds.keep, hold=hold, schedule="patch", run_id=run_id, at=bench.time.now))

    assert waits(bench, run) == WaitsFor("alert HighLoad fires for web-01")


def test_while_somebody_drains_that_is_what_a_run_waits_for(bench: Bench) -> None:
    run_id = start_by_hand("patch", Wish(), site=bench.site)
    run = bench.site.store.read(lambda c: runs.get(c, run_id))
    drain_work("new memory", by=bench.site.actor, store=bench.site.store, clock=bench.time)

    assert waits(bench, run) == WaitsFor("drained by ana: new memory")


def test_a_run_that_works_waits_for_nothing(bench: Bench) -> None:
    seen: list[WaitsFor | None] = []
    bench.ansible.while_running = lambda _piece: seen.append(waits(bench, bench.site.store.read(runs.live)[0]))

    run = a_run(bench)

    assert set(seen) == {None}
    assert waits(bench, run) is None
