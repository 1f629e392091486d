from __future__ import annotations

import dataclasses

import pytest

from runner.domain.tickets.ticket import Priority
from runner.operations.tickets.show_ticket import EventShown, TicketLine, TicketShown
from runner.store.record import log
from runner.store.tickets import tickets
from tests.cli import rows
from tests.cli.conftest import Repository


def names(value: type) -> set[str]:
    return {field.name for field in dataclasses.fields(value)}


def last_entry(wellkept: Repository) -> dict[str, object]:
    return dict(wellkept.store.read(lambda c: list(log.entries(c, "installation")))[-1].content)


@pytest.fixture
def ticketed(wellkept: Repository) -> Repository:
    rows.a_settled_run(wellkept.store)
    return wellkept


def test_an_empty_list_says_what_to_do(wellkept: Repository) -> None:
    answered = wellkept("tickets", "list")

    assert answered.code == 0
    assert "No ticket is open." in answered.out
    assert "wellkept tickets open" in answered.out


def test_the_most_urgent_ticket_comes_first_and_resolved_ones_are_left_out(ticketed: Repository) -> None:
    low = rows.a_wanted_ticket(fingerprint="a", title="small", priority=Priority.LOW)
    critical = rows.a_wanted_ticket(fingerprint="b", title="big", priority=Priority.CRITICAL)
    gone = rows.a_wanted_ticket(fingerprint="c", title="gone")
    for wanted in (low, critical, gone):
        ticketed.store.write(lambda c, wanted=wanted: tickets.open_or_touch(c, wanted, at=rows.ago(minutes=2)))
    ticketed("tickets", "resolve", "4", "--cause", "x", "--fix", "y")

    titles = [line["title"] for line in ticketed("tickets", "list", "--format", "json").json()["tickets"]]
    everything = ticketed("tickets", "list", "--all").out

    assert titles == ["big", "web2: an update stopped half-way", "small"]
    assert "gone" in everything


def test_tickets_of_one_host(ticketed: Repository) -> None:
    assert "half-way" in ticketed("tickets", "list", "--host", "web2").out
    assert "No ticket is open." in ticketed("tickets", "list", "--host", "web1").out


def test_the_list_as_json_has_the_documented_keys(ticketed: Repository) -> None:
    listed = ticketed("tickets", "list", "--format", "json").json()["tickets"]

    assert set(listed[0]) == names(TicketLine)


def test_a_ticket_is_shown_in_plain_words_with_its_history(ticketed: Repository) -> None:
    shown = ticketed("tickets", "show", "1").out

    assert "What happened: It stopped half-way." in shown
    assert "What is needed: Somebody has to mend it." in shown
    assert rows.BROKEN in shown
    assert "nobody yet, owner ops" in shown or "owner ops" in shown
    assert "opened" in shown


def test_a_ticket_as_json_has_the_documented_keys(ticketed: Repository) -> None:
    shown = ticketed("tickets", "show", "1", "--format", "json").json()["ticket"]

    assert set(shown) == names(TicketShown)
    assert set(shown["events"][0]) == names(EventShown)
    assert shown["events"][0]["run"] == 1


def test_what_people_do_becomes_history_and_record_with_their_name(ticketed: Repository) -> None:
    assert "is acknowledged" in ticketed("tickets", "ack", "1").out
    assert "assigned to ana" in ticketed("tickets", "assign", "1", "ana").out
    assert ticketed("tickets", "note", "1", "the vendor was called").code == 0

    events = ticketed("tickets", "show", "1", "--format", "json").json()["ticket"]["events"]

    assert [event["action"] for event in events] == ["opened", "acknowledged", "assigned", "noted"]
    assert events[-1]["text"] == "the vendor was called"
    entry = last_entry(ticketed)
    assert entry["action"] == "ticket.noted"
    assert entry["by"] == events[-1]["by"]


def test_a_resolution_needs_a_cause_and_a_fix(ticketed: Repository) -> None:
    without = ticketed("tickets", "resolve", "1", "--cause", "a bad package")
    with_both = ticketed("tickets", "resolve", "1", "--cause", "a bad package", "--fix", "took the old one")

    assert without.code == 2
    assert "--fix" in without.err
    assert "is resolved" in with_both.out
    assert last_entry(ticketed)["fix"] == "took the old one"


def test_a_resolved_ticket_can_be_reopened_and_nothing_else_but_noted(ticketed: Repository) -> None:
    ticketed("tickets", "resolve", "1", "--cause", "c", "--fix", "f")

    refused = ticketed("tickets", "ack", "1")
    noted = ticketed("tickets", "note", "1", "it looks good")
    reopened = ticketed("tickets", "reopen", "1", "it is back")
    twice = ticketed("tickets", "reopen", "1", "it is back")

    assert refused.code == 2
    assert "wellkept tickets reopen 1" in refused.err
    assert noted.code == 0
    assert "is open" in reopened.out
    assert twice.code == 2
    assert "only a resolved ticket can be reopened" in twice.err


def test_a_ticket_opened_by_hand_is_counted_up_the_second_time(wellkept: Repository) -> None:
    first = wellkept("tickets", "open", "The fan of web1 is loud", "--host", "web1", "--priority", "high")
    second = wellkept("tickets", "open", "The fan of web1 is loud", "--host", "web1")

    assert "Ticket 1 is open" in first.out
    assert "counted up to 2" in second.out
    assert "The fan of web1 is loud" in wellkept("tickets", "list").out


def test_a_stranger_cannot_be_assigned(ticketed: Repository) -> None:
    answered = ticketed("tickets", "assign", "1", "anna")

    assert answered.code == 2
    assert "Did you mean 'ana'?" in answered.err


def test_an_assignment_can_be_taken_back(ticketed: Repository) -> None:
    ticketed("tickets", "assign", "1", "ops")

    answered = ticketed("tickets", "assign", "1", "nobody")

    assert answered.code == 0
    assert "assigned to" not in answered.out


def test_a_ticket_that_there_is_not_is_an_error_in_words(wellkept: Repository) -> None:
    answered = wellkept("tickets", "show", "9")

    assert answered.code == 2
    assert "There is no ticket '9'." in answered.err


def test_tickets_can_be_worked_on_while_a_schedule_is_broken(ticketed: Repository) -> None:
    ticketed.write("schedules/patch.yml", "schedule: [\n")

    assert ticketed("tickets", "ack", "1").code == 0


def test_what_a_host_said_cannot_steer_the_terminal(wellkept: Repository) -> None:
    hostile = rows.a_wanted_ticket(title="web2 \x1b[2J\x1b]0;gone\x07 failed", detail="\x1b[31mred")
    wellkept.store.write(lambda c: tickets.open_or_touch(c, hostile, at=rows.ago()))

    shown = wellkept("tickets", "list").out + wellkept("tickets", "show", "1").out

    assert "\x1b" not in shown
    assert "\x07" not in shown
