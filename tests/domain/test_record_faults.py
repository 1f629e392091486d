from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.domain.record.record import INSTALLATION, Checkpoint, Link, LogEntry, chained, closing_body
from runner.domain.record.record_faults import MOST_FAULTS, Expected, Fault, FaultKind, verify

AT = datetime(2026, 3, 21, 21, 0, tzinfo=UTC)
PIECE, RUN = "piece:p", "run:r"


def stream(name: str, *bodies: dict[str, object]) -> list[LogEntry]:
    return chained(Link(), name, bodies or [{"n": n} for n in range(4)], at=AT)


def end_of(entries: Sequence[LogEntry]) -> Link:
    return Link(entries[-1].seq, entries[-1].hash)


def a_record() -> dict[str, list[LogEntry]]:
    """A piece that is closed in its run, which is closed in the installation."""
    piece = stream(PIECE)
    run = stream(
        RUN, {"action": "run.claimed"}, closing_body("piece.closed", PIECE, end_of(piece)), {"action": "run.settled"}
    )
    whole = stream(
        INSTALLATION, {"action": "begun"}, closing_body("run.closed", RUN, end_of(run)), {"action": "went on"}
    )
    return {INSTALLATION: whole, RUN: run, PIECE: piece}


CLOSED = {PIECE: Expected(closed=True), RUN: Expected(closed=True)}


def signed(entries: Sequence[LogEntry], seq: int | None = None) -> Checkpoint:
    entry = entries[-1] if seq is None else entries[seq - 1]
    return Checkpoint(entry.stream, entry.seq, entry.hash, entry.seq, AT, "SHA256:x", "key")


def faults_of(
    record: Mapping[str, Sequence[LogEntry]],
    expected: Mapping[str, Expected] = CLOSED,
    *checkpoints: Checkpoint,
    **more: Any,
) -> list[Fault]:
    return verify(
        (entry for each in record.values() for entry in each), expected=expected, checkpoints=checkpoints, **more
    )


def the_fault(faults: Sequence[Fault]) -> tuple[str, int, FaultKind]:
    (fault,) = faults
    return fault.stream, fault.seq, fault.kind


def test_a_whole_record_has_no_fault_in_whatever_order_its_streams_come() -> None:
    record = a_record()

    backwards = dict(reversed(record.items()))

    assert faults_of(record, CLOSED, signed(record[INSTALLATION]), signed(record[RUN], 2)) == []
    assert faults_of(backwards, CLOSED, signed(record[INSTALLATION])) == []


def test_an_empty_record_is_whole_when_nothing_is_expected() -> None:
    assert faults_of({}, {}) == []


def test_a_changed_entry_is_named() -> None:
    record = a_record()
    record[PIECE][1] = replace(record[PIECE][1], body='{"n":9}')

    assert the_fault(faults_of(record)) == (PIECE, 2, FaultKind.BAD_ENTRY)


def test_a_missing_entry_is_a_gap() -> None:
    record = a_record()
    del record[PIECE][1]

    assert the_fault(faults_of(record)) == (PIECE, 3, FaultKind.GAP)


def test_a_missing_beginning_is_a_gap() -> None:
    record = a_record()
    del record[PIECE][0]

    assert the_fault(faults_of(record)) == (PIECE, 2, FaultKind.GAP)


def test_an_entry_that_was_put_in_twice_is_a_fork() -> None:
    record = a_record()
    record[PIECE].insert(2, record[PIECE][1])

    assert faults_of(record)[0].kind is FaultKind.FORK


def test_a_history_that_was_rewritten_from_an_entry_on_is_a_fork_against_its_closing() -> None:
    record = a_record()
    record[PIECE][2:] = chained(Link(2, record[PIECE][1].hash), PIECE, [{"n": 7}, {"n": 8}], at=AT)

    assert the_fault(faults_of(record)) == (PIECE, 4, FaultKind.FORK)


def test_entries_of_two_histories_do_not_fit_together() -> None:
    record = a_record()
    record[PIECE][2:] = stream(PIECE, *[{"other": n} for n in range(4)])[2:]

    assert (PIECE, 3, FaultKind.FORK) in {(fault.stream, fault.seq, fault.kind) for fault in faults_of(record)}


def test_a_first_entry_that_claims_a_past_is_a_fork() -> None:
    forged = chained(Link(0, "f" * 64), PIECE, [{"n": 0}], at=AT)

    assert the_fault(faults_of({PIECE: forged}, {})) == (PIECE, 1, FaultKind.FORK)


@pytest.mark.parametrize("name", [PIECE, RUN])
def test_a_closed_stream_that_lost_its_end_is_truncated(name: str) -> None:
    record = a_record()
    record[name].pop()

    assert (name, FaultKind.TRUNCATED) in {(fault.stream, fault.kind) for fault in faults_of(record)}


@pytest.mark.parametrize("name", [PIECE, RUN])
def test_a_closed_stream_that_is_gone_altogether_is_truncated(name: str) -> None:
    record = a_record()
    del record[name]

    assert (name, FaultKind.TRUNCATED) in {(fault.stream, fault.kind) for fault in faults_of(record, {})}


def test_a_closed_stream_that_goes_on_is_a_fork() -> None:
    record = a_record()
    record[PIECE] += chained(end_of(record[PIECE]), PIECE, [{"n": 4}], at=AT)

    assert the_fault(faults_of(record)) == (PIECE, 5, FaultKind.FORK)


def test_a_stream_that_ended_without_a_closing_is_named() -> None:
    record = a_record()
    other = stream("piece:other")

    faults = faults_of({**record, "piece:other": other}, {**CLOSED, "piece:other": Expected(closed=True)})

    assert the_fault(faults) == ("piece:other", 0, FaultKind.MISSING_CLOSING)


def test_a_stream_that_is_still_open_needs_no_closing() -> None:
    assert faults_of({**a_record(), "piece:open": stream("piece:open")}) == []


def test_a_row_that_names_another_last_hash_than_the_parent_is_a_fork() -> None:
    expected = {**CLOSED, PIECE: Expected(closed=True, closing_hash="f" * 64)}

    assert the_fault(faults_of(a_record(), expected)) == (PIECE, 4, FaultKind.FORK)


def test_two_closings_of_one_stream_are_a_fork() -> None:
    record = a_record()
    again = closing_body("piece.closed", PIECE, Link(3, record[PIECE][2].hash))
    record[RUN] = stream(RUN, closing_body("piece.closed", PIECE, end_of(record[PIECE])), again)

    kinds = {(fault.stream, fault.seq, fault.kind) for fault in faults_of({PIECE: record[PIECE], RUN: record[RUN]}, {})}

    assert (RUN, 2, FaultKind.FORK) in kinds


def test_a_signed_stream_that_lost_its_end_is_truncated() -> None:
    record = a_record()
    checkpoint = signed(record[INSTALLATION])
    record[INSTALLATION].pop()

    assert the_fault(faults_of(record, CLOSED, checkpoint)) == (INSTALLATION, 2, FaultKind.TRUNCATED)


def test_a_signed_stream_that_was_rewritten_is_a_fork() -> None:
    record = a_record()
    checkpoint = signed(record[INSTALLATION], 1)
    closing = record[INSTALLATION][1].content
    record[INSTALLATION] = stream(INSTALLATION, {"action": "something else"}, dict(closing))

    assert the_fault(faults_of(record, CLOSED, checkpoint)) == (INSTALLATION, 1, FaultKind.FORK)


def test_a_signed_stream_that_is_gone_is_truncated() -> None:
    checkpoint = signed(stream("run:gone"))

    assert the_fault(faults_of(a_record(), CLOSED, checkpoint)) == ("run:gone", 0, FaultKind.TRUNCATED)


def test_a_part_of_a_record_need_not_hold_the_other_streams() -> None:
    record = a_record()
    part = {INSTALLATION: record[INSTALLATION]}

    faults = faults_of(part, {INSTALLATION: Expected()}, signed(stream("run:gone")), partial=True)

    assert faults == []


def test_a_part_of_a_stream_begins_where_it_says() -> None:
    record = a_record()
    part = {INSTALLATION: record[INSTALLATION][1:]}
    expected = {INSTALLATION: Expected(first=2, last=end_of(record[INSTALLATION]))}

    assert faults_of(part, expected, partial=True) == []
    assert the_fault(faults_of({INSTALLATION: record[INSTALLATION][2:]}, expected, partial=True))[2] is FaultKind.GAP
    assert (
        the_fault(faults_of({INSTALLATION: part[INSTALLATION][:1]}, expected, partial=True))[2] is FaultKind.TRUNCATED
    )
    assert the_fault(faults_of({}, expected, partial=True))[2] is FaultKind.TRUNCATED


def test_a_wrecked_record_gives_a_bounded_list() -> None:
    wrecked = [replace(entry, body="{}") for entry in stream(PIECE, *[{"n": n} for n in range(MOST_FAULTS + 50)])]

    assert len(faults_of({PIECE: wrecked}, {})) == MOST_FAULTS


def test_a_fault_says_where_and_what() -> None:
    fault = Fault(PIECE, 3, FaultKind.GAP, "entries 1 to 2 are missing")

    assert str(fault) == "piece:p entry 3: gap: entries 1 to 2 are missing"


@given(data=st.data())
def test_any_entry_that_is_dropped_changed_or_swapped_is_noticed(data: st.DataObject) -> None:
    record = a_record()
    checkpoint = signed(record[INSTALLATION])
    name = data.draw(st.sampled_from(sorted(record)))
    place = data.draw(st.integers(0, len(record[name]) - 1))
    harm = data.draw(st.sampled_from(["drop", "change", "rehash", "swap", "double"]))
    entries = record[name]

    match harm:
        case "drop":
            del entries[place]
        case "change":
            entries[place] = replace(entries[place], body='{"forged":true}')
        case "rehash":
            head = Link(entries[place].seq - 1, entries[place].prev)
            entries[place] = chained(head, name, [{"forged": True}], at=AT)[0]
        case "swap":
            other = (place + 1) % len(entries)
            entries[place], entries[other] = entries[other], entries[place]
        case "double":
            entries.insert(place, entries[place])

    assert faults_of(record, CLOSED, checkpoint)
