"""The calendar file: read back by a library that is not ours, and the same for the same definitions."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import icalendar
from hypothesis import given
from hypothesis import strategies as st

from runner.operations.time.list_openings import list_openings
from runner.operations.time.publish_openings import publish_openings
from runner.reporting.ics import CalendarEvent, calendar_file
from tests.operations.a_site import SCHEDULE, WINDOWS, Bench
from tests.operations.conftest import Lay

FROM, TO = datetime(2026, 3, 20, tzinfo=UTC), datetime(2026, 4, 6, tzinfo=UTC)
FREEZES = (
    'freezes:\n  - {name: launch, from: "2026-03-28T00:00Z", to: "2026-03-30T00:00Z", reason: the shop opens}\n'
    '  - {name: books, from: "2026-04-05T00:00Z", to: "2026-04-05T01:00Z", reason: the year ends}\n'
)


def published(bench: Bench, **options: Any) -> bytes:
    definitions = bench.site.current()
    return publish_openings(list_openings(definitions, from_=FROM, to=TO, **options), definitions)


def events(content: bytes) -> list[Any]:
    return icalendar.Calendar.from_ical(content).walk("VEVENT")


def test_an_event_says_when_what_and_why_and_makes_nobody_busy(bench: Bench) -> None:
    first = events(published(bench))[0]

    assert (first.start, first.end) == (datetime(2026, 3, 21, 22, tzinfo=UTC), datetime(2026, 3, 22, 4, tzinfo=UTC))
    assert str(first["SUMMARY"]) == "Updates of all servers"
    assert str(first["DESCRIPTION"]).splitlines() == [
        "Closes known holes.",
        "Hosts: all (inventory production).",
        "Answers for it: ops.",
        "Window: saturday-night, 22:00 to 04:00 UTC.",
        "Last start: 03:15.",
    ]
    assert (first["STATUS"], first["TRANSP"], first["UID"]) == (
        "CONFIRMED",
        "TRANSPARENT",
        "schedule.patch.2026-03-21.1@wellkept",
    )


def test_what_is_frozen_is_cancelled_and_what_is_cut_is_shorter(lay: Lay) -> None:
    bench = lay(windows=WINDOWS + FREEZES)

    _, frozen, cut = events(published(bench))

    assert frozen["STATUS"] == "CANCELLED"
    assert "Nothing happens: frozen by launch." in frozen["DESCRIPTION"]
    assert cut["STATUS"] == "CONFIRMED"
    assert (cut.start, cut.end) == (datetime(2026, 4, 5, 1, tzinfo=UTC), datetime(2026, 4, 5, 4, tzinfo=UTC))
    assert "Cut short by books." in cut["DESCRIPTION"]


def test_a_schedule_that_is_switched_off_is_cancelled(lay: Lay) -> None:
    bench = lay(schedule=SCHEDULE + "enabled: false\n")

    assert {event["STATUS"] for event in events(published(bench))} == {"CANCELLED"}


def test_an_opening_that_moves_stays_the_same_event(lay: Lay) -> None:
    before = events(published(lay()))
    after = events(published(lay(windows=WINDOWS.replace("22:00", "20:30"))))

    assert [event["UID"] for event in before] == [event["UID"] for event in after]
    assert before[0].start != after[0].start


def test_the_same_definitions_give_the_same_bytes(lay: Lay) -> None:
    assert published(lay()) == published(lay())


def test_a_window_by_itself_can_be_published(bench: Bench) -> None:
    first = events(published(bench, window="saturday-night"))[0]

    assert str(first["SUMMARY"]) == "Maintenance window saturday-night"
    assert first["UID"] == "window.saturday-night.2026-03-21.1@wellkept"


def test_lines_end_and_are_folded_as_the_standard_wants(lay: Lay) -> None:
    content = published(lay(schedule=SCHEDULE.replace("Closes known holes.", "Größte Löcher " * 20)))

    lines = content.split(b"\r\n")
    assert lines[-1] == b""
    assert b"\n" not in content.replace(b"\r\n", b"")
    assert max(map(len, lines)) <= 75
    assert events(content)[0]["DESCRIPTION"].startswith("Größte Löcher " * 19)


@given(st.text(min_size=1, max_size=200))
def test_any_text_survives_but_for_what_cannot_be_printed(text: str) -> None:
    event = CalendarEvent(("a", text), FROM, TO, text, f"a;b,c\\n {text}")

    (read,) = events(calendar_file(text, [event]))

    plain = "\n".join(text.splitlines())
    assert str(read["SUMMARY"]) == "".join(each if each.isprintable() or each == "\n" else "?" for each in plain)
    assert str(read["DESCRIPTION"]).startswith("a;b,c\\n ")
