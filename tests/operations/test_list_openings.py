"""The calendar: every opening within a span, and what becomes of it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from runner.errors import NotFound
from runner.operations.time.list_openings import list_openings
from tests.operations.a_site import SCHEDULE, WINDOWS, Bench
from tests.operations.conftest import Lay

FROM, TO = datetime(2026, 3, 20, tzinfo=UTC), datetime(2026, 4, 6, tzinfo=UTC)
BERLIN = 'windows: {saturday-night: {day: saturday, start: "22:00", until: "04:00", timezone: Europe/Berlin}}\n'


def states(bench: Bench) -> list[tuple[str, str]]:
    found = list_openings(bench.site.current(), from_=FROM, to=TO)
    return [(entry.opening.rule_date.isoformat(), entry.state) for entry in found]


def test_openings_come_in_order_with_what_will_become_of_them(lay: Lay) -> None:
    freezes = (
        'freezes:\n  - {name: launch, from: "2026-03-28T00:00Z", to: "2026-03-30T00:00Z", reason: the shop opens}\n'
        '  - {name: books, from: "2026-04-05T00:00Z", to: "2026-04-05T01:00Z", reason: the year ends}\n'
    )
    bench = lay(windows=WINDOWS + freezes)

    assert states(bench) == [("2026-03-21", "planned"), ("2026-03-28", "frozen"), ("2026-04-04", "cut short")]


def test_a_schedule_that_is_switched_off_says_so(lay: Lay) -> None:
    bench = lay(schedule=SCHEDULE + "enabled: false\n")

    assert {state for _, state in states(bench)} == {"switched off"}


def test_a_line_tells_local_and_utc_time_and_what_changing_clocks_do(lay: Lay) -> None:
    bench = lay(windows=BERLIN)

    rows = [entry.as_row() for entry in list_openings(bench.site.current(), from_=FROM, to=TO)]

    assert rows[1]["opens"] == "2026-03-28T22:00:00+01:00"
    assert rows[1]["closes"] == "2026-03-29T04:00:00+02:00"
    assert rows[1]["opens_utc"] == "2026-03-28T21:00:00+00:00"
    assert rows[1]["usable_minutes"] == 300
    assert rows[1]["notes"] == ["the clocks change: it lasts 5h instead of 6h"]


def test_a_splay_shows_for_a_playbook_and_not_for_a_duty_which_is_asked_for_at_the_opening(lay: Lay) -> None:
    duty = (
        "schedule: drill\ntitle: Rehearse the restore\nwhy: So that it works.\nkind: manual\nwindow: saturday-night\n"
    )
    windows = WINDOWS.replace("cutoff: 45m", "cutoff: 45m, splay: 1h")
    playbook, manual = (
        list_openings(lay(windows=windows, **change).site.current(), from_=FROM, to=TO)[0].opening
        for change in ({}, {"schedule": duty})
    )

    assert playbook.usable_from > playbook.opens
    assert playbook.notes[0].startswith("splay: patch begins ")
    assert (manual.usable_from, manual.notes) == (manual.opens, ())


def test_a_window_may_be_asked_for_by_itself(bench: Bench) -> None:
    found = list_openings(bench.site.current(), from_=FROM, to=TO, window="saturday-night")

    assert [(entry.schedule, entry.window) for entry in found] == [("", "saturday-night")] * 3


def test_an_unknown_window_names_the_nearest(bench: Bench) -> None:
    with pytest.raises(NotFound, match=r"There is no window 'saturday-nihgt'. Did you mean 'saturday-night'\?"):
        list_openings(bench.site.current(), from_=FROM, to=TO, window="saturday-nihgt")


def test_an_unknown_schedule_names_the_nearest(bench: Bench) -> None:
    with pytest.raises(NotFound, match="Did you mean 'patch'"):
        list_openings(bench.site.current(), from_=FROM, to=TO, names=["pacth"])
