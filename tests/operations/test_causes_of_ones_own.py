"""Causes of one's own, from the file to the ticket: the run's own snapshot of them counts, and each result keeps by which rules it was judged."""

from __future__ import annotations

import re

from runner.domain.tickets.cause import CAUSE_RULES_VERSION, CauseClass
from runner.operations.execution.show_run import HostOfRun, show_run
from runner.operations.execution.start_run import Wish, start_by_hand
from runner.store.execution import outcomes, pieces
from runner.store.tickets import tickets
from tests.operations.a_site import LOOK, Bench

OWN = """\
causes:
  - cause: service_did_not_start
    match: "error processing package nginx"
    example: "dpkg: error processing package nginx (--configure)"
    words:
      happened: "The shop program on {host} could not be renewed."
      means: "{service} waits for it."
      needed: "Ask the shop team."
"""
OURS_AND_OWN = rf"{CAUSE_RULES_VERSION}\+[0-9a-f]{{12}}"


def write_rules(bench: Bench, text: str = OWN) -> None:
    (bench.site.root / "schedules" / "causes.yml").write_text(text)


def a_failing_run(bench: Bench) -> str:
    bench.ansible.script = lambda order, host: "failed" if order.playbook != LOOK else "ok"
    run_id = start_by_hand("patch", Wish(), site=bench.site)
    bench.play_out(run_id)
    return run_id


def failed_in(run_id: str, bench: Bench) -> HostOfRun:
    return next(host for host in show_run(run_id, store=bench.site.store).hosts if host.outcome == "failed")


def test_without_rules_of_ones_own_each_result_keeps_the_number_of_ours(bench: Bench) -> None:
    failed = failed_in(a_failing_run(bench), bench)

    assert (failed.cause, failed.cause_rules) == (CauseClass.PACKAGE_BROKEN, str(CAUSE_RULES_VERSION))


def test_a_rule_of_ones_own_names_the_cause_and_its_words_reach_the_ticket(bench: Bench) -> None:
    write_rules(bench)

    run_id = a_failing_run(bench)

    failed = failed_in(run_id, bench)
    ticket = next(t for t in bench.site.store.read(tickets.live) if "web-01" in t.hosts)
    assert failed.cause == CauseClass.SERVICE_DID_NOT_START
    assert re.fullmatch(OURS_AND_OWN, failed.cause_rules or "")
    assert failed.words == "The shop program on web-01 could not be renewed. Ask the shop team."
    assert ticket.title == "The shop program on web-01 could not be renewed"
    assert ticket.plain_words.means == "Whatever depends on this server waits for it."
    assert ticket.plain_words.done.startswith("The work on web-01 went no further.")


def test_pieces_and_outcomes_keep_the_same_rules_and_words(bench: Bench) -> None:
    write_rules(bench)

    run_id = a_failing_run(bench)

    outcome = next(
        row.result for row in bench.site.store.read(lambda c: outcomes.of_run(c, run_id)) if row.result.cause
    )
    told = bench.site.store.read(lambda c: pieces.results_of_run(c, run_id))
    of_piece = next(result for results in told.values() for result in results.values() if result.cause)
    assert outcome.own_words is not None
    assert (of_piece.cause_rules, of_piece.own_words) == (outcome.cause_rules, outcome.own_words)


def test_a_run_goes_by_the_rules_as_they_were_when_it_was_claimed(bench: Bench) -> None:
    write_rules(bench)
    bench.ansible.script = lambda order, host: "failed" if order.playbook != LOOK else "ok"
    run_id = start_by_hand("patch", Wish(), site=bench.site)

    write_rules(bench, OWN.replace("service_did_not_start", "memory"))
    bench.play_out(run_id)

    assert failed_in(run_id, bench).cause == CauseClass.SERVICE_DID_NOT_START
