"""What an audit report says about a month, by the rows that the store kept."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from runner.domain.execution.outcome import HostResult, NotRun, Result
from runner.domain.execution.run import SlotOutcome, SlotState, Verdict
from runner.domain.execution.schedule import Kind
from runner.domain.tickets.cause import PlainWords
from runner.domain.time.period import parse_period
from runner.domain.who import Actor
from runner.reporting.audit import audit_report
from runner.reporting.document import to_html, to_json
from runner.reporting.lines import CadenceLine, HostLine
from runner.reporting.material import Scope
from runner.reporting.values import AuditReport
from runner.reporting.words import Tone
from runner.store.database import Store
from runner.store.execution import inventories, pauses, runs
from runner.store.record.report_rows import of_period
from runner.store.time import slots
from runner.store.transaction import Transaction
from tests.reporting.a_month import (
    ANA,
    BERLIN,
    BROKEN,
    OCTOBER,
    PATCH_DB,
    PATCH_WEB,
    SALE,
    WRITTEN_AT,
    Ended,
    a_heading,
    a_month,
    a_run,
    counted_ids,
    ledger,
    new_store,
    report_of,
    updated,
)

NOVEMBER = parse_period("2026-11", today=WRITTEN_AT.date(), zone=BERLIN)


def line_of(report: AuditReport, run: int, host: str) -> HostLine:
    (found,) = [line for each in report.hosts if each.run == run for line in each.hosts if line.host == host]
    return found


def said(report: AuditReport) -> str:
    return " ".join(finding.text for finding in report.summary.findings)


def test_every_planned_slot_is_counted_under_exactly_one_outcome(report: AuditReport) -> None:
    parts = report.summary.parts

    counted = [slot for part in parts for slot in part.slots]
    assert sorted(counted) == sorted(line.id for line in report.schedule)
    assert [(part.status.code, part.count) for part in parts] == [
        ("succeeded", 2),
        ("halted", 1),
        ("missed", 1),
        ("frozen", 1),
    ]
    assert sum(part.percent for part in parts) == pytest.approx(100)


def test_duties_that_are_done_and_missed_are_counted_among_the_slots(store: Store) -> None:
    duty = replace(PATCH_WEB, name="drill", title="Restore rehearsal", kind=Kind.MANUAL, playbook="", hosts="")
    first, second, *rest = ledger(store, duty, ())
    store.write(lambda c: slots.mark_due(c, now=OCTOBER.ends))
    ends = [(first, SlotOutcome.DONE, "done by ana: restored"), (second, SlotOutcome.MISSED, "nobody had said so")]
    ends += [(slot, SlotOutcome.DONE, "done by ana: again") for slot in rest]
    for slot, outcome, reason in ends:
        store.write(partial(settle_slot, slot=slot, outcome=outcome, reason=reason))

    report = report_of(store)

    parts = {part.status.code: part for part in report.summary.parts}
    assert (parts["done"].count, parts["missed"].count) == (1 + len(rest), 1)
    assert parts["done"].status.tone == Tone.GOOD
    assert sum(part.percent for part in parts.values()) == pytest.approx(100)
    assert report.schedule[0].reason == "done by ana: restored"


def settle_slot(connection: Transaction, *, slot: slots.Slot, outcome: SlotOutcome, reason: str) -> bool:
    return slots.settle(connection, slot.id, outcome=outcome, reason=reason, was=SlotState.DUE, at=slot.closes_at)


def test_runs_by_hand_are_told_apart_and_fill_no_slot(report: AuditReport) -> None:
    assert (report.summary.planned, report.summary.runs, report.summary.by_hand) == (5, 4, (3,))


def test_a_host_that_never_answered_counts_as_not_done(report: AuditReport) -> None:
    hosts = report.summary.hosts

    assert (hosts.in_scope, hosts.reached.count, hosts.done.count) == (5, 4, 4)
    assert "db-02" not in hosts.done.hosts
    assert (hosts.done.percent, hosts.done.low, hosts.done.high) == (80.0, 37.6, 96.4)


def test_a_host_on_which_nothing_was_tried_counts_as_not_done(store: Store) -> None:
    store.write(lambda c: inventories.remember(c, "production", ("web-01", "web-09"), at=SALE.starts))
    a_run(store, PATCH_WEB, updated("web-01"), at=WRITTEN_AT - timedelta(days=10))

    report = report_of(store)

    assert [(standing.host, standing.status.code) for standing in report.standings] == [
        ("web-01", "done"),
        ("web-09", "never_seen"),
    ]
    assert report.summary.hosts.done.percent == 50.0
    assert "web-09 belongs to the servers that are looked after, but no change was tried there." in said(report)


def test_a_host_that_a_person_retired_in_time_is_out_of_scope(store: Store) -> None:
    store.write(lambda c: inventories.remember(c, "production", ("web-01", "web-09"), at=SALE.starts))
    store.write(lambda c: inventories.retire(c, "production", "web-09", by=Actor("ana"), at=SALE.starts, reason="sold"))

    report = report_of(store)

    assert [standing.host for standing in report.standings] == ["web-01"]


def test_check_mode_and_read_only_work_do_not_make_a_host_done(store: Store) -> None:
    run_id = a_run(store, PATCH_WEB, updated("web-01"), at=WRITTEN_AT - timedelta(days=10))
    rows = store.read(lambda c: of_period(c, starts=OCTOBER.starts, ends=OCTOBER.ends))
    looked_at = tuple(replace(run, check_mode=True) for run in rows.runs if run.id == run_id)

    report = audit_report(replace(rows, runs=looked_at), period=OCTOBER, zone=BERLIN, heading=a_heading())

    assert [standing.status.code for standing in report.standings] == ["never_seen"]


def test_the_first_thing_said_is_the_worst(report: AuditReport) -> None:
    tones = [finding.tone for finding in report.summary.findings]

    assert tones == ["bad", "bad", "partly", "partly", "neutral"]
    assert report.summary.findings[0].text.startswith("db-02 did not answer in the whole period.")


def test_a_failure_is_told_in_plain_words_and_that_it_is_mended(report: AuditReport) -> None:
    assert 'The installation of "nginx-common" on web-02 stopped half-way. It has been put right since.' in said(report)


def test_a_failure_that_lasts_says_what_it_means(store: Store) -> None:
    full = HostResult("web-01", Result.FAILED, cause="disk_full", text="No space left on device")
    a_run(store, PATCH_WEB, {"web-01": Ended(full)}, at=WRITTEN_AT - timedelta(days=10), verdict=Verdict.FAILED)

    report = report_of(store)

    assert "There is too little free disk space on web-01. Updates can't be installed there" in said(report)
    assert "The web shop may be affected at any time." in said(report)


def test_work_outside_its_window_is_the_first_finding_unless_somebody_allowed_it(store: Store) -> None:
    slot, *_ = ledger(store, PATCH_WEB, [])
    a_run(store, PATCH_WEB, updated("web-01"), slot=slot, late=timedelta(hours=3, minutes=30))

    report = report_of(store)

    assert report.schedule[0].outside.startswith("started 30m after the latest time to start")
    assert report.summary.findings[0].text.startswith("patch-web worked outside its maintenance window")


def test_a_missed_slot_says_when_and_why(report: AuditReport) -> None:
    (missed,) = [line for line in report.schedule if line.status.code == "missed"]

    assert (missed.run, missed.reason) == (None, "Wellkept was not running during the whole window")
    assert "patch-db was not done in time on Sat 10 Oct 2026" in said(report)


def test_a_frozen_slot_has_nothing_usable_and_names_its_freeze(report: AuditReport) -> None:
    (frozen,) = [line for line in report.schedule if line.status.code == "frozen"]

    assert frozen.usable_seconds == 0
    assert "cut by the change freeze autumn-sale" in frozen.notes


def test_windows_are_told_in_local_time_and_utc_over_the_change_of_the_clocks(report: AuditReport) -> None:
    last = report.schedule[-1]

    assert (last.opens.local, last.opens.utc, last.opens.zone) == (
        "2026-10-25T02:00:00+02:00",
        "2026-10-25T00:00:00Z",
        "CEST",
    )
    assert (last.closes.local, last.closes.zone) == ("2026-10-25T05:00:00+01:00", "CET")
    assert last.late_seconds == 720


def test_a_change_names_who_what_and_which_state_of_the_files(report: AuditReport) -> None:
    by_hand = report.changes[2]

    assert (by_hand.requested_by, by_hand.trigger.words, by_hand.type) == (
        "ana",
        "by hand",
        "standard (authorised in advance)",
    )
    assert by_hand.commit
    assert len(by_hand.commit) == 40
    assert by_hand.dirty is False
    assert by_hand.targets == ("db-01", "db-02")
    assert [wave.name for wave in by_hand.waves] == ["canary", "rest"]
    assert by_hand.overrides == (report.overrides[0].id,)


def test_hosts_tell_packages_before_and_after_restarts_and_checks(report: AuditReport) -> None:
    first, failed, spared = (line_of(report, 2, host) for host in ("web-01", "web-02", "web-03"))

    assert first.packages
    assert (first.packages[1].name, first.packages[1].before, first.packages[1].after) == (
        "nginx",
        "1.22.1-9+deb12u2",
        "1.22.1-9+deb12u3",
    )
    assert [check.name for check in first.checks] == ["connection and inspection", "playbooks/health/after-patch.yml"]
    assert failed.explanation == 'The installation of "nginx-common" on web-02 stopped half-way.'
    assert failed.restart
    assert failed.restart.words == "Restart still needed"
    assert (spared.status.words, spared.packages, spared.restart) == ("Not touched", None, None)
    assert spared.explanation == "The run had stopped by its safety limit before this server's turn came."


def test_tickets_carry_their_plain_words_and_what_resolved_them(report: AuditReport) -> None:
    broken = report.tickets[1]

    assert (broken.hosts, broken.status.code, broken.count) == (("web-02",), "resolved", 1)
    assert set(broken.words) == {"happened", "means", "done", "needed"}
    assert [run.label for run in broken.runs] == ["run 2"]
    assert broken.resolution.startswith("Run 4 of")
    assert report.summary.tickets.live_at_the_end == (3,)


def test_an_override_names_person_reason_and_end(report: AuditReport) -> None:
    (override,) = report.overrides

    assert (override.by, override.guards, override.run) == ("ana", ("maintenance window",), 3)
    assert override.reason.startswith("CVE-2026-31337")
    assert override.until.utc == "2026-10-13T20:05:00Z"


def test_a_pause_names_person_reason_end_and_the_slots_that_it_left_out(store: Store) -> None:
    first, second, *_ = ledger(store, PATCH_WEB, [])
    ordered = first.opens_at - timedelta(hours=5)
    until = first.closes_at + timedelta(days=2)

    def write(connection):  # type: ignore[no-untyped-def]
        long_ago = OCTOBER.starts - timedelta(days=9)
        pauses.start(connection, reason="before", by=ANA, at=long_ago, until=OCTOBER.starts)
        pauses.start(connection, reason="the move", by=ANA, at=ordered, until=until, hosts="web")
        pauses.start(connection, reason="later", by=ANA, at=second.closes_at)
        slots.mark_due(connection, now=first.opens_at)
        slots.settle(connection, first.id, outcome="paused", reason="the move", was=SlotState.DUE, at=first.closes_at)

    store.write(write)

    report = report_of(store)

    move, later = report.pauses
    assert (move.by, move.hosts, move.reason, move.ended_by) == ("ana", "web", "the move", None)
    assert (move.since.utc, move.ended) == (f"{ordered:%Y-%m-%dT%H:%M:%SZ}", move.until)
    assert [slot.id for slot in move.slots] == [first.id]
    assert (later.until, later.ended, later.slots) == (None, None, ())
    page = to_html(to_json(report)).decode()
    assert "1 left out:" in page
    assert "no end was set" in page


def test_work_on_a_cadence_is_counted_over_the_days_of_the_period(report: AuditReport) -> None:
    days = {"days": 31, "first": "2026-10-01", "last": "2026-10-31"}

    assert report.cadence == (
        CadenceLine("look-for-updates", is_check=False, expected=744, done=742, late=0, missed=2, **days),
        CadenceLine("disk", is_check=True, expected=8928, done=8928, late=31, missed=0, **days),
    )


def test_a_period_that_begins_in_the_middle_of_a_utc_day_has_none_of_it(october: Store) -> None:
    one_day = parse_period("2026-10-02..2026-10-03", today=date(2026, 11, 2), zone=BERLIN)

    report = report_of(october, one_day)

    assert [(line.first, line.last) for line in report.cadence] == [("2026-10-02", "2026-10-03")] * 2


def test_where_nothing_is_done_every_so_often_nothing_is_said_of_it(october: Store) -> None:
    rows = october.read(lambda c: of_period(c, starts=OCTOBER.starts, ends=OCTOBER.ends))

    report = audit_report(replace(rows, cadence=()), period=OCTOBER, zone=BERLIN, heading=a_heading())

    assert report.cadence == ()
    assert "every so often" not in to_html(to_json(report)).decode()


def test_the_evidence_index_has_every_stream_of_the_period_with_its_last_hash(
    report: AuditReport, october: Store
) -> None:
    rows = october.read(lambda c: of_period(c, starts=OCTOBER.starts, ends=OCTOBER.ends))
    closing = {f"piece:{piece.id}": piece.closing_hash for piece in rows.pieces}

    streams = {line.stream: line.hash for line in report.evidence.streams}

    assert closing
    assert {stream: streams[stream] for stream in closing} == closing
    assert {f"run:{run.id}" for run in rows.runs} == set(streams) - set(closing)
    assert len(report.evidence.checkpoints) == 4
    assert report.cover.data_cut.last
    assert report.cover.data_cut.last.seq == 4


def test_a_whole_record_is_said_to_be_whole(report: AuditReport) -> None:
    assert report.cover.completeness.whole
    assert report.cover.completeness.sentences == (
        "Each of the 5 planned slots has exactly one outcome.",
        "The record of each of the 4 runs is whole.",
    )


def test_gaps_in_the_record_and_open_ends_are_told_on_the_cover_and_as_limitations(store: Store) -> None:
    slot, *_ = ledger(store, PATCH_WEB, [])
    run_id = a_run(store, PATCH_WEB, updated("web-01"), slot=slot)
    store.write(lambda c: runs.mark_incomplete(c, run_id))

    report = report_of(store, generated_at=slot.closes_at)

    assert not report.cover.completeness.whole
    assert report.cover.completeness.sentences == (
        "3 of 4 planned slots have no outcome yet.",
        "1 record of 1 run has gaps.",
        "The period is not over yet; later work is missing.",
    )
    limits = " ".join(limit.text for limit in report.limitations)
    assert "The period (October 2026) was not over" in limits
    assert "3 slots had no outcome" in limits
    assert "The record of 1 run has gaps" in limits
    assert sum(part.count for part in report.summary.parts) == report.summary.planned == 4


def test_a_planned_host_without_an_outcome_is_told_and_never_passed_over(october: Store) -> None:
    rows = october.read(lambda c: of_period(c, starts=OCTOBER.starts, ends=OCTOBER.ends))
    fewer = replace(rows, outcomes=rows.outcomes[1:])

    report = audit_report(fewer, period=OCTOBER, zone=BERLIN, heading=a_heading())

    assert not report.cover.completeness.whole
    assert "Planned hosts of run 1 have no outcome." in report.cover.completeness.sentences


def test_a_log_that_does_not_end_as_it_was_closed_is_told(october: Store) -> None:
    rows = october.read(lambda c: of_period(c, starts=OCTOBER.starts, ends=OCTOBER.ends))
    cut_off = tuple(replace(row, hash="0" * 64) if row.stream.startswith("piece:") else row for row in rows.streams)

    report = audit_report(replace(rows, streams=cut_off), period=OCTOBER, zone=BERLIN, heading=a_heading())

    assert not report.cover.completeness.whole
    assert "The log of 4 runs does not end with the hash that it was closed with." in [
        limit.text for limit in report.limitations
    ]


def test_the_report_says_which_sections_it_does_not_have_yet(report: AuditReport) -> None:
    assert [part.number for part in report.missing] == [6, 8, 9, 10]
    assert "section 9 (Trends)" in report.limitations[-1].text


def test_an_empty_period_says_so(store: Store) -> None:
    report = report_of(store, NOVEMBER, generated_at=NOVEMBER.ends)

    assert said(report) == "No maintenance was planned in this period, and none was run."
    assert (report.summary.planned, report.summary.parts, report.summary.hosts.done.percent) == (0, (), None)
    assert report.cover.data_cut.first is None
    assert report.cover.completeness.whole


def test_a_period_without_trouble_is_one_calm_sentence(store: Store) -> None:
    a_run(store, PATCH_WEB, updated("web-01"), at=WRITTEN_AT - timedelta(days=10))

    assert said(report_of(store)) == "All maintenance of this period was done as planned."


def test_a_run_belongs_to_the_period_in_which_its_slot_opened(store: Store) -> None:
    slot = ledger(store, PATCH_WEB, [])[-1]
    over_the_border = replace(OCTOBER, ends=slot.opens_at + timedelta(minutes=1))
    a_run(store, PATCH_WEB, updated("web-01"), slot=slot, late=timedelta(minutes=30))

    report = report_of(store, over_the_border)
    following = report_of(store, replace(NOVEMBER, starts=over_the_border.ends))

    assert [line.number for line in report.changes] == [1]
    assert following.changes == ()


def test_the_same_rows_give_the_same_bytes(tmp_path: Path) -> None:
    written: list[bytes] = []
    for name in ("one", "two"):
        with counted_ids():
            store = new_store(tmp_path / name)
            a_month(store)
        written += [to_json(report_of(store)), to_json(report_of(store))]
        store.close()

    assert len(set(written)) == 1


def test_another_heading_gives_another_id(october: Store) -> None:
    later = report_of(october, generated_at=datetime(2026, 11, 3, tzinfo=UTC))

    assert later.id != report_of(october).id


def test_a_scope_leaves_out_what_does_not_touch_its_hosts(october: Store) -> None:
    rows = october.read(lambda c: of_period(c, starts=OCTOBER.starts, ends=OCTOBER.ends))
    books = Scope("the bookkeeping", frozenset({("production", "db-01"), ("production", "db-02")}))

    report = audit_report(rows, period=OCTOBER, zone=BERLIN, heading=a_heading(), scope=books)

    assert report.cover.scope == "the bookkeeping"
    assert [line.schedule for line in report.schedule] == ["patch-db"]
    assert [line.number for line in report.changes] == [3]
    assert {standing.host for standing in report.standings} == {"db-01", "db-02"}
    assert {ticket.number for ticket in report.tickets} == {1, 3}
    assert "web-" not in to_json(report).decode()


def test_every_reference_points_at_a_record_of_the_report(report: AuditReport) -> None:
    document = json.loads(to_json(report))
    known = {line.id for line in (*report.schedule, *report.changes, *report.tickets, *report.overrides)}

    found = list(references(document))

    assert found
    assert [each for each in found if each["kind"] != "host" and each["id"] not in known] == []


def references(value: Any) -> Iterator[dict[str, str]]:
    if isinstance(value, dict):
        if set(value) == {"kind", "id", "label"}:
            yield value
        for item in value.values():
            yield from references(item)
    elif isinstance(value, list):
        for item in value:
            yield from references(item)


@pytest.mark.parametrize("reason", NotRun)
def test_a_host_that_was_not_touched_says_why(store: Store, reason: NotRun) -> None:
    left_out = HostResult("web-01", Result.NOT_RUN, touched=False, reason=reason)
    a_run(store, PATCH_DB, {"web-01": Ended(left_out, compared=False)}, at=SALE.starts, verdict=Verdict.DEGRADED)

    line = line_of(report_of(store), 1, "web-01")

    assert line.explanation.endswith(".")
    assert line.status.tone != "good"


def test_a_rule_of_the_users_own_speaks_in_its_own_words(store: Store) -> None:
    own = PlainWords("The shop program on {host} stopped.", "{service} waits for it.", "", "Ask the shop team.")
    ends = {
        host: Ended(HostResult(host, Result.FAILED, cause="package_broken", text=BROKEN, own_words=words))
        for host, words in (("db-01", own), ("db-02", None))
    }
    a_run(store, PATCH_DB, ends, at=SALE.starts, verdict=Verdict.FAILED)

    report = report_of(store)

    assert line_of(report, 1, "db-01").explanation == "The shop program on db-01 stopped."
    assert line_of(report, 1, "db-02").explanation.startswith("The installation of")
    assert any(finding.text.startswith("The shop program on db-01 stopped.") for finding in report.summary.findings)
