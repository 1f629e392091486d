"""The ticket of a person's duty: one for each slot, in words that need no glossary."""

from __future__ import annotations

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from runner.domain.tickets.ticket import Closing, KnownTicket, TicketKind, TicketState, WantedTicket, evidence_closes
from runner.domain.tickets.ticket_for_duty import duty_fingerprint, ticket_for_duty
from tests.domain.test_ticket import a_run

MARCH = date(2026, 3, 21)
SLOTS = st.tuples(st.sampled_from(["drill", "training"]), st.dates(), st.integers(1, 3))


def a_duty(*, why: str = "Somebody has to know how.", missed: str | None = None) -> WantedTicket:
    return ticket_for_duty(
        schedule="drill",
        title="Restore rehearsal",
        why=why,
        owner="team-web",
        occurrence=(MARCH, 1),
        until="Sun 2026-03-22 04:00 Europe/Berlin",
        missed=missed,
    )


@given(SLOTS, SLOTS)
def test_each_slot_has_a_ticket_of_its_own_and_only_one(
    first: tuple[str, date, int], second: tuple[str, date, int]
) -> None:
    assert (duty_fingerprint(*first) == duty_fingerprint(*second)) == (first == second)


def test_a_due_duty_says_what_why_until_when_and_how_to_say_that_it_is_done() -> None:
    wanted = a_duty()

    assert wanted.title == "Restore rehearsal, until Sun 2026-03-22 04:00 Europe/Berlin"
    assert wanted.words.happened.endswith("a duty that a person does. Somebody has to know how.")
    assert "before Sun 2026-03-22 04:00 Europe/Berlin" in wanted.words.means
    assert wanted.words.needed.endswith("wellkept tickets resolve NUMBER --done 'what was done'")
    assert (wanted.owner, wanted.hosts, wanted.detail) == ("team-web", (), "")


def test_a_duty_without_a_why_ends_with_its_sentence() -> None:
    assert a_duty(why="").words.happened == 'It is time for "Restore rehearsal", a duty that a person does.'


def test_braces_in_what_people_wrote_stay_as_they_are() -> None:
    assert a_duty(why="{date} {nothing}").words.happened.endswith("{date} {nothing}")


def test_a_missed_duty_says_so_with_its_reason_and_is_the_same_ticket() -> None:
    missed = a_duty(missed="nobody was there.")

    assert missed.fingerprint == a_duty().fingerprint
    assert missed.title == "Restore rehearsal of 2026-03-21 was not done in time"
    assert (
        missed.words.happened
        == 'The duty "Restore rehearsal" of 2026-03-21 was not done in its time: nobody was there.'
    )


def test_no_run_closes_the_ticket_of_a_duty() -> None:
    run = a_run(schedule="drill", inventory="")
    known = KnownTicket("t", "f", TicketState.OPEN, TicketKind.DUTY, "", "drill", ())

    assert evidence_closes(known, run, {}).closing is Closing.NOTHING
