"""A person's duty on the command line: what `plan`, `run`, `calendar`, `status`, `tickets` and `runs waive` say about it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from runner.config import read
from runner.domain.execution.run import SlotOutcome
from runner.domain.time.window import Opening
from runner.operations.tickets.file_duty import file_duty
from runner.operations.time.ask_for_duty import ask
from runner.store.time import ledger, slots
from tests.cli.conftest import Repository

DUTY = (
    "schedule: drill\ntitle: Restore rehearsal\nwhy: Somebody has to know how.\nkind: manual\nwindow: saturday-night\n"
)
IN_THE_WINDOW, OUTSIDE = "2026-03-21 23:00", "2026-03-23 12:00"  # in Berlin


@pytest.fixture
def duty(wellkept: Repository) -> Repository:
    wellkept.write("schedules/drill.yml", DUTY)
    return wellkept


def asked_for(duty: Repository) -> str:
    """A slot of the duty that opened an hour ago, with its ticket; the slot's id."""
    now = datetime.now(UTC).replace(microsecond=0)
    opens, closes = now - timedelta(hours=1), now + timedelta(hours=1)
    opening = Opening("saturday-night", now.date(), 1, opens, closes, opens, closes, closes)
    store = duty.store
    store.write(lambda c: ledger.write_ahead(c, "drill", [opening], definition="d", now=opens - timedelta(hours=1)))
    (slot,) = store.write(lambda c: slots.mark_due(c, now=now))
    store.write(lambda c: ask(c, slot=slot, at=now))
    file_duty(store, slot.id, read(duty.root, environ={}).schedules["drill"], clock=lambda: now)
    return slot.id


def test_a_plan_says_what_it_is_who_answers_for_it_and_how_to_say_that_it_is_done(duty: Repository) -> None:
    said = duty("plan", "drill", "--at", IN_THE_WINDOW)

    assert said.code == 0
    assert "Restore rehearsal (drill, schedules/drill.yml:1)" in said.out
    assert "A duty that a person does: no playbook, no hosts." in said.out
    assert "Answers for it: ops" in said.out
    assert "Window: saturday-night, open until Sun 2026-03-22 04:00 Europe/Berlin (2026-03-22 03:00 UTC)" in said.out
    assert "wellkept tickets resolve NUMBER --done" in said.out


def test_a_plan_outside_the_window_names_the_next_opening(duty: Repository) -> None:
    assert "closed; next opening Sat 2026-03-28 22:00 Europe/Berlin" in duty("plan", "drill", "--at", OUTSIDE).out


def test_the_overview_and_a_span_of_plans_have_duties_among_the_others(duty: Repository) -> None:
    overview = duty("plan", "--at", IN_THE_WINDOW, "--format", "json").json()["plans"]
    weekend = duty("plan", "--next", "weekend").out

    by_name = {plan["schedule"]: plan for plan in overview}
    assert (by_name["drill"]["kind"], by_name["patch"]["kind"]) == ("manual", "playbook")
    assert (by_name["drill"]["hosts"], by_name["drill"]["opens"]) == ([], "2026-03-21T21:00:00+00:00")
    assert set(by_name["patch"]) <= set(by_name["drill"])
    assert "A duty that a person does" in weekend
    assert "Updates of all servers" in weekend


def test_a_duty_is_not_run_and_it_is_told_how_somebody_says_that_it_is_done(duty: Repository) -> None:
    said = duty("run", "drill")

    assert said.code == 2
    assert "'drill' is a duty that a person does: there is nothing to run." in said.err
    assert "wellkept tickets resolve NUMBER --done" in said.err


@pytest.mark.parametrize("form", ["table", "json", "ics", "html"])
def test_the_calendar_has_duties_in_every_format(duty: Repository, form: str) -> None:
    said = duty("calendar", "drill", "--year", "2026", "--format", form)

    assert said.code == 0
    assert "drill" in said.out or "Restore rehearsal" in said.out


def test_the_calendar_with_hosts_and_validate_pass_over_duties(duty: Repository) -> None:
    assert duty("calendar", "--hosts").code == 0
    assert duty("validate").code == 0


def test_status_says_that_a_due_duty_waits_for_a_person(duty: Repository) -> None:
    asked_for(duty)

    assert "a person does it: ticket 1" in duty("status").out


def test_what_was_done_resolves_the_ticket_and_settles_the_slot(duty: Repository) -> None:
    slot = asked_for(duty)

    said = duty("tickets", "resolve", "1", "--done", "restored in 40 minutes")

    assert said.code == 0
    settled = duty.store.read(lambda c: slots.get(c, slot))
    assert settled.outcome == SlotOutcome.DONE
    assert settled.reason.endswith(": restored in 40 minutes")
    assert "Done: restored in 40 minutes" in duty("tickets", "show", "1").out


def test_a_duty_is_not_resolved_with_cause_and_fix(duty: Repository) -> None:
    asked_for(duty)

    said = duty("tickets", "resolve", "1", "--cause", "x", "--fix", "y")

    assert said.code == 2
    assert "Ticket 1 is a duty, which has no cause and no fix" in said.err


def test_a_fault_is_not_resolved_with_what_was_done_alone(duty: Repository) -> None:
    duty("tickets", "open", "the printer is on fire")

    said = duty("tickets", "resolve", "1", "--done", "water")

    assert said.code == 2
    assert "needs a cause and a fix" in said.err


def test_a_duty_is_waived_like_any_other_slot(duty: Repository) -> None:
    opens = duty("calendar", "drill", "--to", "30d", "--format", "json").json()["occurrences"][-1]["opens"]

    said = duty("runs", "waive", "drill", opens[:10], "--reason", "the office is shut")

    assert said.code == 0
    assert "waived" in said.out
