from __future__ import annotations

from enum import StrEnum

import pytest

from runner.domain.execution.guards import CAN_BE_OVERRIDDEN
from runner.domain.execution.outcome import NotRun, Result
from runner.domain.execution.run import SlotOutcome, SlotState, Trigger, Verdict
from runner.domain.execution.schedule import ChangeType
from runner.domain.tickets.ticket import TicketState
from runner.reporting import words
from runner.reporting.hosts import CHECK_WORDS
from runner.reporting.words import Tone, listed, status

UNEXPLAINED = (
    "degraded",
    "halted",
    "misconfigured",
    "expired",
    "overlap",
    "budget",
    "canary",
    "piece",
    "unreachable",
    "_",
)


@pytest.mark.parametrize(
    ("table", "codes"),
    [
        (words.VERDICTS, Verdict),
        (words.SLOTS, [*Verdict, *SlotOutcome]),
        (words.UNSETTLED, set(SlotState) - {SlotState.SETTLED, SlotState.WITHDRAWN}),
        (words.RESULTS, Result),
        (CHECK_WORDS, Result),
        (words.WHY_NOT_RUN, NotRun),
        (words.TRIGGERS, Trigger),
        (words.TICKETS, TicketState),
        (words.CHANGE_TYPES, ChangeType),
        (words.GUARDS, CAN_BE_OVERRIDDEN),
    ],
)
def test_every_code_has_plain_words(table: dict[str, object], codes: list[StrEnum]) -> None:
    assert set(table) == set(codes)


@pytest.mark.parametrize("table", [words.SLOTS, words.UNSETTLED, words.RESULTS, words.STANDINGS, words.RESTARTS])
def test_no_words_need_a_technician(table: dict[str, tuple[str, Tone]]) -> None:
    said = " ".join(text.lower() for text, _ in table.values())

    assert [word for word in UNEXPLAINED if word in said] == []


def test_only_good_ends_are_shown_as_good() -> None:
    good = {code for code, (_, tone) in words.SLOTS.items() if tone is Tone.GOOD}

    assert good == {Verdict.SUCCEEDED, SlotOutcome.DONE}
    assert {code for code, (_, tone) in words.RESULTS.items() if tone is Tone.GOOD} == {Result.OK, Result.CHANGED}


def test_a_code_that_nobody_knows_is_shown_as_it_is_and_never_as_good() -> None:
    shown = status("something new", words.SLOTS)

    assert (shown.words, shown.tone) == ("something new", Tone.UNKNOWN)


@pytest.mark.parametrize(
    ("names", "told"),
    [
        ([], ""),
        (["a"], "a"),
        (["a", "b"], "a and b"),
        (["a", "b", "c"], "a, b and c"),
        (list("abcdefg"), "a, b, c, d, e and 2 more"),
    ],
)
def test_names_are_listed_as_people_do(names: list[str], told: str) -> None:
    assert listed(names) == told
