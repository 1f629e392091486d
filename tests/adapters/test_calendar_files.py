"""Calendar files: what recurs, what is moved, zones of the file, and what is refused."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from runner.adapters.calendars import Calendars
from runner.domain.time.events import Events, in_order
from runner.domain.time.freeze import Freeze
from runner.domain.time.occurrence import next_opening, openings
from runner.domain.time.window import MaintenanceWindow
from tests.domain.windows import berlin

NIGHT = "UID:night\nSUMMARY:Patch night\nDTSTART;TZID=Europe/Berlin:20260314T220000\nDTEND;TZID=Europe/Berlin:20260315T020000\n"
OWN_ZONE = """BEGIN:VTIMEZONE
TZID:Our zone
BEGIN:STANDARD
DTSTART:19961027T030000
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:19810329T020000
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3
END:DAYLIGHT
END:VTIMEZONE
"""


def a_file(*events: str, zones: str = "") -> bytes:
    inside = "".join(f"BEGIN:VEVENT\nDTSTAMP:20260101T000000Z\n{event}END:VEVENT\n" for event in events)
    return f"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//x//y//EN\n{zones}{inside}END:VCALENDAR\n".replace(
        "\n", "\r\n"
    ).encode()


def events(*files: bytes, summary: str | None = None, zone: str = "Europe/Berlin") -> Events:
    return Calendars().events({f"{number}.ics": each for number, each in enumerate(files)}, summary=summary, zone=zone)


def spans(found: Events, first: str = "2026-01-01", last: str = "2026-12-31") -> list[tuple[str, str]]:
    several = in_order(found, first=date.fromisoformat(first), last=date.fromisoformat(last))
    return [(f"{event.opens:%m-%d %H:%M}", f"{event.closes:%m-%d %H:%M}") for event, _ in several]


def test_an_event_recurs_by_the_wall_clock_of_its_zone_and_lasts_as_long_each_time() -> None:
    found = events(a_file(NIGHT + "RRULE:FREQ=WEEKLY;INTERVAL=2;COUNT=3\n"))

    assert spans(found) == [
        ("03-14 21:00", "03-15 01:00"),
        ("03-28 21:00", "03-29 01:00"),
        ("04-11 20:00", "04-12 00:00"),
    ]


@pytest.mark.parametrize("until", ["20260328T210000Z", "20260328", "20260410T000000Z"])
def test_a_rule_ends_with_its_last_instant(until: str) -> None:
    assert len(spans(events(a_file(NIGHT + f"RRULE:FREQ=WEEKLY;INTERVAL=2;UNTIL={until}\n")))) == 2


def test_an_instant_before_the_start_of_its_day_lets_that_day_not_through() -> None:
    assert len(spans(events(a_file(NIGHT + "RRULE:FREQ=WEEKLY;INTERVAL=2;UNTIL=20260328T205959Z\n")))) == 1


def test_single_dates_are_left_out_added_moved_and_cancelled() -> None:
    series = NIGHT + (
        "RRULE:FREQ=WEEKLY;COUNT=5\nEXDATE;TZID=Europe/Berlin:20260321T220000\nRDATE;TZID=Europe/Berlin:20260501T220000\n"
    )
    moved = (
        NIGHT.replace("20260314", "20260329").replace("20260315", "20260330")
        + "RECURRENCE-ID;TZID=Europe/Berlin:20260328T220000\n"
    )
    cancelled = NIGHT + "RECURRENCE-ID;TZID=Europe/Berlin:20260404T220000\nSTATUS:CANCELLED\n"

    found = spans(events(a_file(series, moved, cancelled)))

    assert [opens for opens, _ in found] == ["03-14 21:00", "03-29 20:00", "04-11 20:00", "05-01 20:00"]


def test_an_occurrence_that_was_renamed_is_not_one_of_the_old_summary() -> None:
    series = NIGHT + "RRULE:FREQ=WEEKLY;COUNT=3\n"
    renamed = NIGHT.replace("20260314", "20260321").replace("20260315", "20260322").replace("SUMMARY:Patch night", "SUMMARY:The fair")  # fmt: skip
    file = a_file(series, renamed + "RECURRENCE-ID;TZID=Europe/Berlin:20260321T220000\n")

    found = spans(events(file, summary="Patch night"))

    assert [opens for opens, _ in found] == ["03-14 21:00", "03-28 21:00"]


def test_whole_days_are_those_of_the_windows_zone() -> None:
    found = events(a_file("UID:b\nSUMMARY:Board\nDTSTART;VALUE=DATE:20260328\nDTEND;VALUE=DATE:20260330\n"))

    assert spans(found) == [("03-27 23:00", "03-29 22:00")]


def test_a_zone_that_the_file_describes_itself_is_understood() -> None:
    found = events(a_file(NIGHT.replace("Europe/Berlin", "Our zone") + "RRULE:FREQ=WEEKLY;COUNT=3\n", zones=OWN_ZONE))

    assert [opens for opens, _ in spans(found)] == ["03-14 21:00", "03-21 21:00", "03-28 21:00"]
    assert [opens for opens, _ in spans(found, "2026-03-28")] == ["03-28 21:00"]


def test_only_events_of_a_summary_count_when_one_is_given_over_all_files() -> None:
    other = NIGHT.replace("Patch night", "Party").replace("UID:night", "UID:party")
    later = NIGHT.replace("20260314", "20260316").replace("20260315", "20260317")

    assert len(spans(events(a_file(NIGHT, other), a_file(later), summary="Patch night"))) == 2
    assert len(spans(events(a_file(NIGHT, other), a_file(later)))) == 2  # two begin at the same time and are one


@pytest.mark.parametrize(
    ("event", "says"),
    [
        ("UID:f\nSUMMARY:Floating\nDTSTART:20260314T220000\nDURATION:PT4H\n", "begins at 2026-03-14 22:00 without a zone. Add one: DTSTART;TZID=Eur"),
        (NIGHT.replace("Europe/Berlin", "Mars/Olympus"), "is in the zone 'Mars/Olympus', which is not known here. Write an IANA name"),
        ("UID:e\nSUMMARY:Endless\nDTSTART:20260314T220000Z\n", "has no end after its beginning. Add DTEND, or DURATION:PT4H"),
        (NIGHT + "RRULE:FREQ=HOURLY\n", "FREQ=HOURLY opens within the day"),
        (NIGHT + "RRULE:FREQ=DAILY;BYHOUR=3\n", "BYHOUR names a time of day"),
        (NIGHT.replace("SUMMARY:Patch night\n", "SUMMARY:Other\n"), "holds no event 'Patch night'. It has Other"),
        (NIGHT.replace("Patch night", "Patch nigth"), "holds no event 'Patch night'. Did you mean 'Patch nigth'?"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_with_the_way_out(event: str, says: str) -> None:
    with pytest.raises(ValueError, match=r"0\.ics|holds no event") as told:
        events(a_file(event), summary="Patch night" if "holds" in says else None)

    assert says in str(told.value)


@pytest.mark.parametrize("content", [b"", b"hello", b"BEGIN:VCALENDAR\r\n", b"\xff\xfe\x00", a_file()])
def test_what_is_no_calendar_file_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"cannot be read|holds no event"):
        events(content)


def test_events_are_the_same_while_their_files_are() -> None:
    assert events(a_file(NIGHT)) == events(a_file(NIGHT))
    assert events(a_file(NIGHT)) != events(a_file(NIGHT.replace("220000", "210000")))


def test_a_window_opens_by_the_events_of_a_file() -> None:
    window = MaintenanceWindow("w", events=events(a_file(NIGHT + "RRULE:FREQ=MONTHLY;BYDAY=2SA\n")))

    found = next_opening(window, [], after=datetime(2026, 3, 15, tzinfo=UTC))

    assert found is not None
    assert (found.rule_date, found.ordinal) == (date(2026, 4, 11), 1)
    assert (found.opens, found.closes) == (berlin("2026-04-11 22:00"), berlin("2026-04-12 02:00"))


def test_a_single_event_of_long_ago_never_opens_again() -> None:
    window = MaintenanceWindow("w", events=events(a_file(NIGHT)))

    assert next_opening(window, [], after=datetime(2027, 3, 15, tzinfo=UTC)) is None


def test_two_events_of_one_date_are_numbered() -> None:
    morning = "UID:m\nSUMMARY:Early\nDTSTART;TZID=Europe/Berlin:20260314T040000\nDURATION:PT1H\n"
    window = MaintenanceWindow("w", events=events(a_file(NIGHT, morning)))

    found = openings(window, [], from_=berlin("2026-03-14 21:00"), to=berlin("2026-03-15 00:00"))

    assert [(each.rule_date.day, each.ordinal) for each in found] == [(14, 2)]


def test_events_may_be_a_freeze() -> None:
    freeze = Freeze("board", events=events(a_file("UID:b\nSUMMARY:Board\nDTSTART;VALUE=DATE:20260915\nDTEND;VALUE=DATE:20260917\n")))  # fmt: skip

    assert freeze.until(berlin("2026-09-16 12:00")) == berlin("2026-09-17 00:00")
    assert not freeze.covers(berlin("2026-09-17 00:00"))
