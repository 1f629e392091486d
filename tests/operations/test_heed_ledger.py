"""The calendar by the ledger: what has begun, what was waived, and slots that stand in no file."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import icalendar
import pytest

from runner.domain.execution.run import SlotOutcome, SlotState, Verdict
from runner.operations.time.draw_year import draw_year
from runner.operations.time.heed_ledger import heed_ledger, read_ledger
from runner.operations.time.keep_ledger import keep_ledger
from runner.operations.time.list_openings import Entry, list_openings
from runner.operations.time.plan_once import Wanted, plan_once
from runner.operations.time.publish_openings import publish_openings
from runner.operations.time.waive_slot import Asked, take_waiver_back, waive_slot
from runner.store.time import slots
from tests.operations.a_site import SCHEDULE, WINDOWS, Bench
from tests.operations.conftest import Lay

FROM, TO = datetime(2026, 3, 20, tzinfo=UTC), datetime(2026, 4, 6, tzinfo=UTC)
BEFORE = FROM - timedelta(days=1)
SATURDAYS = ("2026-03-21", "2026-03-28", "2026-04-04")
FIRST, SECOND = datetime(2026, 3, 21, 22, tzinfo=UTC), date(2026, 3, 28)


@pytest.fixture
def bench(lay: Lay) -> Bench:
    """The usual files, written ahead on Thursday evening."""
    return kept_on(lay(), BEFORE)


def kept_on(bench: Bench, now: datetime) -> Bench:
    bench.time.now = now
    keep_ledger(bench.site.current(), site=bench.site, kept=bench.kept)
    return bench


def lines(bench: Bench, *, from_: datetime = FROM, to: datetime = TO, names: tuple[str, ...] = ()) -> list[Entry]:
    definitions = bench.site.current()
    ledger = read_ledger(bench.site.store, from_=from_, to=to, now=bench.time.now)
    return heed_ledger(list_openings(definitions, from_=from_, to=to, names=names), ledger, definitions, names=names)


def states(bench: Bench) -> dict[str, str]:
    return {entry.opening.rule_date.isoformat(): entry.state for entry in lines(bench)}


def settle_first(bench: Bench, outcome: str, reason: str = "") -> None:
    def settle(connection):  # type: ignore[no-untyped-def]
        (slot,) = slots.mark_due(connection, now=FIRST)
        slots.settle(connection, slot.id, outcome=outcome, reason=reason, was=SlotState.DUE, at=FIRST)

    bench.site.store.write(settle)


def rewrite(bench: Bench, name: str, text: str) -> None:
    (bench.site.root / "schedules" / name).write_text(text)


def test_what_is_ahead_is_as_the_files_have_it(bench: Bench) -> None:
    assert states(bench) == dict.fromkeys(SATURDAYS, "planned")


def test_an_edit_shows_before_the_ledger_has_followed_it(bench: Bench) -> None:
    rewrite(bench, "windows.yml", WINDOWS.replace("22:00", "23:00"))

    assert {f"{entry.opening.opens:%H}" for entry in lines(bench)} == {"23"}


def test_a_waived_slot_is_waived_with_the_person_and_the_reason_and_no_longer_once_that_is_taken_back(
    bench: Bench,
) -> None:
    waive_slot(Asked("patch", SECOND), reason="the fair is on", site=bench.site)
    waived = {each.opening.rule_date: (each.state, each.reason) for each in lines(bench)}[SECOND]
    take_waiver_back(Asked("patch", SECOND), site=bench.site)

    assert waived == ("waived", "waived by ana: the fair is on")
    assert states(bench)["2026-03-28"] == "planned"


def test_a_waived_slot_whose_rule_has_moved_is_shown_once_and_where_it_was(bench: Bench) -> None:
    waive_slot(Asked("patch", SECOND), reason="the fair is on", site=bench.site)
    rewrite(bench, "windows.yml", WINDOWS.replace("22:00", "23:00"))

    told = [(f"{entry.opening.opens:%d %H}", entry.state) for entry in lines(bench)]

    assert told == [("21 23", "planned"), ("28 22", "waived"), ("04 23", "planned")]


def test_another_opening_at_the_instant_of_a_waived_slot_gets_none_and_is_not_shown(bench: Bench) -> None:
    waive_slot(Asked("patch", SECOND), reason="the fair is on", site=bench.site)
    moved = WINDOWS.replace("day: saturday", "day: friday, offset_days: 1")  # the same nights by other rule dates
    rewrite(bench, "windows.yml", moved)

    assert [(f"{entry.opening.opens:%d}", entry.state) for entry in lines(bench)] == [
        ("21", "planned"),
        ("28", "waived"),
        ("04", "planned"),
    ]


def test_a_slot_whose_time_has_come_is_due_also_while_nobody_has_looked(bench: Bench) -> None:
    bench.time.now = FIRST + timedelta(minutes=1)
    unseen = lines(bench)[0]
    bench.site.store.write(lambda c: slots.mark_due(c, now=bench.time.now))

    assert (unseen.state, unseen.reason) == ("due", "the scheduler has not looked at it yet")
    assert (lines(bench)[0].state, lines(bench)[0].reason) == ("due", "")


def test_a_run_shows_as_running_and_then_as_its_verdict(bench: Bench) -> None:
    seen: list[str] = []
    bench.ansible.while_running = lambda piece: seen.append(states(bench)["2026-03-21"])
    bench.time.now = FIRST
    bench.tick()

    for _ in range(20):
        bench.time.pass_by(timedelta(minutes=1))
        bench.tick()

    assert set(seen) == {"running"}
    assert states(bench)["2026-03-21"] == "succeeded"


@pytest.mark.parametrize("outcome", [*SlotOutcome, *Verdict])
def test_a_slot_that_is_over_shows_its_outcome_and_reason(bench: Bench, outcome: str) -> None:
    settle_first(bench, str(outcome), "it says why")
    bench.time.now = FIRST + timedelta(days=1)

    first = lines(bench)[0]

    assert (first.state, first.reason) == (str(outcome), "it says why")


def test_an_opening_that_has_begun_without_a_slot_is_unrecorded(lay: Lay) -> None:
    bench = kept_on(lay(), FIRST + timedelta(minutes=1))

    assert states(bench) == {"2026-03-21": "unrecorded", "2026-03-28": "planned", "2026-04-04": "planned"}


def test_a_schedule_that_was_deleted_keeps_what_it_did_by_the_clock_of_the_repository(bench: Bench) -> None:
    settle_first(bench, "succeeded")
    bench.time.now = FIRST + timedelta(days=1)
    (bench.site.root / "schedules" / "patch.yml").unlink()

    (left,) = lines(bench)

    assert (left.schedule, left.state, left.zone) == ("patch", "succeeded", "UTC")


def test_only_the_schedules_that_were_asked_for_are_shown(bench: Bench) -> None:
    settle_first(bench, "succeeded")
    bench.time.now = FIRST + timedelta(days=1)
    rewrite(bench, "clean.yml", SCHEDULE.replace("schedule: patch", "schedule: clean"))

    assert {entry.schedule for entry in lines(bench, names=("clean",))} == {"clean"}
    assert {entry.schedule for entry in lines(bench)} == {"clean", "patch"}


def test_a_slot_outside_the_span_is_not_shown(bench: Bench) -> None:
    settle_first(bench, "succeeded")
    bench.time.now = FIRST + timedelta(days=1)

    assert [entry.state for entry in lines(bench, from_=FIRST + timedelta(hours=6))] == ["planned", "planned"]
    assert lines(bench, from_=BEFORE, to=FIRST) == []


def test_what_was_made_for_one_slot_is_shown_like_any_other(bench: Bench) -> None:
    at = datetime(2026, 3, 24, 12, tzinfo=UTC)
    plan_once(Wanted(playbook="playbooks/patch.yml", hosts="web", at=at, span="2h", why="it expires"), site=bench.site)

    (once,) = [entry for entry in lines(bench) if entry.schedule != "patch"]

    assert (once.schedule, once.state, once.opening.opens) == ("once-patch-20260324-1200", "planned", at)


# The files that others read


def event_of_first(bench: Bench) -> icalendar.Event:
    content = publish_openings(lines(bench), bench.site.current())
    return icalendar.Calendar.from_ical(content).walk("VEVENT")[0]


@pytest.mark.parametrize(
    ("outcome", "status", "says"),
    [
        ("waived", "CANCELLED", "Nothing happens: it says why."),
        ("missed", "CANCELLED", "Nothing was done, missed: it says why."),
        ("paused", "CANCELLED", "Nothing was done, paused: it says why."),
        ("done", "CONFIRMED", "A person did it: it says why."),
        ("halted", "CONFIRMED", "It ended as halted: it says why."),
    ],
)
def test_an_event_tells_what_became_of_it_and_stays_the_same_event(
    bench: Bench, outcome: str, status: str, says: str
) -> None:
    before = event_of_first(bench)
    settle_first(bench, outcome, "it says why")
    bench.time.now = FIRST + timedelta(days=1)

    event = event_of_first(bench)

    assert event["UID"] == before["UID"] == "schedule.patch.2026-03-21.1@wellkept"
    assert event["STATUS"] == status
    assert event["DESCRIPTION"].splitlines()[-1] == says


def test_an_event_of_a_schedule_that_is_gone_keeps_its_name(bench: Bench) -> None:
    settle_first(bench, "succeeded")
    bench.time.now = FIRST + timedelta(days=1)
    (bench.site.root / "schedules" / "patch.yml").unlink()

    event = event_of_first(bench)

    assert (event["UID"], event["SUMMARY"]) == ("schedule.patch.2026-03-21.1@wellkept", "patch")


def test_a_year_on_paper_marks_what_was_waived_and_what_did_not_run(bench: Bench) -> None:
    settle_first(bench, "missed", "nobody was there")
    bench.time.now = FIRST + timedelta(days=1)
    waive_slot(Asked("patch", SECOND), reason="the fair is on", site=bench.site)

    page = draw_year(2026, lines(bench), bench.site.current(), as_of=date(2026, 3, 22)).decode()

    assert 'did-not-run" title="Updates of all servers, 22:00 to 04:00, missed">A<' in page
    assert 'waived" title="Updates of all servers, 22:00 to 04:00, waived: a person left it out">A<' in page
    assert "its time came, and nothing was done" in page
