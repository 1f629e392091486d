# ruff: noqa: E501  one case, one line; messages are asserted word for word
"""The whole language of windows as files have it, down to the domain's values, and the warnings that go with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta

import pytest

from runner.domain.settings import Definitions
from runner.domain.time.occurrence import next_opening
from runner.domain.time.window import Missing, Roll, WhenFrozen
from runner.operations.execution.digest_plan import as_json

Checked = Callable[[Mapping[str, str | bytes]], tuple[Definitions | None, list[str]]]
NOW = datetime(2026, 1, 15, tzinfo=UTC)
EVENT = "BEGIN:VEVENT\r\nUID:a\r\nSUMMARY:Patch night\r\nDTSTART;TZID=Europe/Berlin:20260404T220000\r\nDURATION:PT4H\r\n{}END:VEVENT\r\n"
FILE = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\n{}END:VCALENDAR\r\n"


def windows(text: str, more: str = "") -> dict[str, str]:
    return {"schedules/windows.yml": f"windows:\n  prod-patch: {text}\n{more}"}


def test_every_key_of_a_window_arrives(checked: Checked) -> None:
    text = (
        "{day: second tuesday, offset_days: 5, interval: 2, since: 2026-01-03, months: [jan, mar], start: '22:00', duration: 4h, "
        "cutoff: 45m, dst: skip, calendar: berlin, roll: next_workday, freeze: skip, min_usable: 90m, splay: 5m, "
        "exdate: [2026-12-31, 2026-12-30], rdate: [2026-12-29]}"
    )
    calendars = (
        "calendars: {berlin: {workdays: [mon, tue], holidays: {country: DE, subdivision: BE}, dates: [2026-12-24]}}\n"
    )

    definitions, problems = checked(windows(text, calendars))

    assert problems == []
    assert definitions is not None
    window = definitions.windows["prod-patch"]
    assert (window.offset_days, window.interval, window.since) == (5, 2, date(2026, 1, 3))
    assert (window.missing, window.roll, window.when_frozen) == (Missing.SKIP, Roll.NEXT_WORKDAY, WhenFrozen.SKIP)
    assert (window.min_usable, window.splay) == (timedelta(minutes=90), timedelta(minutes=5))
    assert (window.without, window.besides) == ((date(2026, 12, 30), date(2026, 12, 31)), (date(2026, 12, 29),))
    assert window.calendar is not None
    assert (window.calendar.workdays, window.calendar.dates) == ((0, 1), (date(2026, 12, 24),))
    assert not window.calendar.is_workday(date(2027, 3, 8))  # a Monday, and a holiday in Berlin


@pytest.mark.parametrize(
    ("text", "opens"),
    [
        ('{cron: "30 2 * * 6", duration: 3h}', "2026-01-17 01:30"),
        ('{rrule: "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1", since: 2020-01-31, start: "19:00", duration: 2h}', "2026-01-30 18:00"),
        ("{ics: nights.ics, summary: Patch night}", "2026-04-04 20:00"),
        ("{ics: [nights.ics, other.ics]}", "2026-04-04 20:00"),
    ],
)  # fmt: skip
def test_other_rules_open_and_have_a_digest_that_goes_by_their_text(checked: Checked, text: str, opens: str) -> None:
    files = {**windows(text), "nights.ics": FILE.format(EVENT.format("")), "other.ics": FILE.format(EVENT.format(""))}

    one, problems = checked(files)
    other, _ = checked(files)

    assert problems == []
    assert one is not None
    assert other is not None
    found = next_opening(one.windows["prod-patch"], [], after=NOW)
    assert found is not None
    assert f"{found.opens:%Y-%m-%d %H:%M}" == opens
    assert one.windows["prod-patch"] == other.windows["prod-patch"]
    assert as_json(one.schedules["patch-web"]) == as_json(other.schedules["patch-web"])
    assert " at 0x" not in str(as_json(one.schedules["patch-web"]))


def test_a_freeze_and_a_calendar_may_come_from_a_file(checked: Checked) -> None:
    more = (
        "calendars: {office: {file: closed.ics, holidays: {country: DE}}}\nfreezes: [{name: board, ics: board.ics}]\n"
    )
    closed = "BEGIN:VEVENT\r\nUID:c\r\nDTSTART;VALUE=DATE:20260427\r\nDTEND;VALUE=DATE:20260501\r\nEND:VEVENT\r\n"
    text = "{day: last workday, calendar: office, start: '22:00', duration: 4h}"

    definitions, problems = checked(
        {**windows(text, more), "closed.ics": FILE.format(closed), "board.ics": FILE.format(EVENT.format(""))}
    )

    assert problems == []
    assert definitions is not None
    april = next_opening(definitions.windows["prod-patch"], [], after=datetime(2026, 4, 1, tzinfo=UTC))
    assert april is not None
    assert april.rule_date == date(2026, 4, 24)
    assert definitions.freezes[0].covers(datetime(2026, 4, 4, 21, tzinfo=UTC))


def test_a_freeze_on_holidays_means_all_that_its_calendar_knows(checked: Checked) -> None:
    more = (
        "calendars: {office: {file: closed.ics, holidays: {country: DE, subdivision: BE}, dates: [2026-12-24]}}\n"
        "freezes: [{name: closed, holidays: office}, {name: there, holidays: office, timezone: America/New_York}]\n"
    )
    closed = "BEGIN:VEVENT\r\nUID:c\r\nDTSTART;VALUE=DATE:20260427\r\nEND:VEVENT\r\n"
    files = {**windows("{day: daily, start: '22:00', duration: 4h}", more), "closed.ics": FILE.format(closed)}

    definitions, problems = checked(files)

    assert problems == []
    assert definitions is not None
    here, there = definitions.freezes
    noons = [datetime(2026, month, day, 12, tzinfo=UTC) for month, day in ((3, 8), (4, 27), (12, 24), (12, 23))]
    assert [here.covers(noon) for noon in noons] == [True, True, True, False]  # 8 March is a holiday in Berlin
    assert (here.timezone, there.timezone) == ("Europe/Berlin", "America/New_York")
    assert [freeze.covers(datetime(2026, 12, 23, 23, 30, tzinfo=UTC)) for freeze in (here, there)] == [True, False]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{rrule: "FREQ=DAILY;UNTIL=20251231", since: 2025-01-03, start: "22:00", duration: 4h}', "rrule: it has come to its end and does not open from 2026-01-15 on. Change it, or remove the window"),
        ('{cron: "30 2 * * *", duration: 1h}', "cron: its time does not exist on 2026-03-29 in Europe/Berlin, when the clocks change; it opens when they have. Choose another time to be clear"),
        ('{day: daily, start: "02:30", duration: 1h, dst: skip}', "start: 02:30 does not exist on 2026-03-29 in Europe/Berlin, when the clocks change; it does not open then. Choose another time to be clear"),
        ('{cron: "0 2,4 * * *", duration: 3h, timezone: UTC}', "prod-patch: the opening of 2026-01-15 is still going when that of 2026-01-15 begins. Make it shorter, or choose fewer days"),
        ('{day: [sat, sun], interval: 2, since: 2026-01-03, start: "22:00", duration: 4h}', "interval: it counts every single day of the list, not weeks. For weeks write rrule: FREQ=WEEKLY;INTERVAL=2;BYDAY=SA,SU"),
        ("{ics: nights.ics}", "ics: it has come to its end and does not open from 2026-01-15 on. Change it, or remove the window"),
    ],
)  # fmt: skip
def test_what_may_hurt_later_is_warned_of_and_refuses_nothing(checked: Checked, text: str, says: str) -> None:
    past = EVENT.format("").replace("20260404", "20250404")

    definitions, problems = checked({**windows(text), "nights.ics": FILE.format(past)})

    assert definitions is not None
    assert [problem.partition("warning: ")[2] for problem in problems] == [says]


def test_without_readers_of_other_languages_their_rules_are_refused(repository: Callable[..., object]) -> None:
    from runner.config import check

    root = repository(windows('{cron: "30 2 * * 6", duration: 3h}'))

    _, problems = check(root, environ={}, today=date(2026, 1, 15))  # type: ignore[arg-type]

    assert [str(problem) for problem in problems] == [
        "schedules/windows.yml:2:22: cron: nobody is here who could read it"
    ]
