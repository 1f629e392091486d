"""A run as people and programs read it: while it goes, and when it has ended."""

from __future__ import annotations

from runner.domain.execution.run import PieceState
from runner.operations.execution.follow_run import is_settled, news
from runner.operations.execution.show_run import RunShown, package_in_words, show_run
from runner.operations.execution.start_run import Wish, start_by_hand
from runner.store.execution import runs
from tests.operations.a_site import LOOK, Bench, all_well


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
